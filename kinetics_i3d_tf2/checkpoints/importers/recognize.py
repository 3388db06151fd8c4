"""Opens a file or folder of weights in the format that its content shows."""

import contextlib
import os
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from ...utils import files
from ..tensor_bundle import find_prefix
from . import hdf5, numpy_pickle, safetensors, tensorflow_files, torch_file
from .convert import Weights, convert
from .stored import Stored
from .unpickler import CodeInPickleError

_HEAD = 1 << 12

# What is saved by mistake under the name of a file of weights.
_NO_WEIGHTS = {
    b"version https://git-lfs": "a Git LFS pointer; run git lfs pull to get the file",
    b"<!doctype html": "a web page; the download needs another address",
    b"<html": "a web page; the download needs another address",
    b"\x1f\x8b": "an archive (gzip); unpack it, and import what is in it",
    b"BZh": "an archive (bzip2); unpack it, and import what is in it",
    b"\xfd7zXZ": "an archive (xz); unpack it, and import what is in it",
}


def read_weights(path: str | os.PathLike) -> Weights:
    """Reads the weights of an I3D from a file of any implementation.

    No code of the file is run, and neither PyTorch nor JAX is needed.

    Args:
        path: a `.pt` or `.pth` file of PyTorch, a pickle of JAX, an `.h5` or `.keras`
            file, `.safetensors`, a TensorFlow checkpoint (prefix, file or folder), the
            folder of a SavedModel or TF-Hub module. Its name does not matter.

    Returns:
        The weights, in the release's names.

    Raises:
        OSError: there is no such file, or it may not be read.
        CodeInPickleError: it holds objects or code; nothing of it was run.
        ValueError: the format is unknown, or the file is corrupt, or of another model.

    Example:
    >>> read_weights("rgb_imagenet.pt").num_classes
    400
    """
    with contextlib.ExitStack() as stack, _errors(path):
        if files.is_address(path):
            return convert(_open_remote(path, stack))
        return convert(_open(path, stack))


def _open_remote(path, stack) -> Mapping[str, Stored]:
    """The tensors behind an address; TensorFlow's files are not copied here."""
    if files.is_dir(path) or not files.exists(path):
        return tensorflow_files.read_bundle(find_prefix(path))
    copy = Path(stack.enter_context(tempfile.TemporaryDirectory()), "weights")
    files.copy_to_local(path, copy)
    return _open(copy, stack)


def _open(path, stack) -> Mapping[str, Stored]:
    """The tensors of a file, by its format."""
    bundle = tensorflow_files.find_bundle(path)
    if bundle is not None:
        return tensorflow_files.read_bundle(bundle)
    path = Path(path)
    if path.is_dir():
        raise ValueError(
            "in this folder is no TensorFlow checkpoint (model.ckpt.index) and no "
            f"SavedModel (variables/variables.index), but {_names(path.iterdir())}"
        )
    file = stack.enter_context(open(path, "rb"))
    head = file.read(_HEAD)
    file.seek(0)
    for start, what in _NO_WEIGHTS.items():
        if head[: len(start)].lower() == start.lower():
            raise ValueError(f"is {what}")
    if head.startswith(b"PK"):
        return _open_zip(stack.enter_context(zipfile.ZipFile(file)))
    if head.startswith(hdf5.SIGNATURE):
        return hdf5.read_hdf5(file)
    if torch_file.is_legacy(head):
        return torch_file.read_legacy(file)
    if head[:1] == b"\x80" and head[1:2] in b"\2\3\4\5":
        return numpy_pickle.read_numpy_pickle(file)
    if safetensors.is_safetensors(head):
        return safetensors.read_safetensors(file)
    raise ValueError(_no_format(head))


def _open_zip(archive):
    names = archive.namelist()
    if any(name.endswith("/data.pkl") for name in names):
        return torch_file.read_zip(archive)
    if hdf5.KERAS_WEIGHTS in names and hdf5.KERAS_CONFIG in names:
        return hdf5.read_keras(archive)
    raise ValueError(
        "is a zip archive, but neither of PyTorch (no data.pkl) nor of Keras (no "
        f"{hdf5.KERAS_WEIGHTS}); it holds {', '.join(names[:3]) or 'nothing'}"
    )


def _no_format(head):
    if not head:
        return "is empty"
    return (
        f"is of no known format; it begins with {head[:8]!r}. PyTorch and .keras files "
        "begin with b'PK', PyTorch's before 1.6 with a pickle of a magic number, "
        f"pickles of arrays with b'\\x80' and their protocol, HDF5 with "
        f"{hdf5.SIGNATURE!r}, safetensors with the length of their header, and a "
        "TensorFlow checkpoint has an .index file"
    )


@contextlib.contextmanager
def _errors(path) -> Iterator[None]:
    """Turns the errors of reading a damaged file into a ValueError with its name."""
    try:
        yield
    except CodeInPickleError as error:
        raise CodeInPickleError(
            f"{path}: was not loaded, as {error}. Only arrays are read: save the "
            "weights alone, torch.save(model.state_dict(), ...)"
        ) from error
    except (FileNotFoundError, PermissionError):
        raise
    except (OSError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from error
    except (
        zipfile.BadZipFile,
        zlib.error,
        struct.error,
        ArithmeticError,
        EOFError,
        LookupError,
        MemoryError,
        NotImplementedError,
        RuntimeError,
        TypeError,
    ) as error:
        raise ValueError(f"{path}: is truncated or corrupt: {error}") from error


def _names(paths):
    names = sorted(path.name for path in paths)
    return ", ".join(names[:5]) + (", ..." if len(names) > 5 else "") or "nothing"
