"""Video containers as FFmpeg opens them: the film in a file, and its header."""

import contextlib
import io
import os
import re
import stat
from collections.abc import Iterator
from typing import BinaryIO

import av
from av.stream import Disposition

from ..utils import files
from .ends import check
from .ends.ending import Ending
from .packets.tally import Tally
from .rewindable import RewindableStream, standard_input

# What a video can be read from: a path or address, "-" for standard input, the content
# itself, or a binary file object.
Source = str | os.PathLike | bytes | BinaryIO

# Formats whose duration counts from 0, wherever their video begins.
_FROM_ZERO = ("matroska", "flv", "asf")
# Lists of other files and addresses, and scripts: a video leads to no other file.
_INDIRECT = {"concat", "dash", "hls", "imf", "rtp", "rtsp", "sdp", "sap", "lavfi"}
_INDIRECT |= {"avisynth", "vapoursynth", "webm_dash_manifest"}
_FORMATS = ",".join(sorted(av.formats_available - _INDIRECT))
_STDIN = "-"


@contextlib.contextmanager
def open_video(source: Source) -> Iterator[tuple[av.container.InputContainer, object]]:
    """Opens a video and picks its film.

    Args:
        source: path, address, "-" for standard input, bytes, or binary file object.

    Yields:
        The container and its video stream.

    Raises:
        OSError: there is no such file, or it may not be read.
        ValueError: it has no video that FFmpeg can decode.
    """
    with contextlib.ExitStack() as stack:
        container = _open_container(source, stack)
        stream = _film(container)
        # FFmpeg renders plain text as a terminal's screen.
        if container.format.name == "tty" or stream is None:
            raise ValueError(f"{name_of(source)}: has no video in it")
        if stream.codec_context is None:
            raise ValueError(
                f"{name_of(source)}: its video is in a codec unknown to FFmpeg"
            )
        yield container, stream


def name_of(source: Source) -> str:
    """The name of a source in messages."""
    if isinstance(source, bytes):
        return "the video in memory"
    if isinstance(source, str | os.PathLike):
        return "standard input" if is_stdin(source) else files.redact(source)
    name = getattr(source, "name", None)
    return name if isinstance(name, str) else "the video's file object"


def is_stdin(source: Source) -> bool:
    """Whether a source is standard input, written "-" as FFmpeg writes it."""
    return isinstance(source, str) and source == _STDIN


def can_rewind(source: Source) -> bool:
    """Whether a source can be read a second time, or from the middle."""
    if isinstance(source, bytes):
        return True
    if isinstance(source, str | os.PathLike):
        if is_stdin(source):
            return True
        return files.is_address(source) or not is_pipe(source)
    return source.seekable()


def is_pipe(path: str | os.PathLike) -> bool:
    """Whether a local path is a FIFO, a socket or a device, not a regular file."""
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def announced_seconds(container, stream) -> float | None:
    """Length of the film in seconds, as the header announces it.

    From its first frame to the end of its last; None where the file does not say.
    Broken files announce what is not true.
    """
    if container.format.name == "gif":
        return None  # FFmpeg counts the frames that are there.
    end = _announced_end(container, stream)
    if end is not None and container.format.name.startswith(_FROM_ZERO):
        end -= float((stream.start_time or 0) * stream.time_base)
    if container.format.name == "avi" and stream.frames and stream.average_rate:
        # FFmpeg scales an AVI's duration to the bytes that are there.
        end = max(end or 0.0, stream.frames / float(stream.average_rate))
    return end


def ending_of(source: Source, container, stream, decoded: int, tally: Tally) -> Ending:
    """How a video file ends; without a fault if it cannot be read a second time.

    Args:
        source: the video.
        container: the same video, open.
        stream: its film.
        decoded: frames that were decoded.
        tally: of its packets.
    """
    if not can_rewind(source):
        return Ending()
    with _reopened(source) as file:
        return check.ending_of(file, container, stream, decoded, tally)


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


def _film(container):
    """The default video stream, else FFmpeg's best; no cover pictures of music."""
    films = [
        stream
        for stream in container.streams.video
        if not stream.disposition & Disposition.attached_pic
    ]
    default = [film for film in films if film.disposition & Disposition.default]
    if len(default) == 1:
        return default[0]
    best = container.streams.best("video")
    return next((film for film in films if film is best), (films or [None])[0])


def _open_container(source, stack):
    try:
        container = av.open(
            _av_source(source, stack),
            options={"protocol_whitelist": "file", "format_whitelist": _FORMATS},
            metadata_errors="replace",  # Titles in other encodings are no failure.
        )
    except av.FFmpegError as error:  # Broken headers ask for all the memory, too.
        raise ValueError(
            f"{name_of(source)}: is not a video that FFmpeg can read ({error.strerror})"
        ) from error
    return stack.enter_context(container)


def _av_source(source, stack):
    if is_stdin(source):
        return standard_input()
    if isinstance(source, bytes):
        if not source:
            raise ValueError("the video in memory is empty: it has no bytes")
        return io.BytesIO(source)
    if not isinstance(source, str | os.PathLike):
        if not source.seekable():
            return stack.enter_context(contextlib.closing(RewindableStream(source)))
        source.seek(0)
        return source
    path = os.fspath(source)
    if files.is_address(path):
        file = stack.enter_context(files.open_file(path, "rb"))
        if file.seek(0, os.SEEK_END) == 0:
            raise ValueError(f"{name_of(path)}: is an empty file, not a video")
        file.seek(0)
        return file
    _check_file(path)
    if is_pipe(path):
        pipe = RewindableStream(stack.enter_context(open(path, "rb")))
        return stack.enter_context(contextlib.closing(pipe))
    return "file:" + os.path.abspath(path)  # "10:20.mp4" is no protocol.


@contextlib.contextmanager
def _reopened(source):
    if isinstance(source, bytes):
        yield io.BytesIO(source)
    elif is_stdin(source):
        yield standard_input().whole()
    elif isinstance(source, str | os.PathLike):
        with files.open_file(os.fspath(source), "rb") as file:
            yield file
    else:
        yield source


def _check_file(path):
    if not files.exists(path):
        raise FileNotFoundError(f"{path}: there is no such video file")
    if files.is_dir(path):
        raise IsADirectoryError(f"{path}: is a folder, not a video file")
    if is_pipe(path):
        return  # Opening it twice would lose its first bytes.
    files.open_file(path, "rb").close()  # Reports a file that may not be read.
    if files.size(path) == 0:
        raise ValueError(f"{path}: is an empty file, not a video")
