"""Decode any video file to RGB frames at a constant rate, with PyAV's FFmpeg."""

import math
import os
from collections.abc import Iterator

import av
import numpy as np
from av.video.reformatter import VideoReformatter

from . import ffmpeg

FRAME_RATE = 25.0

# Longest time in seconds without a frame that is believed: slides in a recording stay
# long, but broken time stamps ask for hours of copies of one frame.
_LONGEST_GAP = 600.0
# Time stamps are rounded: the end of the last frame, in frames, is not relied upon.
_TOLERANCE = 0.1


def read_video(
    path: str | os.PathLike,
    *,
    fps: float | None = FRAME_RATE,
    start: float | None = None,
    end: float | None = None,
    max_frames: int | None = None,
    num_threads: int | None = None,
) -> np.ndarray:
    """Reads a video file as RGB frames at a constant rate.

    Every 1/fps second the frame nearest in time is taken, so variable frame rates and
    any rate work. Rotation metadata is applied; audio is ignored; alpha is dropped;
    10-bit and grey video comes as 8-bit RGB.

    Args:
        path: a file of any format that FFmpeg reads (mp4, avi, mkv, webm, mov, GIF),
            or its address (s3://...; with the extra `io`).
        fps: frames a second of the result; None takes each frame of the file once,
            whatever the time until the next.
        start: second of the video to begin at.
        end: second of the video to stop before; by default its end.
        max_frames: stop after this many frames.
        num_threads: threads that decode; by default FFmpeg's choice.

    Returns:
        uint8 `(frames, height, width, 3)` in 0..255, at the video's own size.

    Raises:
        OSError: there is no such file, or it may not be read.
        ValueError: the file is not a video, has no frames in the wanted span, is
            broken or truncated (as far as its header tells), has more than ten minutes
            between two frames, or an argument is out of range.
    """
    frames = iter_video(
        path,
        fps=fps,
        start=start,
        end=end,
        max_frames=max_frames,
        num_threads=num_threads,
    )
    return np.stack(list(frames))


def iter_video(
    path: str | os.PathLike,
    *,
    fps: float | None = FRAME_RATE,
    start: float | None = None,
    end: float | None = None,
    max_frames: int | None = None,
    num_threads: int | None = None,
) -> Iterator[np.ndarray]:
    """Yields the frames of `read_video` one by one: for videos too large to hold.

    Args, Raises: as `read_video`.

    Yields:
        Read-only uint8 `(height, width, 3)` in 0..255; a frame that is wanted twice is
        the same array twice.
    """
    start = 0.0 if start is None else start
    end = math.inf if end is None else end
    _check_span(fps, start, end, max_frames)
    path = os.fspath(path)
    count = 0
    try:
        decoded = ffmpeg.timed_frames(path, start, num_threads)
        if fps is None:
            images = _as_stored(decoded, start, end)
        else:
            images = _at_rate(path, decoded, start, end, fps)
        for image in images:
            yield image
            count += 1
            if count == max_frames:
                return
    except (av.FFmpegError, OverflowError) as error:
        raise ValueError(
            f"{path}: FFmpeg cannot read this as a video: {error}"
        ) from error
    if count == 0:
        raise ValueError(f"{path}: has no video frames from second {start:g} on")


def count_frames(
    path: str | os.PathLike,
    *,
    fps: float | None = FRAME_RATE,
    start: float | None = None,
    end: float | None = None,
) -> int:
    """Counts the frames that `read_video` would give.

    From the duration that the file announces, without decoding; files that do not say,
    and all without `fps`, are decoded. A file that is broken may have fewer.

    Args, Raises: as `read_video`.

    Returns:
        Number of frames; 0 when the video ends before `start`.
    """
    span = (0.0 if start is None else start, math.inf if end is None else end)
    _check_span(fps, *span, None)
    duration = None if fps is None else ffmpeg.announced_duration(os.fspath(path))
    if duration is None:
        return sum(1 for _ in iter_video(path, fps=fps, start=start, end=end))
    last = min(span[1], duration - _TOLERANCE / fps)
    return max(0, math.ceil((last - span[0]) * fps - 1e-6))


def _as_stored(decoded, start, end):
    to_rgb = _RgbConverter()
    for frame, time, _ in decoded:
        if time >= end:
            return
        if time >= start:
            yield to_rgb(frame)


def _at_rate(path, decoded, start, end, fps):
    """Yields the image that is nearest at each tick."""
    to_rgb = _RgbConverter()
    count, wanted = 0, start
    for frame, until in _nearest(path, decoded, end, _TOLERANCE / fps):
        if wanted >= until:
            continue
        image = to_rgb(frame)
        while wanted < min(until, end):
            yield image
            count += 1
            wanted = start + count / fps


def _nearest(path, decoded, end, tolerance):
    """Yields each frame with the second up to which it is the nearest one."""
    previous, since, lasts = None, 0.0, 0.0
    for frame, time, duration in decoded:
        if previous is not None:
            time = max(time, since)  # Broken files go back in time.
            if time - since > _LONGEST_GAP:
                raise ValueError(
                    f"{path}: is broken: its time stamps jump from second {since:.2f} "
                    f"to {time:.2f}"
                )
            yield previous, (since + time) / 2
        previous, since, lasts = frame, time, duration
        if time >= end:
            break
    if previous is not None:
        # The last frame must not reach the next tick.
        yield previous, since + max(lasts - tolerance, lasts / 2)


class _RgbConverter:
    """Makes upright RGB images of frames, all of the first frame's size."""

    def __init__(self):
        # One for all frames: setting it up takes longer than converting a small frame.
        self._reformatter = VideoReformatter()
        self._size = None

    def __call__(self, frame):
        self._size = self._size or (frame.width, frame.height)
        rgb = self._reformatter.reformat(frame, *self._size, format="rgb24")
        image = np.rot90(rgb.to_ndarray(), round(frame.rotation / 90))
        image.flags.writeable = False
        return image


def _check_span(fps, start, end, max_frames):
    if fps is not None and not 0 < fps < math.inf:
        raise ValueError(f"fps must be greater than 0. Received: {fps}")
    if not 0 <= start < end or start == math.inf:
        raise ValueError(
            "start and end are seconds of the video with 0 <= start < end. "
            f"Received: start={start}, end={end}"
        )
    if max_frames is not None and max_frames < 1:
        raise ValueError(f"max_frames must be at least 1. Received: {max_frames}")
