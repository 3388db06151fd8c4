"""The two formats of PyTorch, written without PyTorch.

Both are a pickle with storages beside it.
"""

import collections
import contextlib
import io
import pickle
import struct
import sys
import types
import zipfile
from typing import NamedTuple

import numpy as np


class Window(NamedTuple):
    """A tensor of PyTorch: sizes and strides over an array of one axis."""

    array: np.ndarray
    size: tuple
    strides: tuple
    offset: int = 0

    @classmethod
    def of(cls, array):
        """Kept as it lies in memory: a transposed kernel has other strides."""
        order = sorted(range(array.ndim), key=lambda axis: -array.strides[axis])
        flat = array.transpose(order).reshape(-1)
        strides = tuple(step // array.itemsize for step in array.strides)
        return cls(flat, array.shape, strides)


def write_zip(tree, path):
    """Writes what `torch.save` does since PyTorch 1.6."""
    pickled, storages = _torch_pickle(tree, legacy=False)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickled)
        archive.writestr("archive/byteorder", "little")
        for key, value in storages.items():
            archive.writestr(f"archive/data/{key}", value.tobytes())
        archive.writestr("archive/version", "3\n")


def write_legacy(tree, path):
    """Writes what `torch.save` did before PyTorch 1.6."""
    pickled, storages = _torch_pickle(tree, legacy=True)
    system = {"protocol_version": 1001, "little_endian": True, "type_sizes": {}}
    with open(path, "wb") as file:
        for value in (0x1950A86A20F9469CFC6C, 1001, system):
            file.write(pickle.dumps(value, 2))
        file.write(pickled)
        file.write(pickle.dumps(sorted(storages), 2))
        for key in sorted(storages):
            value = storages[key]
            file.write(struct.pack("<q", value.size) + value.tobytes())


def _torch_pickle(tree, *, legacy):
    """The pickle of a tree of arrays as tensors, and the storages outside it."""
    storages = {}
    with _torch_names() as names:

        class Pickler(pickle._Pickler):
            """Writes arrays as PyTorch writes tensors."""

            def persistent_id(self, value):
                if not isinstance(value, names.Storage):
                    return None
                key, array = value
                storages[key] = array
                kind = names.types[array.dtype]
                view = (None,) if legacy else ()
                return ("storage", kind, key, "cpu", array.size, *view)

            def save(self, value, **kwargs):
                if isinstance(value, np.ndarray | np.generic):
                    value = Window.of(np.asarray(value))
                if isinstance(value, Window):
                    value = names.Tensor(value, str(len(storages)))
                super().save(value, **kwargs)

        stream = io.BytesIO()
        Pickler(stream, 2).dump(tree)
    return stream.getvalue(), storages


@contextlib.contextmanager
def _torch_names():
    """Stands in for the few names of PyTorch that a pickle of tensors has."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")

    def _rebuild_tensor_v2():
        pass

    _rebuild_tensor_v2.__module__ = "torch._utils"
    _rebuild_tensor_v2.__qualname__ = "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = _rebuild_tensor_v2
    by_dtype = {"float32": "FloatStorage", "int64": "LongStorage"}
    by_dtype["float16"] = "HalfStorage"
    kinds = {}
    for dtype, name in by_dtype.items():
        kinds[np.dtype(dtype)] = type(name, (), {"__module__": "torch"})
        setattr(torch, name, kinds[np.dtype(dtype)])

    class Storage(tuple):
        """Key and array of a storage."""

    class Tensor:
        """A window that is pickled as a tensor."""

        def __init__(self, window, key):
            self.window, self.key = window, key

        def __reduce__(self):
            array, size, strides, offset = self.window
            storage = Storage((self.key, array))
            hooks = collections.OrderedDict()
            return _rebuild_tensor_v2, (storage, offset, size, strides, False, hooks)

    saved = {name: sys.modules.get(name) for name in ("torch", "torch._utils")}
    sys.modules |= {"torch": torch, "torch._utils": utils}
    try:
        yield types.SimpleNamespace(types=kinds, Storage=Storage, Tensor=Tensor)
    finally:
        for name, module in saved.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module
