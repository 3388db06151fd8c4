"""`tf.io.gfile` as an fsspec file system, for schemes that only tensorflow-io has."""

import contextlib
import importlib.util
import os
from collections.abc import Iterator

import tensorflow as tf
from fsspec import AbstractFileSystem


class GFileSystem(AbstractFileSystem):
    """Files that TensorFlow's file systems open.

    Args:
        scheme: of the addresses, such as "viewfs".
    """

    def __init__(self, scheme: str, **options):
        super().__init__(scheme=scheme, **options)
        self._scheme = scheme

    def ls(self, path, detail=True, **kwargs):
        """Content of a folder, or the file itself."""
        with _os_errors():
            if not tf.io.gfile.isdir(path):
                found = [self.info(path)]
            else:
                folder = path.rstrip("/")
                names = tf.io.gfile.listdir(f"{folder}/")
                found = [self.info(f"{folder}/{name.rstrip('/')}") for name in names]
        return found if detail else [each["name"] for each in found]

    def info(self, path, **kwargs):
        """Name, size, type and time of change of a file or folder."""
        with _os_errors():
            found = tf.io.gfile.stat(path)
        kind = "directory" if found.is_directory else "file"
        return {
            "name": path,
            "size": found.length,
            "type": kind,
            "mtime": found.mtime_nsec,
        }

    def cat_file(self, path, start=None, end=None, **kwargs):
        """The content, or the bytes from `start` to `end`."""
        with _os_errors(), tf.io.gfile.GFile(path, "rb") as file:
            file.seek(start or 0)
            return file.read(-1 if end is None else end - (start or 0))

    def get_file(self, rpath, lpath, **kwargs):
        """Copies a file to this machine."""
        with _os_errors():
            tf.io.gfile.copy(rpath, os.fspath(lpath), overwrite=True)

    def put_file(self, lpath, rpath, **kwargs):
        """Copies a file of this machine."""
        with _os_errors():
            tf.io.gfile.copy(os.fspath(lpath), rpath, overwrite=True)

    def mv(self, path1, path2, **kwargs):
        """Renames a file."""
        with _os_errors():
            tf.io.gfile.rename(path1, path2, overwrite=True)

    def rm_file(self, path):
        """Deletes a file."""
        with _os_errors():
            tf.io.gfile.remove(path)

    def makedirs(self, path, exist_ok=False):
        """Makes a folder and those above it."""
        with _os_errors():
            tf.io.gfile.makedirs(path)

    @classmethod
    def _strip_protocol(cls, path):
        return os.fspath(path)  # TensorFlow takes whole addresses.


def registered(scheme: str) -> bool:
    """Whether TensorFlow opens addresses of a scheme, by itself or by tensorflow-io.

    Raises:
        ImportError: tensorflow-io is installed, and does not work with this TensorFlow.
    """
    if scheme in tf.io.gfile.get_registered_schemes():
        return True
    if importlib.util.find_spec("tensorflow_io") is None:
        return False
    try:
        import tensorflow_io  # noqa: F401 (it registers file systems)
    except Exception as error:  # With another TensorFlow it fails in many ways.
        raise ImportError(
            f"tensorflow-io does not work with TensorFlow {tf.__version__}"
        ) from error
    return scheme in tf.io.gfile.get_registered_schemes()


@contextlib.contextmanager
def _os_errors() -> Iterator[None]:
    """Turns TensorFlow's errors into the OSErrors of other file systems."""
    try:
        yield
    except tf.errors.NotFoundError as error:
        raise FileNotFoundError(error.message) from error
    except tf.errors.PermissionDeniedError as error:
        raise PermissionError(error.message) from error
    except tf.errors.UnimplementedError as error:
        raise NotImplementedError(error.message) from error
    except tf.errors.OpError as error:
        raise OSError(error.message) from error
