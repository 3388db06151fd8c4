"""The demonstration's long videos: who does what when, and how they are made."""

import csv
import shutil

import numpy as np
import pytest

import kinetics_i3d_tf2 as i3d
from kinetics_i3d_tf2.demo import minutes, scenes

SECONDS = 8.0


def make(folder, train=1, val=0, test=0, **options):
    options = {"processes": 1, "seconds": SECONDS, **options}
    i3d.make_long_demo_dataset(folder, train=train, val=val, test=test, **options)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo") / "minutes"
    make(folder, 1, 0, 1)
    return folder


def casts(count, seconds=60.0):
    return [minutes.make_cast(np.random.default_rng(n), seconds) for n in range(count)]


def test_the_reader_takes_it(dataset):
    table = i3d.read_intervals(dataset / "labels.csv")
    assert len(table.split("train")) == 1
    assert len(table.split("test")) == 1
    assert set(table.class_names) <= {action.name for action in scenes.ACTIONS}
    frames = i3d.read_video(dataset / "test" / "0000.mp4")
    assert frames.shape == (round(25 * SECONDS), 256, 256, 3)


def test_actions_overlap_and_take_turns():
    for cast in casts(20):
        assert len(cast) in (2, 3)
        assert len({actor.moves[0].action.draw for actor in cast}) == len(cast)
        for actor in cast:
            for one, next_one in zip(actor.moves, actor.moves[1:], strict=False):
                assert one.end < next_one.start
                assert one.action.draw is next_one.action.draw
                assert one.action.is_reversed != next_one.action.is_reversed
            assert 0 <= actor.moves[0].start
            assert actor.moves[-1].end <= 60
        times = sorted((m.start, m.end) for actor in cast for m in actor.moves)
        assert any(
            one[1] > next_one[0]
            for one, next_one in zip(times, times[1:], strict=False)
        )


def test_each_class_holds_for_a_tenth_of_the_time_or_more():
    held = dict.fromkeys((action.name for action in scenes.ACTIONS), 0.0)
    for cast in casts(100):
        for move in (move for actor in cast for move in actor.moves):
            held[move.action.name] += (move.end - move.start) / (100 * 60)
    assert min(held.values()) > 0.1
    assert max(held.values()) < 0.3


def test_nobody_moves_but_within_their_actions():
    """The thing stays where its last action left it, but for a slight sway."""
    for actor in casts(1)[0]:
        for one, next_one in zip(actor.moves, actor.moves[1:], strict=False):
            pause = np.linspace(one.end, next_one.start - 1e-6, 50)
            phases = [actor.phase(second) for second in pause]
            left_at = 0.0 if one.action.is_reversed else 1.0
            np.testing.assert_allclose(phases, left_at, atol=0.0121)
        assert actor.phase(0.0) == pytest.approx(
            float(actor.moves[0].action.is_reversed), abs=0.0121
        )


def test_missing_videos_are_added(dataset, tmp_path, hashes):
    """They are the same, however many are drawn in a call."""
    make(tmp_path / "one", 0, 0, 1)
    assert "train" not in (tmp_path / "one" / "labels.csv").read_text()
    shutil.copytree(dataset / "train", tmp_path / "one" / "train")
    make(tmp_path / "one", 1, 0, 1)
    assert hashes(tmp_path / "one") == hashes(dataset)


def test_the_file_lists_what_is_drawn(dataset):
    with open(dataset / "labels.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    rng = np.random.default_rng(np.random.SeedSequence((0, 2, 0)))
    moves = [m for actor in minutes.make_cast(rng, SECONDS) for m in actor.moves]
    expected = {(m.action.name, m.start, m.end) for m in moves}
    found = [row for row in rows if row["path"] == "test/0000.mp4"]
    assert expected == {(r["label"], float(r["start"]), float(r["end"])) for r in found}
    assert {row["split"] for row in found} == {"test"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"train": -1}, "train must be at least 0. Received: -1"),
        ({"train": 0}, "train, val and test are all 0"),
        ({"seconds": 5}, "seconds must be at least 8. Received: 5"),
        ({"seed": -1}, "seed must be at least 0. Received: -1"),
        ({"processes": 0}, "processes must be at least 1. Received: 0"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_values_out_of_range(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        make(tmp_path / "minutes", **options)
    assert not (tmp_path / "minutes").exists()


def test_another_length_is_another_dataset(dataset):
    with pytest.raises(ValueError, match="with seed 0, 8 seconds; use the same seed"):
        make(dataset, 1, 0, 1, seconds=10)


def test_the_dense_weights_know_who_does_what_when(dataset, tmp_path):
    table = i3d.read_intervals(dataset / "labels.csv")
    results = i3d.evaluate_temporal(
        {"rgb": "demo_dense"}, table.split("test"), table.class_names, tmp_path
    )
    assert results.means["moment"] > 0.8
