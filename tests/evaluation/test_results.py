"""The files that an evaluation ends with, from rows made by hand."""

import csv
import json
import sys

import numpy as np
import pytest

from kinetics_i3d_tf2.evaluation import results
from kinetics_i3d_tf2.visualization import plots

NAMES = ("a", "b", "c, d", "e", "f", "g")
# (true class, class of rgb, its rank, class of flow, its rank, error)
CLIPS = [
    ("a", "a", 1, "b", 2, ""),
    ("a", "b", 2, "a", 1, ""),
    ("b", "b", 1, "b", 1, ""),
    ("c, d", "a", 6, "e", 4, ""),
    ("", "a", "", "a", "", ""),
    ("b", "", "", "", "", "broken"),
]


@pytest.fixture
def found():
    columns = ("label", "rgb_class", "rgb_rank", "flow_class", "flow_rank", "error")
    rows = [dict(zip(columns, map(str, clip), strict=True)) for clip in CLIPS]
    return results.conclude(rows, ("rgb", "flow"), NAMES)


def test_counts(found):
    assert (found.clips, found.unlabelled, found.unread) == (4, 1, 1)
    rgb = {"top_1": 0.5, "top_5": 0.75, "mean_per_class": 0.5}
    assert found.figures == {"rgb": rgb, "flow": rgb | {"top_5": 1.0}}
    np.testing.assert_array_equal(found.per_class["rgb"][0][:4], [0.5, 1, 0, np.nan])
    # Of what was scored last.
    assert found.confusion[:4, :4].tolist() == [
        [1, 1, 0, 0],
        [0, 1, 0, 0],
        [0, 0, 0, 1],
        [0, 0, 0, 0],
    ]


def test_table(found):
    header, rgb, flow = results.table(found).splitlines()
    assert header.split() == ["top-1", "top-5", "mean", "of", "classes"]
    assert rgb.split() == ["rgb", "50.00", "75.00", "50.00"]
    assert flow.split() == ["flow", "50.00", "100.00", "50.00"]
    assert len(header) == len(rgb) == len(flow)


def test_files(found, tmp_path):
    results.write_per_class(found, tmp_path / "per_class.csv")
    results.write_confusion(found, tmp_path / "confusion.csv")
    results.write_json(found, tmp_path / "a.json", {"flip": True})
    tables = {}
    for name in ("per_class", "confusion"):
        with open(tmp_path / f"{name}.csv", newline="") as file:
            tables[name] = list(csv.reader(file))
    assert tables["per_class"][0] == [
        "class", "clips", "rgb_top_1", "rgb_top_5", "flow_top_1", "flow_top_5"
    ]  # fmt: skip
    assert tables["per_class"][1] == ["a", "2", "0.5", "1", "0.5", "1"]
    assert tables["per_class"][3] == ["c, d", "1", "0", "0", "0", "1"]
    assert tables["per_class"][4] == ["e", "0", "", "", "", ""]
    assert tables["confusion"][0][1:] == list(NAMES)
    assert tables["confusion"][3] == ["c, d", "0", "0", "0", "1", "0", "0"]
    content = json.loads((tmp_path / "a.json").read_text())
    assert content["settings"] == {"flip": True}
    assert content["figures"] == found.figures
    assert content["per_class"]["b"] == {"clips": 1, "rgb": 1.0, "flow": 1.0}
    assert "e" not in content["per_class"]


@pytest.mark.parametrize("size", [1, 8, 60])
def test_the_picture_grows_with_the_classes(size, tmp_path):
    pytest.importorskip("matplotlib", reason="the extra plot is not installed")
    counts = np.eye(size + 1, dtype=int) * 3
    counts[-1] = 0  # One class is not there.
    names = [f"class {number}" for number in range(size + 1)]
    paths = [tmp_path / f"{number}.png" for number in range(2)]
    for path in paths:
        assert plots.draw_confusion(counts, names, "title", path)
    # Equal results are equal files.
    assert paths[0].read_bytes() == paths[1].read_bytes()
    width = int.from_bytes(paths[0].read_bytes()[16:20], "big")
    assert width == int(150 * (4 + (0.5 if size <= 20 else 0.1) * size))


def test_no_picture_without_matplotlib(monkeypatch, tmp_path, caplog):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    counts = np.eye(2, dtype=int)
    path = tmp_path / "a.png"
    assert not plots.draw_confusion(counts, "ab", "", path)
    assert not path.exists()
    assert "a.png is not drawn without matplotlib: pip install" in caplog.text


@pytest.mark.parametrize("has_validation", [True, False])
def test_curves_of_a_training(has_validation, tmp_path):
    pytest.importorskip("matplotlib", reason="the extra plot is not installed")
    history = [
        {"step": 10 * n, "loss": 2 / n, "top1": n / 10, "rate": 0.1}
        for n in range(1, 9)
    ]
    if has_validation:
        history = [{**r, "val_loss": r["loss"], "val_top1": 0.5} for r in history]
    paths = [tmp_path / f"{number}.png" for number in range(2)]
    for path in paths:
        assert plots.draw_training(history, "recipe", path)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert int.from_bytes(paths[0].read_bytes()[16:20], "big") == 8 * 150


def test_a_chart_for_pages_has_letters(tmp_path):
    pytest.importorskip("matplotlib", reason="the extra plot is not installed")
    lines = {"a $b$ <c>": [1, 2, 3], "d": [3, 2, 1]}
    svg = plots.line_chart([0, 1, 2], lines, "seconds", "logit")
    assert svg.startswith("<svg") and svg.rstrip().endswith("</svg>")
    assert "a $b$ &lt;c&gt;</text>" in svg
    assert svg == plots.line_chart([0, 1, 2], lines, "seconds", "logit")
