"""index.csv: what a run that was killed at any moment has done is found again."""

import csv

import numpy as np
import pytest

from kinetics_i3d_tf2.data.clips import Clip
from kinetics_i3d_tf2.data.sources import Input
from kinetics_i3d_tf2.features.feature_index import FeatureIndex
from kinetics_i3d_tf2.features.files import FORMATS, FeatureFiles

VALUES, TIMES = np.zeros((1, 2), np.float32), np.zeros((1, 2))


def inputs_in(folder, names="abc"):
    for name in names:
        if not (folder / f"{name}.mp4").exists():
            (folder / f"{name}.mp4").write_text(name)
    return [Input(name, Clip(str(folder / f"{name}.mp4"))) for name in names]


def opened(folder, kind, inputs):
    store = FeatureFiles(folder, kind, {})
    index = FeatureIndex(folder, store)
    return store, index, index.name(inputs)


@pytest.mark.parametrize("kind", FORMATS)
def test_killed_between_the_features_and_their_row(tmp_path, kind):
    out = tmp_path / "out"
    out.mkdir()
    inputs = inputs_in(tmp_path)
    store, index, named = opened(out, kind, inputs)
    index.begin(named)
    store.write("a", VALUES, TIMES)
    index.add(named[0])
    store.write("b", VALUES, TIMES)  # And killed.
    store, index, named = opened(out, kind, inputs)
    assert [index.is_done(each) for each in named] == [True, True, False]
    index.begin(named[2:])
    index.add(named[2], "cannot be read")
    store.close()
    index.finish(named, {"c": "cannot be read"})
    store, index, named = opened(out, kind, inputs)
    assert [index.is_done(each) for each in named] == [True, True, False]
    with open(out / "index.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["error"] for row in rows] == ["", "", "cannot be read"]


@pytest.mark.parametrize("kind", FORMATS)
def test_killed_before_the_features_of_a_changed_video(tmp_path, kind):
    """The earlier features of its name are not taken for those of today."""
    out = tmp_path / "out"
    out.mkdir()
    inputs = inputs_in(tmp_path)
    store, index, named = opened(out, kind, inputs)
    index.begin(named)
    for each in named:
        store.write(each.name, VALUES, TIMES)
        index.add(each)
    store.close()
    index.finish(named, {})
    (tmp_path / "b.mp4").write_text("another")
    store, index, named = opened(out, kind, inputs)
    assert [index.is_changed(each) for each in named] == [False, True, False]
    index.begin([named[1]])  # And killed.
    store, index, named = opened(out, kind, inputs)
    done = [index.is_done(each) for each in named]
    assert done == [True, False, True]


def test_rows_of_other_inputs_stay(tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    for names in ("ab", "c"):
        store, index, named = opened(out, "npz", inputs_in(tmp_path, names))
        index.begin(named)
        for each in named:
            store.write(each.name, VALUES, TIMES)
            index.add(each)
        index.finish(named, {})
    store, index, named = opened(out, "npz", inputs_in(tmp_path, "abc"))
    assert all(map(index.is_done, named))
