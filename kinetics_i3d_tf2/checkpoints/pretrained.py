"""Weights by name or path, whatever their format."""

import difflib
import os
from pathlib import Path

from ..utils import files
from . import released
from .checkpoint import Checkpoint
from .file_formats.tensor_bundle import find_prefix
from .importing import import_weights

# A link to checkpoints/ of the checkout; in an installation a folder, which holds the
# demonstration weights alone. Each of its demo_* is known by name.
_DEMONSTRATION = Path(__file__).with_name("demonstration")


def demonstration_names() -> tuple[str, ...]:
    """Names of the demonstration weights: "demo_flow", "demo_rgb"."""
    return tuple(sorted(path.name for path in _DEMONSTRATION.glob("demo_*")))


def absolute(weights: str | os.PathLike) -> str:
    """Names weights so that processes in other working folders find them.

    Args:
        weights: as of `open_weights`.

    Returns:
        Names and addresses as they are; of a path, the absolute one.
    """
    if weights in (*released.CHECKPOINTS, *demonstration_names()):
        return weights
    return files.absolute(weights)


def locate(weights: str | os.PathLike) -> str | os.PathLike:
    """Finds named weights; downloads released ones that are absent.

    Args:
        weights: name of a released checkpoint or of demonstration weights, or a path.

    Returns:
        The path of a checkpoint if it is a name; or else what was given.

    Raises:
        OSError: a released checkpoint cannot be downloaded.
    """
    if weights in released.CHECKPOINTS:
        return _fetch(weights)
    if weights in demonstration_names():
        return _DEMONSTRATION / weights
    return weights


def open_weights(weights: str | os.PathLike) -> Checkpoint:
    """Opens weights of any source as a checkpoint.

    Args:
        weights: name of a released checkpoint, downloaded into `checkpoints/` of the
            current folder if it is absent; or of demonstration weights ("demo_rgb"),
            which are installed with this package; or the path of a checkpoint, or of
            any file that `import_weights` reads. "./rgb_imagenet" is a path.

    Returns:
        The checkpoint. The files of an imported one are temporary, as of
        `import_weights`.

    Raises:
        OSError: there is no such file, or it cannot be downloaded.
        ValueError: it is corrupt, or of another model.

    Examples:
        >>> open_weights("rgb_imagenet").num_classes
        400
    """
    path = locate(weights)
    if path != weights:
        return Checkpoint(path)
    if not _is_checkpoint(weights):
        if not files.exists(weights):
            raise FileNotFoundError(
                f"{files.redact(weights)}: there is {_none(weights)}"
            )
        return import_weights(weights)
    checkpoint = Checkpoint(weights)
    try:
        checkpoint.contents  # noqa: B018 (it raises)
    except ValueError:
        return import_weights(weights)  # It may be of another implementation.
    return checkpoint


def _fetch(name):
    try:
        return released.fetch(name)
    except released.DownloadError as error:
        if name != "rgb_imagenet":
            raise
        raise released.DownloadError(
            f"{error}. rgb_scratch (trained on Kinetics alone, 68.4% top-1) is also on "
            "the package index"
        ) from error


def _is_checkpoint(path):
    try:
        return files.exists(files.add_suffix(find_prefix(path), ".index"))
    except OSError:
        return False  # A folder with no checkpoint, or several.


def _none(path):
    names = (*released.CHECKPOINTS, *demonstration_names())
    near = difflib.get_close_matches(os.path.basename(path), names, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return (
        f"no such file, checkpoint, or released checkpoint ({', '.join(names)}){hint}"
    )
