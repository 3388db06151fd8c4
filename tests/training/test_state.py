"""The state of a run: the best checkpoint, the plateau, and older runs' names."""

import dataclasses

import pytest

from kinetics_i3d_tf2.training.state import RunState

LOSSES = [1.0, 0.9, 0.95, 0.92, 0.8, 0.85, 0.81, 0.82]


@pytest.mark.parametrize(
    ("patience", "scales", "lowered"),
    [
        (2, [1, 1, 1, 0.1, 0.1, 0.1, 0.01, 0.01], [3, 6]),
        (3, [1, 1, 1, 1, 1, 1, 1, 0.1], [7]),
        (0, [1] * 8, []),
    ],
)
def test_a_tenth_of_the_rate_when_the_validation_loss_stops_falling(
    patience, scales, lowered
):
    state = RunState()
    received = []
    for step, loss in enumerate(LOSSES):
        is_lowered = state.lower_rate_on_plateau(loss, patience)
        assert is_lowered == (step in lowered)
        received.append(state.rate_scale)
    assert received == pytest.approx(scales)
    assert state.lowest_val_loss == 0.8


def test_the_best_is_of_the_highest_top1_then_the_lowest_loss():
    state = RunState()
    scores = [(0.5, 1.0), (0.5, 0.8), (0.5, 0.9), (0.4, 0.1), (0.6, 2.0), (0.6, 2.0)]
    best = []
    for step, (top1, loss) in enumerate(scores):
        state.update_best({"step": step, "val_top1": top1, "val_loss": loss})
        best.append(state.best["step"])
    assert best == [0, 1, 1, 1, 4, 4]


def test_json_of_today_and_of_older_versions():
    state = RunState(step=3, lowest_val_loss=0.5, checkpoints_waited=1, history=[{}])
    values = dataclasses.asdict(state)
    assert RunState.from_json(values) == state
    values["least_loss"] = values.pop("lowest_val_loss")
    values["rounds_waited"] = values.pop("checkpoints_waited")
    assert RunState.from_json(values) == state
