import numpy as np
import pytest

from kinetics_i3d_tf2.data import labels
from kinetics_i3d_tf2.data.labels import class_names, top_k


@pytest.mark.parametrize(
    ("num_classes", "file"), [(400, "label_map.txt"), (600, "label_map_600.txt")]
)
def test_names_are_the_releases(shared, num_classes, file):
    released = (shared / "release" / file).read_text().splitlines()
    assert list(class_names(num_classes)) == released


@pytest.mark.parametrize(
    ("num_classes", "index", "name"),
    [
        (400, 0, "abseiling"),
        (400, 227, "playing cricket"),
        (400, 399, "zumba"),
        (600, 1, "acting in play"),
        (600, 599, "zumba"),
    ],
)
def test_some_names(num_classes, index, name):
    names = class_names(num_classes)
    assert len(names) == len(set(names)) == num_classes
    assert names[index] == name


def test_the_two_maps_share_368_names():
    assert len(set(class_names(400)) & set(class_names(600))) == 368


def test_unknown_map():
    with pytest.raises(ValueError, match="of 400 .* and 600 .*num_classes=700"):
        class_names(700)


def test_top_k():
    scores = np.array([0.1, 0.5, 0.5, 0.9])
    assert top_k(scores, 3).tolist() == [3, 1, 2]
    assert top_k(scores, 10).tolist() == [3, 1, 2, 0]


@pytest.mark.parametrize(("scores", "k"), [(np.zeros((2, 3)), 1), (np.zeros(3), 0)])
def test_bad_top_k(scores, k):
    with pytest.raises(ValueError, match="scores of one clip"):
        top_k(scores, k)


def test_label_map(tmp_path):
    names = ("jump", "wave (hand)", "Übung", "space ")
    labels.write_label_map(tmp_path / "label_map.txt", names)
    assert labels.read_label_map(tmp_path / "label_map.txt") == names


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "label_map.txt: a label map has one class .*; the file is empty"),
        (b"a\n\nb\n", "label_map.txt, line 2: a label map .*; the line is blank"),
        (b"a\nb\n \n", "line 3: .*; the line is blank"),
        (b"a\n\n", "line 2: .*; the line is blank"),
        (b"a\r\nb\r\na\r\n", "line 3: a label map .*; 'a' is on line 1 too"),
        (b"a\x0bb\n", "line 1: .*; the name has a line break"),
        (b"a\n\xc4\n", r"line 2: is not UTF-8 \(byte 0xc4\)"),
        ("a\nb\n".encode("utf-16"), "line 1: is UTF-16"),
    ],
    ids=repr,
)
def test_what_is_no_label_map(tmp_path, content, message):
    (tmp_path / "label_map.txt").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        labels.read_label_map(tmp_path / "label_map.txt")


@pytest.mark.parametrize(
    "names",
    [("a\nb",), ("a", "a"), ("",), ("caf\udce9",), ("a\u2028b",), ("a\0",)],
    ids=ascii,
)
def test_names_that_no_label_map_can_have(tmp_path, names):
    with pytest.raises(ValueError, match="class"):
        labels.write_label_map(tmp_path / "label_map.txt", names)
    assert not list(tmp_path.iterdir())
