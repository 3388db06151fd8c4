"""TensorFlow checkpoints, SavedModels and TF-Hub modules."""

import os
import re
from pathlib import Path

from ...utils import file_system
from ..file_formats.tensor_bundle import BundleReader
from .stored import Stored

_VARIABLES = "variables/variables"
_OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"
_PARTS = re.compile(r"\.(index|data-\d{5}-of-\d{5})$")


def find_bundle(path: str | os.PathLike) -> Path | None:
    """Finds the checkpoint at a path.

    Args:
        path: prefix or file of a checkpoint, or the folder of a checkpoint, SavedModel
            or TF-Hub module.

    Returns:
        Its prefix, or None.
    """
    path = Path(file_system.follow(path))
    if not path.is_dir():
        prefix = Path(_PARTS.sub("", os.fspath(path)))
        is_part = prefix != path or not path.exists()
        return prefix if is_part and _index(prefix).exists() else None
    for prefix in (path / _VARIABLES, path / "model.ckpt"):
        if _index(prefix).exists():
            return prefix
    found = sorted(path.glob("*.index"))
    return found[0].with_suffix("") if len(found) == 1 else None


def read_bundle(prefix: str | os.PathLike) -> dict[str, Stored]:
    """Lists the tensors in a checkpoint.

    Args:
        prefix: prefix of the checkpoint.

    Returns:
        Tensors by variable name, which object-based checkpoints of TensorFlow 2 store
        in their object graph.

    Raises:
        OSError: a file is missing.
        ValueError: it is truncated or corrupt.
    """
    reader = BundleReader(prefix)
    names = {}
    entries = reader.entries()
    if any(name == _OBJECT_GRAPH for name, *_ in entries):
        names = _full_names(reader.read(_OBJECT_GRAPH))
    return {
        names.get(name, name): Stored(shape, dtype, lambda name=name: reader.read(name))
        for name, shape, dtype in entries
        if name != _OBJECT_GRAPH
    }


def _full_names(serialized):
    """Names of the variables in an object-based checkpoint, by key."""
    from google.protobuf.message import DecodeError
    from tensorflow.core.protobuf import trackable_object_graph_pb2

    graph = trackable_object_graph_pb2.TrackableObjectGraph()
    try:
        graph.ParseFromString(serialized)
    except DecodeError as error:
        raise ValueError("is corrupt, in its object graph") from error
    return {
        attribute.checkpoint_key: attribute.full_name
        for node in graph.nodes
        for attribute in node.attributes
        if attribute.full_name
    }


def _index(prefix):
    return prefix.with_name(prefix.name + ".index")
