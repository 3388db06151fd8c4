"""Pickles that hold more than arrays: named, and never run."""

import collections
import io
import pickle
import zipfile

import numpy as np
import pytest
import pytorch_format

from kinetics_i3d_tf2.checkpoints.importers.numpy_pickle import read_numpy_pickle
from kinetics_i3d_tf2.checkpoints.importers.pickle_machine import CodeInPickleError
from kinetics_i3d_tf2.checkpoints.importers.recognize import read_weights


class Evil:
    """Makes a file when it is unpickled."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


DEEP = b")" + b"\x85" * 300_000  # a tuple in a tuple in a tuple


def of(tree, protocol=4):
    return io.BytesIO(pickle.dumps(tree, protocol))


@pytest.mark.parametrize("protocol", range(2, 6))
@pytest.mark.parametrize("dtype", ["f2", "f4", ">f4", "f8", "i8", "u1", "?"])
def test_arrays_of_every_protocol(protocol, dtype):
    array = np.arange(6).reshape(2, 3).astype(dtype)
    tree = {"a": array, "b": [array.T, np.float32(2)], "c": np.zeros((0, 3))}
    found = read_numpy_pickle(of(tree, protocol))
    np.testing.assert_array_equal(found["a"].read(), array)
    np.testing.assert_array_equal(found["b/0"].read(), array.T)
    assert found["a"].shape == (2, 3)
    assert found["c"].shape == (0, 3)


def test_containers_that_trainings_save():
    tree = collections.OrderedDict(
        state=collections.defaultdict(dict, a=np.ones(2)),
        milestones=collections.Counter([3, 3]),
    )
    assert list(read_numpy_pickle(of(tree, 2))) == ["state/a"]


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (open, r"(io|_io)\.open"),
        (eval, r"builtins\.eval"),
        (exec, r"builtins\.exec"),
        (getattr, r"builtins\.getattr"),
        (np.load, r"numpy\.load"),
        (collections.namedtuple, r"collections\.namedtuple"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_code_is_refused_and_named(tmp_path, function, name):
    made = tmp_path / "made"
    path = tmp_path / "x.pkl"
    path.write_bytes(pickle.dumps({"a": Evil(function, str(made), "w")}))
    with pytest.raises(CodeInPickleError, match=f"x.pkl: .*the pickle names {name}"):
        read_weights(path)
    assert not made.exists()


def test_code_in_a_file_of_pytorch(tmp_path):
    path = tmp_path / "x.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/data.pkl", pickle.dumps(Evil(open, str(tmp_path / "m"))))
    with pytest.raises(CodeInPickleError, match="names .*open.*model.state_dict"):
        read_weights(path)


def test_torchscript_is_refused(tmp_path):
    path = tmp_path / "x.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/data.pkl", pickle.dumps({}))
        archive.writestr("a/code/__torch__.py", "")
    with pytest.raises(CodeInPickleError, match="TorchScript program"):
        read_weights(path)


@pytest.mark.parametrize(
    "array",
    [np.array([1, "a"], object), np.zeros(2, "f4,i4"), np.array(["a"])],
    ids=["object", "structured", "text"],
)
def test_arrays_that_are_no_weights(array):
    with pytest.raises(ValueError, match="weights have no dtype"):
        read_numpy_pickle(of(array))


def test_an_array_needs_its_bytes():
    pickled = pickle.dumps(np.zeros(3, "f4"), 4)
    shape = pickle.dumps((3,), 4)[11:13]
    damaged = pickled.replace(shape + b"\x85", b"K\x09\x85")
    assert damaged != pickled
    with pytest.raises(ValueError, match="an array needs 36 bytes, and has 12"):
        read_numpy_pickle(io.BytesIO(damaged))


@pytest.mark.parametrize(
    "opcodes",
    [
        b"\x80\x02}r\xff\xff\xff\x7f.",  # memo entry 2**31
        b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x3f.",  # 2**62 bytes
        b"\x80\x05\x96\xff\xff\xff\xff\xff\x00\x00\x00.",  # a bytearray of 2**40
        b"\x80\x04\x8b\xff\xff\xff\x7f1.",  # an integer of 2**31 bytes
        b"\x80\x04" + b"]" + b"2" * 1000,  # an opcode that arrays do not need
        b"\x80\x04}\x94(h\x00K\x01u.",  # a dict as its own key
        b"\x80\x02}(" + DEEP + b"K\x01u.",  # hashed recursively as a key,
        b"\x80\x02cnumpy\ndtype\n" + DEEP + b"\x85R.",  # looked up in a set
        b"\x80\x02ccollections\nOrderedDict\n](" + DEEP + b"K\x01\x86e\x85R.",
    ],
    ids=["memo", "bytes", "bytearray", "integer", "dup", "key"]
    + ["deep key", "deep dtype", "deep item"],
)
def test_sizes_are_checked_before_memory_is_taken(opcodes):
    try:
        found = read_numpy_pickle(io.BytesIO(opcodes))
    except ValueError:
        return
    assert found == {}


def test_nesting_does_not_grow():
    """Lists that hold the one before twice: 2 to the power of 60 leaves."""
    leaf = [np.ones(1)]
    for _ in range(12):
        leaf = [leaf, leaf]
    assert len(read_numpy_pickle(of(leaf))) == 1
    for _ in range(50):
        leaf = [leaf, leaf]
    with pytest.raises(ValueError, match="nested too deeply"):
        read_numpy_pickle(of(leaf))


def torch_tensor(tmp_path, size, strides, offset=0, count=6):
    """A file of one tensor, as a window that is not checked by its writer."""
    array = np.arange(count, dtype=np.float32)
    path = tmp_path / "x.pt"
    pytorch_format.write_zip(pytorch_format.Window(array, size, strides, offset), path)
    return path


@pytest.mark.parametrize(
    ("size", "strides", "offset"),
    [
        ((7,), (1,), 0),
        ((2, 3), (3, 1), 1),
        ((2, 3), (3, -1), 2),
        ((2**40, 2**40), (0, 0), 0),
        ((100,), (0,), 0),
        ((2,), (1, 1), 0),
        ((-1,), (1,), 0),
        ((2.0,), (1,), 0),
        ((1,), (1,), -1),
        ((1,) * 40, (1,) * 40, 0),
    ],
    ids=str,
)
def test_tensors_outside_their_storage(tmp_path, size, strides, offset):
    with pytest.raises(ValueError, match="exceeds its storage|invalid|axes"):
        read_weights(torch_tensor(tmp_path, size, strides, offset))
