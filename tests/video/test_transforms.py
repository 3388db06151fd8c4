import numpy as np
import pytest

from kinetics_i3d_tf2.video import optical_flow, transforms


def random_clip(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


@pytest.mark.parametrize(
    ("height", "width", "expected"),
    [
        (240, 320, (256, 341)),
        (1920, 1080, (455, 256)),
        (256, 300, (256, 300)),
        (1, 1000, (256, 256000)),
        (224, 224, (256, 256)),
    ],
)
def test_resized_shape(height, width, expected):
    resized = transforms.resize_short_side(np.zeros((1, height, width, 3), np.uint8))
    assert resized.shape == (1, *expected, 3)
    assert resized.dtype == np.uint8


def test_resize_is_bilinear_without_antialias():
    """Shrunk 4 times, an output pixel is the mean of the middle 2x2 of its 4x4."""
    clip = random_clip(2, 16, 24, 3).astype(np.float32)
    resized = transforms.resize_short_side(clip, 4)
    blocks = clip.reshape(2, 4, 4, 6, 4, 3)[:, :, 1:3, :, 1:3]
    np.testing.assert_allclose(resized, blocks.mean(axis=(2, 4)), atol=1e-3)


def test_resize_takes_any_leading_axes():
    clip = random_clip(2, 3, 20, 30, 2)
    whole = transforms.resize_short_side(clip, 10)
    np.testing.assert_array_equal(
        whole[1, 2], transforms.resize_short_side(clip[1, 2], 10)
    )
    assert transforms.resize_short_side(clip[..., :1], 10).shape == (2, 3, 10, 15, 1)


def test_resize_keeps_a_clip_of_the_right_size():
    clip = random_clip(2, 256, 300, 3)
    assert transforms.resize_short_side(clip) is clip


def test_center_crop():
    clip = random_clip(2, 256, 341, 3)
    np.testing.assert_array_equal(transforms.center_crop(clip), clip[:, 16:240, 58:282])


def test_random_crop_is_one_place_for_all_frames():
    grid = np.stack(np.meshgrid(np.arange(30), np.arange(40), indexing="ij"), -1)
    clip = np.broadcast_to(grid, (5, 30, 40, 2))
    rng = np.random.default_rng(0)
    corners = set()
    for _ in range(300):
        crop = transforms.random_crop(clip, 24, rng=rng)
        assert crop.shape == (5, 24, 24, 2)
        np.testing.assert_array_equal(crop - crop[:, :1, :1], clip[:, :24, :24])
        corners.add(tuple(crop[0, 0, 0]))
    tops, lefts = map(set, zip(*corners, strict=True))
    assert (tops, lefts) == (set(range(7)), set(range(17)))


@pytest.mark.parametrize(
    "crop",
    [
        transforms.center_crop,
        lambda clip: transforms.random_crop(clip, rng=np.random.default_rng(0)),
    ],
    ids=["center", "random"],
)
def test_crop_of_small_frames(crop):
    with pytest.raises(ValueError, match="224x224 out of frames of 300x200 .*resize"):
        crop(np.zeros((1, 200, 300, 3)))


@pytest.mark.parametrize(
    ("wanted", "expected"), [(7, [0, 1, 2, 0, 1, 2, 0]), (3, [0, 1, 2]), (2, [0, 1, 2])]
)
def test_loop(wanted, expected):
    assert transforms.loop(np.arange(3), wanted).tolist() == expected


def test_loop_of_nothing():
    with pytest.raises(ValueError, match="at least one frame"):
        transforms.loop(np.zeros((0, 2)), 3)


def test_flip():
    clip = random_clip(2, 4, 5, 3)
    np.testing.assert_array_equal(transforms.flip(clip)[:, :, 0], clip[:, :, -1])


def test_flip_of_flow_negates_dx():
    flow = np.random.default_rng(0).normal(size=(2, 4, 5, 2)).astype(np.float32)
    flipped = transforms.flip_flow(flow)
    assert flipped.dtype == np.float32
    np.testing.assert_array_equal(flipped[..., 0, 0], -flow[..., -1, 0])
    np.testing.assert_array_equal(flipped[..., 0, 1], flow[..., -1, 1])
    np.testing.assert_array_equal(transforms.flip_flow(flipped), flow)
    with pytest.raises(ValueError, match="2 channels"):
        transforms.flip_flow(np.zeros((4, 5, 3)))


def test_normalize_rgb():
    clip = np.array([0, 51, 255], np.uint8)
    np.testing.assert_allclose(transforms.normalize_rgb(clip), [-1, -0.6, 1], atol=1e-7)
    assert transforms.normalize_rgb(clip).dtype == np.float32
    with pytest.raises(ValueError, match="never guessed. Received: float32"):
        transforms.normalize_rgb(clip.astype(np.float32))


def test_resize_of_another_dtype():
    with pytest.raises(ValueError, match="uint8 or float32. Received: int64"):
        transforms.resize_short_side(np.zeros((4, 5, 3), np.int64))


@pytest.mark.parametrize("shape", [(4, 5), (0, 4, 5, 3)])
def test_resize_of_no_frames(shape):
    with pytest.raises(ValueError, match="not empty"):
        transforms.resize_short_side(np.zeros(shape))


def test_coded_flow_is_mirrored_and_resized():
    """As the flow that it codes, within one step of the code."""
    step = 40 / 255
    flow = np.random.default_rng(0).uniform(-5, 5, (2, 8, 12, 2)).astype(np.float32)
    code = optical_flow.encode_flow(flow)

    def decoded(code):
        blue = np.zeros_like(code[..., :1])
        return optical_flow.decode_flow(np.concatenate([code, blue], -1))

    flipped = decoded(transforms.flip_flow(code[..., :2]))
    np.testing.assert_allclose(flipped, transforms.flip_flow(flow), atol=step)
    resized = transforms.resize_coded_flow(code[..., :2], 16)
    assert resized.dtype == np.uint8
    expected = 2 * transforms.resize_short_side(flow, 16)
    np.testing.assert_allclose(decoded(resized), expected, atol=3 * step)
    same = transforms.resize_coded_flow(code[..., :2], 8)
    np.testing.assert_array_equal(same, code[..., :2])
