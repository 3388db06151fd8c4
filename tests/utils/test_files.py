"""Local files; `remote` has the addresses."""

import errno
import json
import os
import stat
from pathlib import Path

import av
import pytest

from kinetics_i3d_tf2.utils import files


def test_atomic_writer(tmp_path):
    path = tmp_path / "result.json"
    with files.atomic_writer(path) as temporary:
        temporary.write_text("first")
        assert not path.exists()
    assert path.read_text() == "first"
    with pytest.raises(KeyError), files.atomic_writer(path) as temporary:
        temporary.write_text("half of the sec")
        raise KeyError
    assert path.read_text() == "first"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("s3://bucket/a", True),
        ("http://host/a", True),
        ("a:b", False),
        ("/a//b", False),
    ],
)
def test_is_address(path, expected):
    assert files.is_address(path) is expected


def test_join(tmp_path):
    assert files.join(tmp_path, "a", "b") == f"{tmp_path}/a/b"
    assert files.join("s3://bucket/x/", "a", "b") == "s3://bucket/x/a/b"


def test_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert files.absolute("x/../a") == files.absolute(Path("a")) == f"{tmp_path}/a"
    assert files.absolute("s3://bucket/a") == "s3://bucket/a"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a/../b", "/folder/a/../b"),
        ("/a", "/a"),
        ("gs://bucket/a", "gs://bucket/a"),
    ],
)
def test_from_folder(path, expected):
    assert files.from_folder(path, "/folder") == expected


@pytest.mark.parametrize("name", ["a", "a/b"])
def test_folders_in_place_of_files(tmp_path, name):
    (tmp_path / "a").touch()
    with pytest.raises(OSError, match=f"{name}: a file is in place of this folder, or"):
        files.make_dirs(tmp_path / name)


def test_text_with_and_without_a_byte_order_mark(tmp_path):
    for content in (b"\xef\xbb\xbf\xc3\x84\r\n", b"\xc3\x84\r\n"):
        (tmp_path / "a").write_bytes(content)
        with files.open_file(tmp_path / "a") as file:
            assert file.read() == "\u00c4\r\n"


def test_matching(tmp_path):
    for name in ("train-0", "train-1", "test-0", ".train-2"):
        (tmp_path / name).touch()
    names = [f"{tmp_path}/train-0", f"{tmp_path}/train-1"]
    assert files.matching(tmp_path / "train-*") == names
    assert files.matching(tmp_path / "nowhere" / "*") == []


def test_write_json(tmp_path):
    path = tmp_path / "result.json"
    files.write_json(path, {"top": [1, 2.5], "class": "\u00c4"})
    content = path.read_text(encoding="utf-8")
    assert json.loads(content) == {"top": [1, 2.5], "class": "\u00c4"}
    with pytest.raises(TypeError):
        files.write_json(path, {"top": object()})
    assert path.read_text(encoding="utf-8") == content


def test_a_device_is_written_to_and_not_replaced(tmp_path):
    """As root, a rename would replace /dev/null for the whole machine."""
    os.mkfifo(tmp_path / "pipe")
    descriptor = os.open(tmp_path / "pipe", os.O_RDWR)
    try:
        files.write_json(tmp_path / "pipe", {"a": 1})
        assert json.loads(os.read(descriptor, 100)) == {"a": 1}
    finally:
        os.close(descriptor)
    assert stat.S_ISFIFO(os.stat(tmp_path / "pipe").st_mode)
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]


def test_a_full_disk_is_an_error_that_names_the_file():
    with pytest.raises(OSError, match="^/dev/full: cannot be written: No space left"):
        files.write_json("/dev/full", {"a": 1})


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError("12 requested and 0 written"),  # NumPy's.
        OSError(
            "Can't write data (file write failed: errno = 28, error message = 'No s"
        ),
    ],
    ids=["system", "numpy", "hdf5"],
)
def test_errors_of_writing_name_the_file(tmp_path, error):
    with pytest.raises(OSError, match=r"a\.npy: cannot be written: ") as caught:
        with files.atomic_writer(tmp_path / "a.npy"):
            raise error
    assert caught.value.errno == error.errno
    assert not list(tmp_path.iterdir())


def test_errors_of_ffmpeg_when_it_writes(tmp_path):
    """Its kinds of OSError are made of a number, a message and more."""
    error = av.error.PermissionError(errno.EACCES, "Permission denied")
    with pytest.raises(PermissionError, match="a.mp4: cannot be written: Permission"):
        with files.atomic_writer(tmp_path / "a.mp4"):
            raise error


@pytest.mark.parametrize(
    "error",
    [FileNotFoundError(2, "No such file", "clip.mp4"), OSError("b.mp4: is truncated")],
)
def test_errors_of_reading_stay_as_they_are(tmp_path, error):
    with pytest.raises(OSError) as caught, files.atomic_writer(tmp_path / "a.npy"):
        raise error
    assert caught.value is error


def test_what_cannot_be_written_is_found_before(tmp_path):
    files.check_writable(tmp_path / "not" / "there" / "yet")
    files.check_writable(tmp_path / "a.json")
    assert not list(tmp_path.iterdir())
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="file/run: cannot be written: .*is a file"):
        files.check_writable(tmp_path / "file" / "run")
    with pytest.raises(OSError, match="/proc/run: cannot be written"):
        files.check_writable("/proc/run")
