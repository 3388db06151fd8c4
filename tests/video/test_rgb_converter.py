"""Frames come as people see them: upright, not mirrored, square, in their colours."""

from fractions import Fraction

import av
import numpy as np
import pytest
from videos import set_display_matrix, write_video

from kinetics_i3d_tf2 import read_video

# (a, b, c, d) of the matrix, and where it shows the bright top left corner (row,
# column).
SYMMETRIES = {
    "upright": ((1, 0, 0, 1), (0, 0)),
    "turned by 90": ((0, 1, -1, 0), (0, 1)),
    "turned by 180": ((-1, 0, 0, -1), (1, 1)),
    "turned by 270": ((0, -1, 1, 0), (1, 0)),
    "mirrored left to right": ((-1, 0, 0, 1), (0, 1)),
    "mirrored top to bottom": ((1, 0, 0, -1), (1, 0)),
    "mirrored on the diagonal": ((0, 1, 1, 0), (0, 0)),
    "mirrored on the other diagonal": ((0, -1, -1, 0), (1, 1)),
}


@pytest.fixture(scope="module")
def corner(tmp_path_factory):
    """Nine frames with a white top left quarter and a red stripe along the top."""
    frames = np.zeros((9, 48, 64, 3), np.uint8)
    frames[:, :24, :32] = 255
    return write_video(tmp_path_factory.mktemp("corner") / "clip.mp4", frames)


@pytest.mark.parametrize("name", SYMMETRIES)
def test_display_matrix(corner, tmp_path, name):
    matrix, expected = SYMMETRIES[name]
    path = tmp_path / "clip.mp4"
    path.write_bytes(corner.read_bytes())
    set_display_matrix(path, *matrix)
    clip = read_video(path)
    assert clip.shape[1:3] == ((48, 64) if matrix[0] else (64, 48))
    height, width = clip.shape[1] // 2, clip.shape[2] // 2
    quarters = clip.reshape(9, 2, height, 2, width, 3).mean(axis=(0, 2, 4, 5))
    assert np.unravel_index(quarters.argmax(), (2, 2)) == expected


@pytest.mark.parametrize(
    ("aspect", "shape"),
    [((1, 1), (48, 64)), ((4, 3), (48, 85)), ((1, 2), (96, 64)), ((0, 1), (48, 64))],
    ids=str,
)
def test_square_pixels(tmp_path, aspect, shape):
    path = tmp_path / "clip.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        if aspect[0]:
            stream.codec_context.sample_aspect_ratio = Fraction(*aspect)
        for _ in range(9):
            image = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8))
            container.mux(stream.encode(image))
        container.mux(stream.encode())
    assert read_video(path).shape[1:3] == shape


@pytest.mark.parametrize("full_range", [False, True], ids=["limited", "full"])
@pytest.mark.parametrize("pixel_format", ["yuv444p", "yuv444p10le"])
def test_colours_of_high_definition(tmp_path, pixel_format, full_range):
    """BT.709 by its formula, limited (16 to 235) and full range, 8 and 10 bits."""
    red, green, blue = 200, 60, 90
    luma = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    planes = np.array([luma, (blue - luma) / 1.8556, (red - luma) / 1.5748])
    if not full_range:
        planes = planes * np.array([219, 224, 224]) / 255 + [16, 0, 0]
    planes = planes + [0, 128, 128]
    depth = 4 if pixel_format.endswith("10le") else 1
    path = tmp_path / "clip.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, pixel_format
        context = stream.codec_context
        context.colorspace, context.color_range = 1, 2 if full_range else 1
        values = np.round(planes * depth).astype(np.uint8 if depth == 1 else "<u2")
        for index in range(9):
            frame = av.VideoFrame(64, 48, pixel_format)
            for plane, value in zip(frame.planes, values, strict=True):
                plane.update(value.tobytes() * (plane.buffer_size // value.nbytes))
            frame.colorspace, frame.color_range = 1, 2 if full_range else 1
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    np.testing.assert_allclose(read_video(path)[0, 20, 20], (red, green, blue), atol=2)
