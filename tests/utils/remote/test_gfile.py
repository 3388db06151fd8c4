"""TensorFlow's file systems under fsspec, on its own ram://."""

import pytest

from kinetics_i3d_tf2.utils import files

tf = pytest.importorskip("tensorflow")


def test_files():
    path = "ram://folder/a.txt"
    files.make_dirs("ram://folder")
    with files.atomic_writer(path) as temporary:
        temporary.write_text("content")
    with files.open_file(path) as file:
        assert file.read() == "content"
    assert files.read_range(path, 3, 5) == b"te"
    assert files.size(path) == 7
    assert files.files_below("ram://folder") == [path]
    assert files.matching("ram://folder/*.txt") == [path]
    assert files.is_dir("ram://folder") and not files.is_dir(path)
    files.remove(path)
    assert not files.exists(path)
    with pytest.raises(FileNotFoundError, match="ram://folder/a.txt: there is no such"):
        files.open_file(path, "rb")


def test_a_scheme_of_tensorflow_io_alone():
    pytest.importorskip("tensorflow_io", reason="the extra io is not installed")
    from kinetics_i3d_tf2.utils.remote import file_systems, gfile

    assert gfile.registered("viewfs")
    fs, path = file_systems.connect("viewfs://host/a")
    assert isinstance(fs, gfile.GFileSystem) and path == "viewfs://host/a"
