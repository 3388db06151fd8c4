"""Decode any video file to RGB frames at a constant rate, with PyAV's FFmpeg."""

import math
import os
import re
from collections.abc import Iterator

import av
import numpy as np
from av.stream import Disposition

FRAME_RATE = 25.0

# A seek lands on the key frame before; up to this many seconds it saves nothing.
_WORTH_SEEKING = 5.0
# Longest time in seconds without a frame that is believed: slides in a recording stay
# long, but broken time stamps ask for hours of copies of one frame.
_LONGEST_GAP = 600.0
# Above any camera (16K is 133 million); broken headers ask for all the memory.
_MOST_PIXELS = 1 << 27


def read_video(
    path: str | os.PathLike,
    *,
    fps: float = FRAME_RATE,
    start: float | None = None,
    end: float | None = None,
    max_frames: int | None = None,
) -> np.ndarray:
    """Reads a video file as RGB frames at a constant rate.

    Every 1/fps second the frame nearest in time is taken, so variable frame rates and
    any rate work. Rotation metadata is applied; audio is ignored; alpha is dropped;
    10-bit and grey video comes as 8-bit RGB.

    Args:
        path: a file of any format that FFmpeg reads (mp4, avi, mkv, webm, mov, GIF).
        fps: frames a second of the result.
        start: second of the video to begin at.
        end: second of the video to stop before; by default its end.
        max_frames: stop after this many frames.

    Returns:
        uint8 `(frames, height, width, 3)` in 0..255, at the video's own size.

    Raises:
        OSError: there is no such file, or it may not be read.
        ValueError: the file is not a video, has no frames in the wanted span, is
            broken or truncated (as far as its header tells), has more than ten minutes
            between two frames, or an argument is out of range.
    """
    return np.stack(
        list(iter_video(path, fps=fps, start=start, end=end, max_frames=max_frames))
    )


