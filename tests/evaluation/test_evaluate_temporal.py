"""Evaluation of several labels at once, on two small videos."""

import csv
import json

import numpy as np
import pytest
import recipe as weights
import tensorflow as tf
from videos import brightness_frames, write_video

import kinetics_i3d_tf2 as i3d
from kinetics_i3d_tf2.checkpoints.config import write_config_of_model
from kinetics_i3d_tf2.data import clip_streams, labels
from kinetics_i3d_tf2.data.clips import Clip
from kinetics_i3d_tf2.data.intervals import Interval
from kinetics_i3d_tf2.data.records import shards
from kinetics_i3d_tf2.data.records.image_coding import Coding
from kinetics_i3d_tf2.evaluation import evaluate_temporal as engine
from kinetics_i3d_tf2.evaluation import localization, temporal_protocol
from kinetics_i3d_tf2.evaluation.evaluate import EvaluationOptions
from kinetics_i3d_tf2.evaluation.temporal_protocol import TemporalProtocol
from kinetics_i3d_tf2.inference.scores import probabilities_of

NAMES = ("jump", "run", "wave")
OF_DATASET = ("wave", "jump")  # some of them, in an order of their own
FRAMES = 24  # A multiple of 8: the stream repeats no frame at the end.
RECIPE = i3d.ClipRecipe(short_side=193, crop_size=193)
DENSE = TemporalProtocol(recipe=RECIPE)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """Of several labels; `tests/cli` evaluates one of a softmax."""
    model = weights.assign(
        i3d.InceptionI3d(3, width=1 / 16, activation="sigmoid"), seed=3
    )
    folder = tmp_path_factory.mktemp("checkpoint")
    prefix = folder / "model.ckpt"
    i3d.save_checkpoint(model, prefix)
    labels.write_label_map(folder / "label_map.txt", NAMES)
    write_config_of_model(prefix, model)
    return folder


@pytest.fixture(scope="module")
def classifier(checkpoint):
    return i3d.Classifier(checkpoint)


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """One with two labels that overlap, one without any."""
    folder = tmp_path_factory.mktemp("videos")
    paths = [
        str(write_video(folder / f"{n}.mkv", frames, codec="ffv1"))
        for n, frames in enumerate((brightness_frames(FRAMES, (48, 40)),) * 2)
    ]
    intervals = Interval("wave", 0.1, 0.3, 0), Interval("jump", None, 0.2, 1)
    return [Clip(paths[0], intervals=intervals), Clip(paths[1])]


def evaluate(checkpoint, sources, out, protocol=DENSE, **options):
    return engine.evaluate_temporal(
        {"rgb": checkpoint},
        sources,
        OF_DATASET,
        out,
        protocol=protocol,
        options=EvaluationOptions(**options),
    )


def rows_of(out):
    with open(out / "predictions.csv", newline="") as file:
        return list(csv.DictReader(file))


def test_dense_scores_are_those_of_the_whole_clip(classifier, sources):
    found = temporal_protocol.score(classifier, sources[0], DENSE)
    assert found.length == FRAMES / 25
    frames = i3d.resize_short_side(i3d.read_video(sources[0].path), 193)
    clip = i3d.normalize_rgb(i3d.center_crop(frames, 193))[None]
    model = classifier.models["rgb"].endpoint_model(["Logits"], temporal="dense")
    logits = np.asarray(model(clip)["Logits"])[0]
    at = localization.dense_at(logits, localization.moments(FRAMES / 25))
    expected = probabilities_of(at, "sigmoid")
    np.testing.assert_allclose(found.moments, expected, atol=1e-4)
    best = probabilities_of(logits, "sigmoid").max(0)
    np.testing.assert_allclose(found.video, best, atol=1e-4)


