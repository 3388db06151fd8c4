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


def test_a_finished_run_goes_on_to_the_new_end(data, tmp_path, caplog):
    recipe = dataclasses.replace(C3D, rates=((0, 0.01), (1, 0.001)))  # of 2 steps
    trainings.run(recipe, data, tmp_path)
    with caplog.at_level(logging.INFO, "absl"):
        state = trainings.run(recipe.with_steps(4), data, tmp_path)
    schedule = "4 steps: 0.01 from step 0, 0.001 from step 2"
    assert "Extending the run from 2 to 4 steps; the learning rate follows the " in (
        caplog.text
    )
    assert schedule in caplog.text
    assert [row["step"] for row in state.history] == [2, 4]
    assert [row["step"] for row in rows_of(tmp_path)] == ["2", "4"]
    assert (tmp_path / "best").resolve().name == "00000004"
    settings = json.loads((tmp_path / "settings.json").read_text())
    assert settings["settings"]["steps"] == 4
    former = {"steps": 2, "rates": [[0, 0.01], [1, 0.001]]}
    assert settings["notes"]["extended"] == [former]
    with pytest.raises(ValueError, match="was begun with steps 4, now 2"):
        trainings.run(recipe, data, tmp_path, checkpoint_every=4)


def test_at_one_rate_the_weights_are_those_of_the_longer_run(data, tmp_path):
    longer = C3D.with_steps(3)
    for recipe in (C3D, longer):
        trainings.run(recipe, data, tmp_path / "extended")
    trainings.run(longer, data, tmp_path / "whole")
    pair = [weights_of(tmp_path / name) for name in ("extended", "whole")]
    assert largest_difference(*pair) == 0


def test_an_extension_changes_nothing_else(data, tmp_path):
    trainings.run(C3D, data, tmp_path)
    with pytest.raises(ValueError, match="was begun with seed 0, now 1"):
        trainings.run(C3D.with_steps(4), data, tmp_path, seed=1, checkpoint_every=2)
    settings = json.loads((tmp_path / "settings.json").read_text())
    assert settings["settings"]["steps"] == 2