def iter_video(
    path: str | os.PathLike,
    *,
    fps: float = FRAME_RATE,
    start: float | None = None,
    end: float | None = None,
    max_frames: int | None = None,
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
    _check_file(path)
    count, wanted = 0, start
    size = None
    try:
        for frame, until in _nearest(path, start, end, tolerance=0.1 / fps):
            if wanted >= until:
                continue
            image = _to_rgb(frame, size)
            size = size or (frame.width, frame.height)
            while wanted < min(until, end):
                yield image
                count += 1
                wanted = start + count / fps
                if count == max_frames:
                    return
    except (av.FFmpegError, OverflowError) as error:
        raise ValueError(
            f"{path}: FFmpeg cannot read this as a video: {error}"
        ) from error
    if count == 0:
        raise ValueError(f"{path}: has no video frames from second {start:g} on")


def _nearest(path, start, end, tolerance):
    """Yields each frame with the second up to which it is the nearest one."""
    previous, since, lasts = None, 0.0, 0.0
    for frame, time, duration in _decode(path, start):
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
        # Time stamps are rounded, so the last frame must not reach the next tick.
        yield previous, since + max(lasts - tolerance, lasts / 2)


def _decode(path, start):
    """Yields (frame, its second from the beginning, its duration) from `start` on."""
    with _open(path) as container:
        stream = _video_streams(container)[0]
        if stream.codec_context is None:
            raise ValueError(f"{path}: its video is coded in a way unknown to FFmpeg")
        stream.thread_type = "AUTO"
        stream.codec_context.options = {"max_pixels": str(_MOST_PIXELS)}
        # AVI stores no presentation times, and FFmpeg's guess is wrong with B-frames;
        # decoding times are evenly spaced and only shifted.
        is_avi = container.format.name == "avi"
        origin = None
        if stream.start_time is not None and not is_avi:
            origin = float(stream.start_time * stream.time_base)
        sought = start > _WORTH_SEEKING and origin is not None
        if sought:
            container.seek(int((start + origin) / stream.time_base), stream=stream)
        step = 1 / float(stream.average_rate or FRAME_RATE)
        time, duration = -step, step
        for frame in _frames(path, container, stream):
            ticks = frame.dts if is_avi else frame.pts
            if ticks is None:
                time += step
            else:
                stamp = float(ticks * frame.time_base)
                origin = stamp if origin is None else origin
                time = stamp - origin
            if sought:
                if time > start:
                    # The index of this file is wrong: read it from its beginning.
                    yield from _decode(path, 0.0)
                    return
                sought = False
            ticks = frame.duration  # None or 0 where the file does not say.
            duration = float(ticks * frame.time_base) if ticks else step
            yield frame, time, duration
        if sought:  # Nothing came: some files cannot be read from just any place.
            yield from _decode(path, 0.0)
        else:
            _check_complete(path, container, stream, time + duration)


def _open(path):
    try:
        container = av.open(
            "file:" + os.path.abspath(path),  # "10:20.mp4" is no protocol.
            options={"protocol_whitelist": "file"},  # Playlists name other addresses.
            metadata_errors="replace",  # Titles in other encodings are no failure.
        )
    except (av.FFmpegError, OSError) as error:
        raise ValueError(
            f"{path}: is not a video that FFmpeg can read ({error.strerror})"
        ) from error
    # FFmpeg renders plain text as a terminal's screen.
    if container.format.name == "tty" or not _video_streams(container):
        container.close()
        raise ValueError(f"{path}: has no video in it")
    return container


def _video_streams(container):
    """Its video streams, without the cover pictures of music files."""
    return [
        stream
        for stream in container.streams.video
        if not stream.disposition & Disposition.attached_pic
    ]


def _frames(path, container, stream):
    for packet in container.demux(stream):
        if packet.is_corrupt:
            raise ValueError(f"{path}: is broken or truncated at byte {packet.pos}")
        yield from packet.decode()


def _check_complete(path, container, stream, decoded):
    """Raises when much less was decoded than the file's header announces."""
    if container.format.name == "gif" and not _has_gif_trailer(path):
        raise ValueError(f"{path}: is truncated: the GIF has no end")
    announced = 0.0
    if stream.duration is not None:
        announced = float(stream.duration * stream.time_base)
    elif "DURATION" in stream.metadata:  # Matroska's: 00:01:02.340000000
        parts = re.fullmatch(r"(\d+):(\d+):([\d.]+)", stream.metadata["DURATION"])
        hours, minutes, seconds = map(float, parts.groups()) if parts else (0, 0, 0)
        announced = 3600 * hours + 60 * minutes + seconds
    elif container.duration is not None and len(container.streams) == 1:
        announced = container.duration / av.time_base
    if decoded < 0.9 * announced - 2 / FRAME_RATE:
        raise ValueError(
            f"{path}: is truncated: {decoded:.2f} of {announced:.2f} seconds are "
            "there; a span of those can still be read"
        )


def _has_gif_trailer(path):
    with open(path, "rb") as file:
        file.seek(max(0, os.path.getsize(path) - 64))
        return file.read().rstrip(b"\0\r\n").endswith(b";")


def _to_rgb(frame, size):
    """The frame upright, as RGB; `size` is the first frame's, which all take."""
    width, height = size or (frame.width, frame.height)
    image = frame.to_ndarray(format="rgb24", width=width, height=height)
    image = np.rot90(image, round(frame.rotation / 90))
    image.flags.writeable = False
    return image


def _check_span(fps, start, end, max_frames):
    if not 0 < fps < math.inf:
        raise ValueError(f"fps must be greater than 0. Received: {fps}")
    if not 0 <= start < end or start == math.inf:
        raise ValueError(
            "start and end are seconds of the video with 0 <= start < end. "
            f"Received: start={start}, end={end}"
        )
    if max_frames is not None and max_frames < 1:
        raise ValueError(f"max_frames must be at least 1. Received: {max_frames}")


def _check_file(path):
    if os.path.isdir(path):
        raise IsADirectoryError(f"{path}: is a folder, not a video file")
    if not os.path.exists(path):
        raise FileNotFoundError(f"{path}: there is no such video file")
    open(path, "rb").close()  # Says so when it may not be read.
    if os.path.getsize(path) == 0:
        raise ValueError(f"{path}: is an empty file, not a video")
