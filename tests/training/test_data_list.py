"""Resuming a run whose data set has changed: what, in words."""

import json
import os

import pytest

from kinetics_i3d_tf2 import TrainingData
from kinetics_i3d_tf2.data.clips import Clip
from kinetics_i3d_tf2.data.records.tfrecord import Record
from kinetics_i3d_tf2.training.data_list import check_data, keep_data
from kinetics_i3d_tf2.utils import run_dir


def data_of(folder, names=("a/1", "a/2", "b/3"), validation=("b/4",), **changes):
    clips = [
        [Clip(f"{folder}/{n}.mp4", n[0], "ab".find(n[0])) for n in names]
        for names in (names, validation)
    ]
    for clip in (*clips[0], *clips[1]):
        os.makedirs(os.path.dirname(clip.path), exist_ok=True)
        if not os.path.exists(clip.path):
            with open(clip.path, "w") as file:
                file.write(clip.path)
    return TrainingData(*clips, **{"class_names": ("a", "b"), **changes})


def today(data):
    """As of `options.settings`."""
    use = ("training", "validation")
    texts = {u: f"{len(getattr(data, u))} clips {run_dir.digest([getattr(data, u)])}"
             for u in use}  # fmt: skip
    return {"classes": list(data.class_names), **texts}


@pytest.fixture(params=["with a list", "of an earlier version"])
def run(tmp_path, request):
    """A run that was begun, and whether it has a list of its clips."""
    data = data_of(tmp_path / "videos")
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "settings.json").write_text(json.dumps({"settings": today(data)}))
    has_list = request.param == "with a list"
    if has_list:
        keep_data(folder, data)
    return folder, has_list


def check(run, data):
    check_data(run[0], data, today(data))


CHANGES = {
    "added": (
        {"names": ("a/1", "a/2", "b/3", "b/5")},
        r"training: 1 clip added \(.*videos/b/5\.mp4\)\. A run resumes with the clips",
        "training: 3 clips then, 4 now",
    ),
    "both": (
        {"names": ("a/1", "b/6", "b/7", "b/8", "b/9")},
        r"4 clips added \(.*6.mp4, .*7.mp4, .*8.mp4, ...\); training: 2 clips removed",
        "training: 3 clips then, 5 now",
    ),
    "validation": (
        {"validation": ()},
        r"validation: 1 clip removed \(.*b/4\.mp4\)",
        "validation: 1 clips then, 0 now",
    ),
    "replaced": (
        {"names": ("a/1", "a/2", "b/9")},
        r"1 clip added .*b/9.*; training: 1 clip removed .*b/3",
        "training: other clips, or in another order",
    ),
    "order": (
        {"names": ("a/2", "a/1", "b/3")},
        "the clips are in another order",
        "training: other clips, or in another order",
    ),
    "classes": (
        {"class_names": ("a", "b", "c")},
        r"1 class added \(c\)",
        r"1 class added \(c\)",
    ),
    "class order": (
        {"class_names": ("b", "a")},
        "the classes are in another order",
        "the classes are in another order",
    ),
}


@pytest.mark.parametrize("changes, listed, counted", CHANGES.values(), ids=CHANGES)
def test_what_has_changed_is_named(tmp_path, run, changes, listed, counted):
    data = data_of(tmp_path / "videos", **changes)
    with pytest.raises(ValueError, match=listed if run[1] else counted) as caught:
        check(run, data)
    assert f"--init={run[0]}/last --out=ANOTHER_FOLDER" in str(caught.value)
    assert len(str(caught.value)) < 1000


def test_the_same_clips_elsewhere(tmp_path, run, caplog):
    check(run, data_of(tmp_path / "videos"))
    assert not caplog.records
    (tmp_path / "videos").rename(tmp_path / "moved")
    check(run, data_of(tmp_path / "moved"))
    assert not caplog.records


def test_other_labels(tmp_path):
    data = data_of(tmp_path)
    keep_data(tmp_path, data)
    first, *others = data.training
    data = data._replace(training=[first._replace(label="b"), *others])
    with pytest.raises(ValueError, match="other labels of .*a/1.mp4"):
        check((tmp_path,), data)


def test_files_that_were_written_to_are_a_warning(tmp_path, caplog):
    data = data_of(tmp_path)
    keep_data(tmp_path, data)
    with open(data.training[1].path, "w") as file:
        file.write("another video")
    check((tmp_path,), data)
    assert "1 files have changed since this run began, or were copied" in caplog.text
    assert "a/2.mp4" in caplog.text


def test_records_and_spans(tmp_path):
    records = [Record(str(tmp_path / "r"), 12, 30), Record(str(tmp_path / "r"), 60, 9)]
    spans = [Clip("a.mp4", "a", 0, 1.5, 3.0), Clip("a.mp4", "a", 0, None, 3.0)]
    data = TrainingData(records, spans, ("a",))
    keep_data(tmp_path, data)
    check((tmp_path,), data)
    with pytest.raises(ValueError, match=r"1 clip removed \(.*r \(60\+9\)\)"):
        check((tmp_path,), data._replace(training=records[:1]))
    with pytest.raises(ValueError, match=r"1 clip removed \(a.mp4 \(1.5..3.0\)\)"):
        check((tmp_path,), data._replace(validation=spans[1:]))
    # The same twice is another data set than once.
    with pytest.raises(ValueError, match="1 clip added"):
        check((tmp_path,), data._replace(validation=[*spans, spans[0]]))


def test_another_file_of_that_name(tmp_path):
    (tmp_path / "clips.csv").write_text("path,label\na.mp4,a\n")
    with pytest.raises(ValueError, match="clips.csv: is no list of clips of this prog"):
        check((tmp_path,), data_of(tmp_path / "videos"))