def test_records_are_scored_as_their_videos(classifier, sources, tmp_path):
    settings = shards.Settings(short_side=193, coding=Coding("png"))
    path = tmp_path / "test-00000-of-00001"
    with tf.io.TFRecordWriter(str(path)) as writer:
        writer.write(shards.encode_clip(sources[0], settings)[0])
    (record,) = i3d.find_records(str(path))
    row = engine._score(record, classifier, OF_DATASET, [2, 0], DENSE)
    assert json.loads(row["intervals"]) == [["wave", 0.1, 0.3], ["jump", 0, 0.2]]
    same = engine._score(sources[0], classifier, OF_DATASET, [2, 0], DENSE)
    assert json.loads(same["intervals"]) == [["wave", 0.1, 0.3], ["jump", None, 0.2]]
    assert row == same | {name: row[name] for name in ("id", "intervals")}


def test_it_writes_what_it_finds_and_resumes(
    checkpoint, sources, tmp_path, monkeypatch
):
    """A video that cannot be read is left out."""
    bad, out = tmp_path / "bad.mp4", tmp_path / "out"
    bad.write_bytes(b"no video")
    sources = [*sources, Clip(str(bad))]
    first = evaluate(checkpoint, sources, out, max_damaged=0.5)
    rows = rows_of(out)
    assert [len(json.loads(row["intervals"] or "[]")) for row in rows] == [2, 0, 0]
    assert [bool(row["error"]) for row in rows] == [False, False, True]
    assert (first.videos, first.without_labels, first.unread) == (2, 1, 1)
    # Moments 0, 0.96/25, ...: "wave" from 0.1 to 0.3, "jump" up to 0.2.
    seconds = np.arange(25) * FRAMES / 25 / 25
    expected = [((0.1 <= seconds) & (seconds <= 0.3)).sum(), (seconds <= 0.2).sum()]
    assert first.positives["moment"].tolist() == expected
    assert first.positives["video"].tolist() == [1, 1]
    assert np.isfinite(first.means["moment"])
    (out / "per_class.csv").unlink()
    monkeypatch.setattr(clip_streams, "open_clip", None)  # Nothing is read again.
    again = evaluate(checkpoint, sources, out, max_damaged=0.5)
    np.testing.assert_array_equal(again.scores, first.scores)
    assert (out / "per_class.csv").exists()
    with pytest.raises(ValueError, match="1 of 3 videos cannot be read"):
        evaluate(checkpoint, sources, out, max_damaged=0.1)


def test_any_failure_is_of_its_video(checkpoint, sources, tmp_path, monkeypatch):
    """Decoders and resizing raise errors of their own kinds."""
    score = temporal_protocol.score

    def fail_on_the_second(classifier, source, protocol):
        if source.path == sources[1].path:
            raise RuntimeError("the decoder gave up")
        return score(classifier, source, protocol)

    monkeypatch.setattr(temporal_protocol, "score", fail_on_the_second)
    found = evaluate(checkpoint, sources, tmp_path / "out", max_damaged=0.5)
    assert (found.videos, found.unread) == (1, 1)
    errors = [row["error"] for row in rows_of(tmp_path / "out")]
    assert errors == ["", "the decoder gave up"]


def test_windows_are_scored_one_by_one(classifier, sources):
    protocol = TemporalProtocol(0.4, 0.32, RECIPE)
    found = temporal_protocol.score(classifier, sources[0], protocol)
    windows = [
        window.probabilities
        for window in classifier.over_time(
            sources[0].path, 0.4, 0.32, i3d.LabellingOptions(recipe=RECIPE)
        )
    ]
    np.testing.assert_allclose(found.video, np.max(windows, 0), rtol=1e-5)
    np.testing.assert_allclose(found.moments[0], windows[0], rtol=1e-5)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ((None, 0.5), "stride is for windows; set window too. Received: 0.5"),
        ((0.1,), "A window needs at least 0.36 seconds"),
    ],
    ids=["a stride without windows", "short windows"],
)
def test_protocols_out_of_range(values, message):
    with pytest.raises(ValueError, match=message):
        TemporalProtocol(*values)


def test_unknown_classes_are_an_error(checkpoint, sources, tmp_path):
    with pytest.raises(ValueError, match="1 of the dataset's 2 classes are not among"):
        engine.evaluate_temporal(
            {"rgb": checkpoint}, sources, ("jump", "fly"), tmp_path
        )
