"""Local files; `remote` has the addresses."""

import json

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
