"""Training on several labels at once: dense and of clips, resumed, validated."""

import dataclasses
import json

import numpy as np
import pytest
import trainings
from trainings import C3D, CLIP, I3D, largest_difference, rows_of, weights_of

from kinetics_i3d_tf2 import Checkpoint, TrainingData, for_evaluation, load_model
from kinetics_i3d_tf2.data.intervals import Interval
from kinetics_i3d_tf2.models.multi_label_losses import (
    DenseCrossentropy,
    MultiLabelCrossentropy,
)
from kinetics_i3d_tf2.training import build
from kinetics_i3d_tf2.training.data_labels import report_labels
from kinetics_i3d_tf2.training.state import RunState

# Two places of dense logits. The gradients of all layers take three times as long.
DENSE = dataclasses.replace(
    I3D,
    clip=dataclasses.replace(CLIP, num_frames=17),
    loss="sigmoid",
    temporal="dense",
    freeze_until="Mixed_5b",
)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Videos of 12 frames; the bright ones are "bright" at first, all "late" later."""
    folder = tmp_path_factory.mktemp("videos")
    trainings.write_videos(folder, {"train": 6, "val": 3})
    one = trainings.read_videos(folder)
    return TrainingData(
        *([_with_intervals(clip) for clip in clips] for clips in one[:2]),
        ("bright", "late"),
    )


def _with_intervals(clip):
    intervals = (Interval("late", 0.2, 9.0, 1),)
    if clip.label == "bright":
        intervals = (Interval("bright", 0.0, 0.3, 0), *intervals)
    return clip._replace(label="", index=-1, intervals=intervals)


@pytest.fixture(scope="module")
def whole_and_cut(data, tmp_path_factory):
    """Folders of a run of two steps and of one that was interrupted after one."""
    folder = tmp_path_factory.mktemp("runs")
    whole, cut = folder / "whole", folder / "cut"
    copy = trainings.CopyAfterOneStep(whole, cut)
    trainings.run(DENSE, data, whole, checkpoint_every=1, stop=copy)
    return whole, cut


@pytest.fixture(scope="module")
def whole(whole_and_cut):
    return whole_and_cut[0]


def test_a_dense_training(data, whole):
    rows = rows_of(whole)
    assert [*rows[0]] == [
        "step", "loss", "learning_rate", "clips_per_second", "val_loss", "val_map",
    ]  # fmt: skip
    checkpoint = Checkpoint(whole / "last")
    assert (checkpoint.temporal, checkpoint.activation) == ("dense", "sigmoid")
    assert checkpoint.class_names == data.class_names
    recipe = json.loads((whole / "last" / "config.json").read_text())["recipe"]
    assert (recipe["loss"], recipe["temporal"]) == ("sigmoid", "dense")


def test_its_validation_is_that_of_the_model(data, whole):
    model = load_model(whole / "last")
    model.compile(loss=DenseCrossentropy())
    clips = for_evaluation(data.validation, DENSE.clips_with_targets(2), views=(1, 1))
    batches = list(clips.as_numpy_iterator())
    clips, targets = (np.concatenate(x) for x in zip(*batches, strict=True))
    assert targets.shape == (3, 17, 2)
    loss = model.evaluate(clips, targets, verbose=0)
    assert float(rows_of(whole)[-1]["val_loss"]) == pytest.approx(loss, rel=1e-4)


def test_resumed_the_weights_are_equal(data, whole_and_cut):
    whole, cut = whole_and_cut
    assert (cut / "last").resolve().name == "00000001"
    trainings.run(DENSE, data, cut, checkpoint_every=1)
    assert largest_difference(weights_of(whole), weights_of(cut)) == 0


def test_accumulated_gradients_are_those_of_the_whole_batch(data, tmp_path):
    recipe = dataclasses.replace(
        C3D,
        loss="sigmoid",
        steps=1,
        batch_norm="frozen",
        dropout_rate=0.0,
        rates=((0, 0.1),),
    )
    data = data._replace(validation=())
    for parts in (1, 2):
        trainings.run(
            recipe, data, tmp_path / str(parts), gradient_accumulation_steps=parts
        )
    found = [weights_of(tmp_path / str(parts)) for parts in (1, 2)]
    assert largest_difference(*found) < 1e-6


@pytest.mark.slow
def test_bfloat16_trains_weights_of_float32(data, tmp_path):
    recipe = dataclasses.replace(DENSE, steps=1)
    data = data._replace(validation=())
    trainings.run(recipe, data, tmp_path, dtype="mixed_bfloat16")
    for value in weights_of(tmp_path).values():
        assert value.dtype != np.float16 and np.isfinite(value).all()


def test_labels_of_clips_and_another_architecture(data, tmp_path):
    recipe = dataclasses.replace(C3D, loss="sigmoid")
    state = trainings.run(recipe, data, tmp_path, class_weights="balanced")
    assert 0 <= state.best["val_map"] <= 1
    assert Checkpoint(tmp_path / "last").activation == "sigmoid"


def test_videos_without_labels_are_counted(data, caplog):
    caplog.set_level("INFO")
    empty = data.training[0]._replace(intervals=())
    report_labels(DENSE, data._replace(training=[empty, *data.training[1:]]))
    assert "training: 1 of 6 clips have no labels; all classes are abs" in caplog.text


def test_clips_that_may_be_meant_as_labels_of_a_video(data, caplog):
    clip = data.training[0]._replace(label="late", index=1, intervals=())
    report_labels(DENSE, data._replace(training=[clip._replace(end=1.0), clip]))
    assert "2 clips with one label each are parts of 1 videos" in caplog.text
    assert "--dataset=intervals" in caplog.text


def test_a_softmax_needs_one_label_a_clip(data, tmp_path):
    with pytest.raises(ValueError, match="3 clips have labels with times.*=sigmoid"):
        trainings.run(C3D, data, tmp_path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"temporal": "dense"}, "a softmax needs exactly one: use loss=sigmoid"),
        ({"temporal": "dense", "model": "c3d"}, "c3d has no logits at each place"),
        ({"loss": "hinge"}, "loss must be one of softmax, sigmoid. Received: 'hinge'"),
        ({"label_smoothing": 0.1, "loss": "sigmoid"}, "is for loss=softmax"),
        ({"label_smoothing": 1.0}, r"label_smoothing must be in \[0, 1\)"),
    ],
    ids=["softmax", "architecture", "unknown", "smoothing", "too smooth"],
)
def test_recipes_without_a_meaning(changes, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(I3D, **changes)


def test_the_best_has_the_highest_precision_then_the_lowest_loss():
    state = RunState()
    for step, score, loss in ((1, 0.5, 1.0), (2, 0.5, 0.5), (3, 0.4, 0.1)):
        state.update_best({"step": step, "val_map": score, "val_loss": loss})
    assert state.best["step"] == 2


def test_the_loss_of_a_recipe():
    smooth = dataclasses.replace(I3D, label_smoothing=0.2)
    loss = build.make_loss(smooth, (1.0, 2.0))
    assert (loss.label_smoothing, loss.class_weights) == (0.2, (1.0, 2.0))
    loss = build.make_loss(DENSE, (1.0, 2.0))
    assert isinstance(loss, DenseCrossentropy) and loss.positive_weights == (1.0, 2.0)
    of_clips = build.make_loss(dataclasses.replace(DENSE, temporal="mean"))
    assert isinstance(of_clips, MultiLabelCrossentropy)
