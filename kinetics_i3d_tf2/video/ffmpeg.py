"""A video file as FFmpeg sees it: opened with care, its frames with their times."""

import contextlib
import os
import re
from collections.abc import Iterator

import av
from av.stream import Disposition

from ..utils import files

# A seek lands on the key frame before; up to this many seconds it saves nothing.
_WORTH_SEEKING = 5.0
# Above any camera (16K is 133 million); broken headers ask for all the memory.
_MOST_PIXELS = 1 << 27
# Where neither the file nor its frames say how long a frame lasts.
_USUAL_RATE = 25.0


def timed_frames(
    path: str, start: float, num_threads: int | None = None
) -> Iterator[tuple[av.VideoFrame, float, float]]:
    """Decodes a video file from a second on.

    Args:
        path: local path or address.
        start: second from which frames are wanted; some before it may come.
        num_threads: threads that decode; by default FFmpeg's choice.

    Yields:
        Frame, its second from the beginning, and how many seconds it lasts.

    Raises:
        OSError: there is no such file, or it may not be read.
        ValueError: it is not a video, or is broken or truncated.
        av.FFmpegError: FFmpeg failed at some frame.
    """
    with _open(path) as container:
        stream = _video_streams(container)[0]
        if stream.codec_context is None:
            raise ValueError(f"{path}: its video is coded in a way unknown to FFmpeg")
        stream.thread_type = "AUTO"
        if num_threads is not None:
            stream.codec_context.thread_count = num_threads
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
        step = 1 / float(stream.average_rate or _USUAL_RATE)
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
                    yield from timed_frames(path, 0.0, num_threads)
                    return
                sought = False
            ticks = frame.duration  # None or 0 where the file does not say.
            duration = float(ticks * frame.time_base) if ticks else step
            yield frame, time, duration
        if sought:  # Nothing came: some files cannot be read from just any place.
            yield from timed_frames(path, 0.0, num_threads)
        else:
            _check_complete(path, container, stream, time + duration)


def announced_duration(path: str) -> float | None:
    """Seconds that a video file says it lasts, without decoding it.

    Args:
        path: local path or address.

    Returns:
        Seconds from its first frame to the end of its last; None where the file does
        not say. Broken files say what is not true.

    Raises:
        OSError: there is no such file, or it may not be read.
        ValueError: it is not a video.
    """
    with _open(path) as container:
        return _announced(container, _video_streams(container)[0])


@contextlib.contextmanager
def _open(path):
    with contextlib.ExitStack() as stack:
        container = _open_container(path, stack)
        # FFmpeg renders plain text as a terminal's screen.
        if container.format.name == "tty" or not _video_streams(container):
            raise ValueError(f"{path}: has no video in it")
        yield container


def _open_container(path, stack):
    _check_file(path)
    if files.is_address(path):
        source = stack.enter_context(files.open_file(path, "rb"))
    else:
        source = "file:" + os.path.abspath(path)  # "10:20.mp4" is no protocol.
    try:
        container = av.open(
            source,
            options={"protocol_whitelist": "file"},  # Playlists name other addresses.
            metadata_errors="replace",  # Titles in other encodings are no failure.
        )
    except av.FFmpegError as error:
        raise ValueError(
            f"{path}: is not a video that FFmpeg can read ({error.strerror})"
        ) from error
    return stack.enter_context(container)


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


def _announced(container, stream):
    duration = _announced_end(container, stream)
    if duration is None or "matroska" not in container.format.name:
        return duration
    # Matroska counts from 0, wherever the video begins.
    return duration - float((stream.start_time or 0) * stream.time_base)


def _announced_end(container, stream):
    if stream.duration is not None:
        return float(stream.duration * stream.time_base)
    if "DURATION" in stream.metadata:  # Matroska's: 00:01:02.340000000
        parts = re.fullmatch(r"(\d+):(\d+):([\d.]+)", stream.metadata["DURATION"])
        if parts:
            hours, minutes, seconds = map(float, parts.groups())
            return 3600 * hours + 60 * minutes + seconds
    elif container.duration is not None and len(container.streams) == 1:
        return container.duration / av.time_base
    return None


def _check_complete(path, container, stream, decoded):
    """Raises when much less was decoded than the file's header announces."""
    if container.format.name == "gif" and not _has_gif_trailer(path):
        raise ValueError(f"{path}: is truncated: the GIF has no end")
    announced = _announced(container, stream) or 0.0
    if decoded < 0.9 * announced - 2 / _USUAL_RATE:
        raise ValueError(
            f"{path}: is truncated: {decoded:.2f} of {announced:.2f} seconds are "
            "there; a span of those can still be read"
        )


def _has_gif_trailer(path):
    with files.open_file(path, "rb") as file:
        file.seek(max(0, files.size(path) - 64))
        return file.read().rstrip(b"\0\r\n").endswith(b";")


def _check_file(path):
    if not files.exists(path):
        raise FileNotFoundError(f"{path}: there is no such video file")
    if files.is_dir(path):
        raise IsADirectoryError(f"{path}: is a folder, not a video file")
    files.open_file(path, "rb").close()  # Says so when it may not be read.
    if files.size(path) == 0:
        raise ValueError(f"{path}: is an empty file, not a video")
