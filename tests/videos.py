"""Makes small real video files for tests."""

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

# Options of `write_video` by suffix.
FORMATS = {
    "mp4": {},
    "mov": {},
    "mkv": {},
    "webm": {"codec": "libvpx-vp9"},
    "avi": {"codec": "mpeg4"},
    "gif": {"codec": "gif", "pixel_format": "rgb8"},
}


def brightness_frames(count, size=(64, 48), step=5):
    """Frames whose brightness tells their index: 0, 5, 10, ... of 255."""
    values = (np.arange(count) * step % 256).astype(np.uint8)
    return np.broadcast_to(
        values[:, None, None, None], (count, size[1], size[0], 3)
    ).copy()


def frame_numbers(clip, step=5):
    """Which of those frames a normalized RGB clip shows."""
    return np.round((clip.mean(axis=(1, 2, 3)) + 1) * 127.5 / step).astype(int)


def write_video(
    path,
    frames,
    *,
    rate=25,
    codec="libx264",
    pixel_format="yuv420p",
    times=None,
    options=None,
    container_options=None,
    silence=False,
):
    """Encodes uint8 RGB frames; `times` are seconds, for a variable rate.

    With `silence`, a second of it is muxed before each second of pictures.
    """
    with av.open(str(path), "w", options=container_options or {}) as container:
        stream = container.add_stream(codec, rate=rate, options=options or {})
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = pixel_format
        if times is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        if silence:
            is_mpeg = Path(path).suffix in (".mpg", ".vob")
            sound = container.add_stream("mp2" if is_mpeg else "aac", rate=44100)
        for index, image in enumerate(frames):
            if silence and index % rate == 0:
                container.mux(sound.encode(_silence()))
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            if times is not None:
                frame.pts = round(times[index] * 1000)
                frame.time_base = Fraction(1, 1000)
            container.mux(stream.encode(frame))
        if len(frames):
            container.mux(stream.encode())
        else:
            container.start_encoding()  # Writes the header, which frames else do.
    return path


def thin_gif(path):
    """A GIF of 4x8000 pixels in two kilobytes: resized to 256, it is 512000 high."""
    return write_video(
        path, brightness_frames(2, (4, 8000)), codec="gif", pixel_format="rgb8"
    )


def damaged_video(path):
    """Sixty frames of noise, of which four are lost or damaged."""
    noise = np.random.default_rng(0).integers(0, 255, (60, 48, 64, 3), np.uint8)
    write_video(path, noise, codec="mpeg4", options={"g": "5", "b": "3000000"})
    content = bytearray(path.read_bytes())
    middle, count = len(content) // 2, len(content) // 60 * 2
    content[middle : middle + count] = bytes(count)
    path.write_bytes(content)
    return path


def write_folder(folder, count, num_frames=4):
    """Videos of the classes a and b in turn; brightness tells the frame."""
    for number in range(count):
        path = folder / "ab"[number % 2] / f"{number}.mkv"
        path.parent.mkdir(parents=True, exist_ok=True)
        frames = brightness_frames(num_frames, (48, 36))
        write_video(path, frames, codec="ffv1")
    return folder


def write_images(folder, frames, suffix=".png"):
    """Writes uint8 RGB frames as images `1.png`, `2.png`, ... of a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, image in enumerate(frames, 1):
        cv2.imwrite(str(folder / f"{number}{suffix}"), image[..., ::-1])
    return folder


def _silence():
    frame = av.AudioFrame.from_ndarray(
        np.zeros((1, 44100), np.float32), format="fltp", layout="mono"
    )
    frame.rate = 44100
    return frame


def write_audio(path):
    """A second of silence, without pictures."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=44100)
        container.mux(stream.encode(_silence()))
        container.mux(stream.encode())
    return path


def set_rotation(path, degrees):
    """Makes an mp4 file's display matrix turn it clockwise."""
    a, b = {0: (1, 0), 90: (0, 1), 180: (-1, 0), 270: (0, -1)}[degrees]
    set_display_matrix(path, a, b, -b, a)


def set_display_matrix(path, a, b, c, d):
    """Writes an mp4 file's display matrix: (x, y) is shown at (ax + cy, bx + dy)."""
    one = 1 << 16
    matrix = np.array([a * one, b * one, 0, c * one, d * one, 0, 0, 0, 1 << 30], ">i4")
    content = bytearray(path.read_bytes())
    # tkhd, version 0: name, flags, five words, eight reserved bytes, four shorts.
    start = content.index(b"tkhd") + 4 + 4 + 20 + 8 + 8
    content[start : start + 36] = matrix.tobytes()
    path.write_bytes(content)
