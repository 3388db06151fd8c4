"""Runs that go on to more steps than they began with."""

import dataclasses
import json
import logging

import pytest
import trainings
from trainings import C3D, largest_difference, rows_of, weights_of


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("videos")
    written = trainings.write_videos(folder, {"train": 4, "val": 1})
    return trainings.read_videos(written)._replace(validation=())


# Two phases of one rate, so that only their lengths depend on the number of steps.
RECIPE = dataclasses.replace(C3D, rates=((0, 0.01), (1, 0.01)))  # of 2 steps


def test_a_finished_run_goes_on_to_the_new_end(data, tmp_path, caplog):
    """Its weights are those of a run that had as many steps from the start."""
    folder, longer = tmp_path / "run", RECIPE.with_steps(4)
    trainings.run(RECIPE, data, folder)
    with caplog.at_level(logging.INFO, "absl"):
        state = trainings.run(longer, data, folder)
    schedule = "4 steps: 0.01 from step 0, 0.01 from step 2"
    assert "Extending the run from 2 to 4 steps; the learning rate follows the " in (
        caplog.text
    )
    assert schedule in caplog.text
    assert [row["step"] for row in state.history] == [2, 4]
    assert [row["step"] for row in rows_of(folder)] == ["2", "4"]
    assert (folder / "best").resolve().name == "00000004"
    settings = json.loads((folder / "settings.json").read_text())
    assert settings["settings"]["steps"] == 4
    former = {"steps": 2, "rates": [[0, 0.01], [1, 0.01]]}
    assert settings["notes"]["extended"] == [former]
    with pytest.raises(ValueError, match="was begun with steps 4, now 2"):
        trainings.run(RECIPE, data, folder, checkpoint_every=4)
    with pytest.raises(ValueError, match="was begun with seed 0, now 1"):
        changed = RECIPE.with_steps(6)
        trainings.run(changed, data, folder, seed=1, checkpoint_every=4)
    assert json.loads((folder / "settings.json").read_text()) == settings
    trainings.run(longer, data, tmp_path / "whole")
    assert largest_difference(weights_of(folder), weights_of(tmp_path / "whole")) == 0
