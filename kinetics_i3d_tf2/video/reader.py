"""Decode any video to RGB frames at a constant rate, with PyAV's FFmpeg."""

import math
import os
from collections.abc import Callable, Iterable, Iterator

import av
import numpy as np

from ..arguments import suggest_arguments
from ..utils import files
from . import ffmpeg
from .arrays import stack
from .damage import MAX_DAMAGED_FRAMES, Damage, report
from .decoding import announced_duration, timed_frames
from .image_folder import ImageFolder
from .sampling import TOLERANCE, as_stored, at_rate, num_ticks

# What a video can be read from.
Source = ffmpeg.Source | ImageFolder

FRAME_RATE = 25.0
# Frames that are read without a limit take no more than this: a process of 4 GiB lives.
MAX_BYTES = 3 << 30


@suggest_arguments
def read_video(
    source: Source,
    *,
    fps: float | None = FRAME_RATE,
    start: float | None = None,
    end: float | None = None,
    max_frames: int | None = None,
    max_bytes: int = MAX_BYTES,
    **options,
) -> np.ndarray:
    """Reads a video as RGB frames at a constant rate.

    Every 1/fps second the frame nearest in time is taken, so variable frame rates and
    any rate work. Rotation and mirroring metadata are applied; pixels come out square
    (DV and DVD store them narrow or wide); audio is ignored; alpha is dropped; 10-bit
    and grey video comes as 8-bit RGB. Of several video streams the default one is read.

    Args:
        source: a file of any format that FFmpeg reads (mp4, avi, mkv, webm, mov, GIF),
            its address (s3://...), "-" for standard input, the file's content as
            bytes, or a binary file object; or a folder of images, its frames at 25 per
            second, or at another rate as `ImageFolder(path, fps=12)`.
        fps: frames a second of the result; None takes each frame of the file once,
            whatever the time until the next.
        start: second of the video to begin at.
        end: second of the video to stop before; by default its end.
        max_frames: stop after this many frames.
        max_bytes: size in bytes above which a result without `max_frames` is refused.
        options: `num_threads`, `max_damaged_frames` and `on_damage` of `iter_video`.

    Returns:
        uint8 `(frames, height, width, 3)` in 0..255, at the video's own size.

    Raises:
        OSError: there is no such file, or it may not be read.
        ValueError: the file is not a video, has no frames in the wanted span, is
            damaged or truncated beyond `max_damaged_frames`, is larger than
            `max_bytes`, has more than ten minutes between two frames, or an argument is
            out of range.
        MemoryError: memory ran out.
    """
    images = iter_video(
        source, fps=fps, start=start, end=end, max_frames=max_frames, **options
    )
    if max_frames is None:
        images = limited(images, name_of(source), max_bytes)
    return stack(images)


@suggest_arguments
def iter_video(
    source: Source,
    *,
    fps: float | None = FRAME_RATE,
    start: float | None = None,
    end: float | None = None,
    max_frames: int | None = None,
    num_threads: int | None = None,
    max_damaged_frames: float = MAX_DAMAGED_FRAMES,
    on_damage: Callable[[Damage], None] | None = None,
) -> Iterator[np.ndarray]:
    """Yields the frames of `read_video` one by one: for videos too large to hold.

    Args:
        source: as of `read_video`, and so are `fps`, `start`, `end` and `max_frames`.
        fps: frames a second.
        start: second to begin at.
        end: second to stop before.
        max_frames: stop after this many frames.
        num_threads: threads that decode; by default one for each processor.
        max_damaged_frames: share of the frames, 0 to 1, that may be damaged or missing;
            above it reading ends with an error, below it with one warning.
        on_damage: gets the counts of damaged and missing frames instead of a warning.

    Yields:
        Read-only uint8 `(height, width, 3)` in 0..255; a frame that is wanted twice is
        the same array twice.

    Raises:
        OSError: as of `read_video`, and so are the others.
        ValueError: after the last frame, if too many are damaged or missing.
        MemoryError: memory ran out.
    """
    start = 0.0 if start is None else start
    end = math.inf if end is None else end
    _check_span(fps, start, end, max_frames)
    source = with_folder(source)
    name, damage, count = name_of(source), Damage(), 0
    try:
        if isinstance(source, ImageFolder):
            decoded = source.timed_frames(start, damage)
        else:
            decoded = timed_frames(source, start, num_threads, damage)
        if fps is None:
            images = as_stored(decoded, start, end)
        else:
            images = at_rate(name, decoded, start, end, fps)
        for image in images:
            yield image
            count += 1
            if count == max_frames:
                break
    except (av.FFmpegError, OverflowError) as error:
        raise ValueError(
            f"{name}: FFmpeg cannot read this as a video: {error}"
        ) from error
    report(damage, name, max_damaged_frames=max_damaged_frames, on_damage=on_damage)
    if count == 0:
        raise ValueError(f"{name}: has no video frames from second {start:g} on")


