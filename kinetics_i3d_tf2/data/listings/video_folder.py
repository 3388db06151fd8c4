"""Videos below a folder: files, and folders of frames saved as images."""

import collections
import os
from collections.abc import Sequence
from typing import NamedTuple

from absl import logging

from ...utils import files, walk
from ...video.image_folder import IMAGE_SUFFIXES

VIDEO_SUFFIXES = (
    *(".264", ".265", ".3g2", ".3gp", ".amv", ".apng", ".asf", ".avi", ".divx", ".dv"),
    *(".f4v", ".flv", ".gif", ".gxf", ".h264", ".h265", ".hevc", ".ivf", ".m1v"),
    *(".m2t", ".m2ts", ".m2v", ".m4v", ".mj2", ".mjpeg", ".mjpg", ".mk3d", ".mkv"),
    *(".mov", ".mp4", ".mp4v", ".mpe", ".mpeg", ".mpg", ".mpv", ".mts", ".mxf"),
    *(".nut", ".ogm", ".ogv", ".qt", ".rm", ".rmvb", ".ts", ".vob", ".webm", ".wmv"),
    *(".wtv", ".y4m"),
)
_SHOWN = 3  # Kinds of other files, and folders, that a message names.


class VideoFolder(NamedTuple):
    """What lies below a folder.

    Attributes:
        videos: paths of the videos, in order of name: files with one of
            `VIDEO_SUFFIXES`, and folders that hold at least two images and no video.
        others: number of other files by suffix, in lower case.
        special: FIFOs, sockets, devices and broken links.
        unlisted: folders that may not be listed.
    """

    videos: list[str]
    others: collections.Counter
    special: list[str]
    unlisted: list[str]

    def left_out(self) -> str:
        """What is no video, in words: "3 other files (2 .txt, 1 .json)" or ""."""
        parts = []
        if self.others:
            kinds = [f"{n} {k or 'no suffix'}" for k, n in self.others.most_common()]
            shown = ", ".join(kinds[:_SHOWN]) + ", ..." * (len(kinds) > _SHOWN)
            parts.append(f"{self.others.total()} other files ({shown})")
        if self.special:
            parts.append(
                f"{len(self.special)} FIFOs, devices or broken links "
                f"({_some(self.special)})"
            )
        if self.unlisted:
            parts.append(
                f"{len(self.unlisted)} folders that may not be listed "
                f"({_some(self.unlisted)})"
            )
        return "; ".join(parts)


def list_videos(
    folder: str | os.PathLike, suffixes: Sequence[str] = VIDEO_SUFFIXES
) -> VideoFolder:
    """Lists the videos below a folder, at any depth, and what else there is.

    Args:
        folder: the folder, local or an address.
        suffixes: of the files to list, in lower case.

    Returns:
        The listing.

    Raises:
        OSError: the folder does not exist, or may not be listed.
    """
    if not files.is_dir(folder):
        raise FileNotFoundError(f"{folder}: there is no such folder of videos")
    below = walk.below(folder)
    videos, others = [], collections.Counter()
    images = collections.defaultdict(list)
    for path in below.files:
        lower = path.lower()
        if lower.endswith(tuple(suffixes)):
            videos.append(path)
        elif lower.endswith(IMAGE_SUFFIXES):
            images[os.path.dirname(path)].append(lower)
        else:
            others[os.path.splitext(lower)[1]] += 1
    with_videos = {above for path in videos for above in _folders_above(path)}
    for parent, found in images.items():
        if len(found) > 1 and parent not in with_videos:
            videos.append(parent)
        else:
            others.update(os.path.splitext(name)[1] for name in found)
    return VideoFolder(sorted(videos), others, below.special, below.unlisted)


def is_clip(folder: str | os.PathLike) -> bool:
    """Whether a folder is one clip: images and no videos or folders of images."""
    names = files.matching(files.join(folder, "*"))
    if sum(name.lower().endswith(IMAGE_SUFFIXES) for name in names) < 2:
        return False  # Without a look at the folders below.
    return list_videos(folder).videos == [os.fspath(folder).rstrip("/")]


def video_files(
    folder: str | os.PathLike, suffixes: Sequence[str] = VIDEO_SUFFIXES
) -> list[str]:
    """Paths of the videos below a folder, sorted; logs what else there is, in one line.

    Args:
        folder: as of `list_videos`.
        suffixes: as of `list_videos`.

    Raises:
        OSError: the folder does not exist, or may not be listed.
    """
    found = list_videos(folder, suffixes)
    if left_out := found.left_out():
        # What may have been a video is worth a warning, a note is not.
        log = logging.warning if found.special or found.unlisted else logging.info
        log(
            "%s: %d videos; left out: %s",
            os.fspath(folder), len(found.videos), left_out,
        )  # fmt: skip
    return found.videos


def _folders_above(path):
    while path != (path := os.path.dirname(path)):
        yield path


def _some(paths):
    return ", ".join(paths[:_SHOWN]) + ", ..." * (len(paths) > _SHOWN)
