"""Folders of images, the frames of one video each, as many datasets hold them."""

import io
import os
import re
from collections.abc import Iterator
from typing import NamedTuple

import av

from ..arguments import suggest_arguments
from ..utils import files
from .damage import Damage
from .decoding import MAX_PIXELS, TimedFrame

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp")
# How whole files end; FFmpeg decodes the rest of a truncated one as grey.
_ENDS = {b"\x89PNG": b"IEND", b"\xff\xd8\xff": b"\xff\xd9"}
_TAIL = 64  # Some cameras pad their files.


@suggest_arguments
class ImageFolder(NamedTuple):
    """A folder of images that are the frames of a video.

    Frames are in natural order of their names: `2.png` before `10.png`.

    Attributes:
        path: the folder, local or an address.
        fps: frames per second.

    Examples:
        >>> read_video(ImageFolder("clips/0001", fps=12)).shape
        (250, 240, 320, 3)
    """

    path: str | os.PathLike
    fps: float = 25.0

    def images(self) -> list[str]:
        """Paths of the images, in order.

        Raises:
            OSError: the folder does not exist, may not be listed, or has no images.
            ValueError: `fps` is not positive.
        """
        if not 0 < self.fps < float("inf"):
            raise ValueError(f"fps must be greater than 0. Received: {self.fps}")
        found = [
            path
            for path in files.matching(files.join(self.path, "*"))
            if path.lower().endswith(IMAGE_SUFFIXES)
        ]
        if not found:
            raise IsADirectoryError(
                f"{os.fspath(self.path)}: is a folder without images, not a video; "
                f"expected files with one of {' '.join(IMAGE_SUFFIXES)}"
            )
        return sorted(found, key=_natural)

    def timed_frames(self, start: float, damage: Damage) -> Iterator[TimedFrame]:
        """Decodes the images from a second on.

        Args:
            start: second from which frames are wanted; one before it may come.
            damage: is filled in as images are decoded: truncated ones are damaged,
                unreadable ones are missing.

        Yields:
            Frames in order.

        Raises:
            OSError: an image may not be read.
            ValueError: images differ in size.
        """
        images = self.images()
        first, size = max(0, int(start * self.fps) - 1), None
        for index, path in enumerate(images[first:], first):
            with files.open_file(path, "rb") as file:
                content = file.read()
            damage.seconds = damage.announced = (index + 1) / self.fps
            image = _decode(content)
            if image is None:
                damage.missing += 1
                continue
            size = size or (image.width, image.height, path)
            if size[:2] != (image.width, image.height):
                raise ValueError(
                    f"{path}: is {image.width}x{image.height} pixels, and {size[2]} is "
                    f"{size[0]}x{size[1]}; the frames of a video have one size"
                )
            damage.decoded += 1
            damage.damaged += not _is_whole(content)
            yield TimedFrame(image, index / self.fps, 1 / self.fps, 1.0)


def _natural(path):
    """Sorts by numbers in names: "frame2" before "frame10"."""
    parts = re.split(r"(\d+)", path.rpartition("/")[2])
    return [int(p) if i % 2 else p for i, p in enumerate(parts)], path


def _decode(content):
    """The image, or None if it cannot be decoded."""
    try:
        with av.open(io.BytesIO(content)) as container:
            (stream, *_) = container.streams.video
            stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
            return next(container.decode(stream), None)
    except av.MemoryError as error:
        raise MemoryError("out of memory while decoding an image") from error
    except (av.FFmpegError, ValueError, AttributeError):  # No stream, or no codec.
        return None


def _is_whole(content):
    ends = [end for begin, end in _ENDS.items() if content.startswith(begin)]
    return not ends or ends[0] in content[-_TAIL:]