def count_frames(
    source: Source,
    *,
    fps: float | None = FRAME_RATE,
    start: float | None = None,
    end: float | None = None,
) -> int:
    """Counts the frames that `read_video` would give.

    From the duration that the header announces, without decoding; files that do not
    say, those whose parts may have been joined (MPEG program and transport streams),
    and all without `fps`, are decoded. A file that is broken may have fewer.

    Args:
        source: as of `read_video`, and so are the others.
        fps: frames a second.
        start: second to begin at.
        end: second to stop before.

    Returns:
        Number of frames; 0 when the video ends before `start`.

    Raises:
        OSError: there is no such file, or it may not be read.
        ValueError: it is not a video, cannot be read twice, or an argument is out of
            range.
    """
    span = (0.0 if start is None else start, math.inf if end is None else end)
    _check_span(fps, *span, None)
    source = with_folder(source)
    if isinstance(source, ImageFolder):
        return _count_images(source, fps, *span)
    if not ffmpeg.can_rewind(source):
        raise ValueError(
            f"{name_of(source)}: can be read only once, so its frames cannot be "
            "counted before; save it to a file, or pass it as standard input (-)"
        )
    duration = None if fps is None else announced_duration(source)
    if duration is None:
        images = iter_video(
            source, fps=fps, start=start, end=end, on_damage=lambda damage: None
        )
        return sum(1 for _ in images)
    last = min(span[1], duration - TOLERANCE / fps)
    return max(0, math.ceil((last - span[0]) * fps - 1e-6))


def with_folder(source: Source, image_fps: float = FRAME_RATE) -> Source:
    """The source; the path of a local folder as its images.

    Args:
        source: as of `read_video`.
        image_fps: frames per second of images.
    """
    is_path = isinstance(source, str | os.PathLike) and not ffmpeg.is_stdin(source)
    if not is_path or files.is_address(source) or not os.path.isdir(source):
        return source
    return ImageFolder(source, image_fps)


def name_of(source: Source) -> str:
    """The name of a source in messages."""
    is_folder = isinstance(source, ImageFolder)
    return os.fspath(source.path) if is_folder else ffmpeg.name_of(source)


def limited(
    images: Iterable[np.ndarray], name: str, max_bytes: int
) -> Iterator[np.ndarray]:
    """Passes images on until they are too many to hold.

    Args:
        images: the frames of a video.
        name: the video's, for errors.
        max_bytes: size in bytes of all images, at most.

    Yields:
        The images.

    Raises:
        ValueError: there are more.
    """
    for count, image in enumerate(images, 1):
        if count * image.nbytes > max_bytes:
            raise ValueError(
                f"{name}: has more than {max_bytes >> 20} MiB of frames "
                f"({count} of {image.shape[1]}x{image.shape[0]} pixels so far). Set "
                "max_frames or end, raise max_bytes, or take one frame at a time with "
                "iter_video"
            )
        yield image


def _count_images(folder, fps, start, end):
    count = len(folder.images())
    if fps is None:
        return sum(start <= index / folder.fps < end for index in range(count))
    return num_ticks(count, folder.fps, fps, start=start, end=end)


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
