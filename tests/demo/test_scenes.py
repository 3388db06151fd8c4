import av
import cv2
import numpy as np
import pytest

from kinetics_i3d_tf2.demo import actions, scenes
from kinetics_i3d_tf2.demo import dataset as demo
from kinetics_i3d_tf2.demo.drawing import Canvas

PAIRS = list(zip(scenes.ACTIONS[::2], scenes.ACTIONS[1::2], strict=True))
PAIR_IDS = [forward.name for forward, _ in PAIRS]


def draw(action, seed):
    return scenes.render(action, np.random.default_rng(seed))


@pytest.mark.parametrize("action", scenes.ACTIONS, ids=lambda action: action.name)
def test_a_clip(action):
    clip = draw(action, 3)
    assert clip.dtype == np.uint8
    assert clip.shape[1:] == (256, 256, 3)
    assert scenes.FRAMES[0] <= len(clip) <= scenes.FRAMES[1]
    # Much moves: smoothed, so that this is not the noise.
    smooth = np.stack([cv2.blur(frame, (9, 9)) for frame in clip[[0, -1]]])
    moved = np.abs(np.diff(smooth.astype(int), axis=0)).max(-1) > 25
    assert 0.01 < moved.mean() < 0.6
    assert np.array_equal(clip, draw(action, 3))
    other = draw(action, 4)
    assert other.shape != clip.shape or np.abs(other - clip.astype(int)).mean() > 10


@pytest.mark.parametrize(("forward", "backward"), PAIRS, ids=PAIR_IDS)
def test_the_two_of_a_pair_draw_the_same_frames(forward, backward):
    """Exactly: so nothing in a single frame can tell which of the two it is of."""
    assert (forward.is_reversed, backward.is_reversed) == (False, True)
    assert np.array_equal(draw(forward, 7), draw(backward, 7)[::-1])


def test_coding_does_not_tell_the_place_of_a_frame(tmp_path):
    """What an mp4 makes of a frame is the same in both orders, to the bit."""
    frames = draw(scenes.ACTIONS[0], 9)
    decoded = []
    for order in (frames, frames[::-1]):
        path = tmp_path / f"{len(decoded)}.mp4"
        demo.write_video(path, order)
        with av.open(str(path)) as container:
            read = list(container.decode(video=0))
        assert all(frame.key_frame for frame in read)
        decoded.append(np.stack([frame.to_ndarray(format="rgb24") for frame in read]))
    assert len(decoded[0]) == len(frames)
    assert np.array_equal(decoded[0], decoded[1][::-1])
    assert np.abs(decoded[0] - frames.astype(int)).mean() < 6


def test_speed_and_camera_prefer_no_direction_of_time():
    """Over many clips, what is not the action looks alike both ways."""
    rng = np.random.default_rng(0)
    middles, sways = [], []
    for _ in range(2000):
        phases = scenes._random_phases(rng)
        assert np.all(np.diff(phases) > 0)
        assert 0 <= phases[0] < 0.1 and 0.9 < phases[-1] <= 1
        middles.append(np.interp(0.5, np.linspace(0, 1, len(phases)), phases))
        camera = scenes.random_camera(rng)
        sways.append(scenes.view(camera, 1) - scenes.view(camera, -1))
    # Means of 2000; five standard errors.
    for drawn, middle in ((middles, 0.5), (sways, 0)):
        error = np.std(drawn, axis=0) / np.sqrt(len(drawn))
        assert np.all(np.abs(np.mean(drawn, axis=0) - middle) <= 5 * error + 1e-9)


@pytest.mark.parametrize(
    "draw_action",
    [actions.door, actions.chair, actions.pickup, actions.push],
    ids=lambda function: function.__name__,
)
def test_every_look_stays_in_sight(draw_action):
    """Nothing that acts leaves the central 224 pixels that a model sees."""
    rng = np.random.default_rng(5)
    view = np.array([[90.0, 0, 128], [0, -90.0, 215], [0, 0, 1]])
    for number in range(40):
        look = scenes.random_look(rng)
        for phase in (0.0, 0.5, 1.0):
            image = np.zeros((256, 256, 3), np.uint8)
            draw_action(Canvas(image, view), look, phase)
            seen = image.any(-1)
            inside = seen[16:240, 16:240].sum() / seen.sum()
            assert inside > 0.97, (number, phase)
