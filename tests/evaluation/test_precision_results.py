"""Mean average precision of videos and moments, and the files with it."""

import csv
import json

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from kinetics_i3d_tf2.evaluation import precision_results
from kinetics_i3d_tf2.evaluation.precision_results import Judged

NAMES = ("door", "chair", "nowhere")


def charades_precision(scores, labels):
    """THUMOSeventclspr of Charades_v1_localize.m, without ties, line by line."""
    order = np.argsort(-scores, kind="stable")
    hits = labels[order]
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    return precision[hits].sum() / hits.sum()


@pytest.fixture(scope="module")
def judged():
    """Four videos, the last without labels."""
    rng = np.random.default_rng(0)
    videos = []
    for number in range(4):
        held_at = rng.random((25, 3)) < [0.3, 0.6, 0.0]
        held_at &= number < 3
        held = held_at.any(0)
        held[0] = number == 1
        scores = rng.random((25, 3)) + 0.3 * held_at
        videos.append(Judged(scores.max(0), scores, held, held_at))
    return videos


@pytest.fixture(scope="module")
def results(judged):
    return precision_results.conclude(judged, NAMES, unread=2, damaged=1)


def test_it_equals_charades_and_scikit_learn(judged, results):
    scores = np.concatenate([video.moments for video in judged])
    held = np.concatenate([video.held_at for video in judged])
    for index in range(2):
        pair = scores[:, index], held[:, index]
        expected = charades_precision(*pair)
        assert results.precision["moment"][index] == pytest.approx(expected)
        assert average_precision_score(pair[1], pair[0]) == pytest.approx(expected)
    assert results.means["moment"] == pytest.approx(
        np.mean(results.precision["moment"][:2])
    )


def test_videos_are_judged_by_hand(results):
    """The door is in one of four videos, which is the second by its score."""
    rank = 1 + int(
        np.sum(results.scores.reshape(4, 25, 3).max(1)[[0, 2, 3], 0]
               > results.scores.reshape(4, 25, 3).max(1)[1, 0])
    )  # fmt: skip
    assert results.precision["video"][0] == pytest.approx(1 / rank)


def test_absent_classes_are_left_out_and_counted(results):
    assert np.isnan(results.precision["video"][2])
    assert results.positives["moment"][2] == 0
    assert (results.videos, results.without_labels) == (4, 1)
    text = precision_results.table(results).splitlines()
    assert text[0].split() == ["mAP", "classes", "scored"]
    mean = f"{100 * results.means['moment']:.2f}"
    assert text[2].split() == ["moments", "of", "videos", mean, "2", "100"]


def test_the_files_have_them(results, tmp_path):
    precision_results.write_per_class(results, tmp_path / "per_class.csv")
    with open(tmp_path / "per_class.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["class"] for row in rows] == list(NAMES)
    assert float(rows[0]["moment_average_precision"]) == pytest.approx(
        results.precision["moment"][0], abs=1e-6
    )
    assert rows[2] == {
        "class": "nowhere", "videos": "0", "video_average_precision": "",
        "moments": "0", "moment_average_precision": "",
    }  # fmt: skip
    precision_results.write_json(results, tmp_path / "results.json", {"window": 2.56})
    content = json.loads((tmp_path / "results.json").read_text())
    assert content["settings"] == {"window": 2.56}
    assert content["unread"] == 2
    assert content["figures"]["moment_map"] == results.means["moment"]
    assert set(content["per_class"]) == {"door", "chair"}


def test_without_any_label_there_is_no_mean():
    none = np.zeros((1, 2))
    found = precision_results.conclude(
        [Judged(none[0], none, none[0] > 0, none > 0)], ("a", "b")
    )
    assert np.isnan(found.means["video"])
    assert "nan" in precision_results.table(found)
