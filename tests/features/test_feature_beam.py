"""Features by Apache Beam are those of this machine."""

import csv
import json
import os
import re

import numpy as np
import pytest
from videos import brightness_frames, write_video

pytest.importorskip("apache_beam", reason="the extra beam is not installed")

from kinetics_i3d_tf2.data.clip_recipe import ClipRecipe  # noqa: E402
from kinetics_i3d_tf2.data.clips import Clip  # noqa: E402
from kinetics_i3d_tf2.data.frame_reader import FrameReader  # noqa: E402
from kinetics_i3d_tf2.data.records.writer import beam_options  # noqa: E402
from kinetics_i3d_tf2.data.sources import Input  # noqa: E402
from kinetics_i3d_tf2.features.feature_beam import FeatureHandler, Job  # noqa: E402
from kinetics_i3d_tf2.features.write import (  # noqa: E402
    FeatureOptions,
    write_features,
)
from kinetics_i3d_tf2.inference.windows import Windows  # noqa: E402


@pytest.fixture
def checkpoint(small_checkpoint):
    return {"rgb": small_checkpoint}


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("videos")
    for number in range(4):
        frames = brightness_frames(9 + 6 * number, (256, 256), 5 + number)
        write_video(folder / f"{number}.mp4", frames)
    (folder / "bad.mp4").write_bytes(b"no video")
    return folder


def index_of(folder):
    with open(folder / "index.csv", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("format", ["npz", "npy"])
def test_features_are_those_of_this_machine(checkpoint, videos, tmp_path, format):
    options = FeatureOptions(format=format)
    here, there = tmp_path / "here", tmp_path / "there"
    arguments = {"windows": Windows(10, 5), "options": options}
    expected = write_features([videos], checkpoint, here, **arguments)
    beam = beam_options(["--runner=DirectRunner", "--direct_num_workers=3"])
    errors = write_features([videos], checkpoint, there, **arguments, beam_options=beam)
    assert errors == expected and set(errors) == {"bad"}
    assert index_of(there) == index_of(here)
    found = sorted(path.name for path in there.rglob("*.np?"))
    assert found == sorted(path.name for path in here.rglob("*.np?"))
    assert not list(there.glob("outcomes*"))
    for name in found:
        values, same = (np.load(folder / name) for folder in (there, here))
        if format == "npy":
            values, same = {"features": values}, {"features": same}
        for key in set(values) - {"settings"}:
            np.testing.assert_allclose(values[key], same[key], atol=1e-5)


def test_what_is_done_is_not_done_again(checkpoint, videos, tmp_path, caplog):
    beam = beam_options(["--runner=DirectRunner"])
    caplog.set_level("INFO")
    for _ in range(2):
        write_features(
            [videos], checkpoint, tmp_path, windows=Windows(10), beam_options=beam
        )
    assert "4 of 5 videos were done before" in caplog.text


def test_workers_in_other_folders_find_relative_paths(
    small_checkpoint, videos, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    handler = FeatureHandler(
        Job(
            checkpoints={"rgb": os.path.relpath(small_checkpoint)},
            model={"endpoint": "Mixed_5c", "pool": "both"},
            windows=Windows(10),
            reader=FrameReader(ClipRecipe("rgb")),
            batch_size=1,
            out="features",
            kind="npz",
            settings={},
        )
    )
    path = os.path.relpath(videos / "0.mp4")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    found = handler.run_inference([Input("0", Clip(path))], handler.load_model())
    assert [json.loads(line) for line in found] == [["0", "", ""]]
    assert np.load(tmp_path / "features/0.npz")["features"].shape == (1, 64)


def test_workers_cannot_read_standard_input(checkpoint, tmp_path):
    with pytest.raises(ValueError, match="save the video to a file, or omit --runner"):
        write_features(
            ["-"], checkpoint, tmp_path, windows=Windows(10),
            beam_options=beam_options(),
        )  # fmt: skip


def test_one_file_for_all_is_no_format_of_many_machines(checkpoint, videos, tmp_path):
    with pytest.raises(
        ValueError, match=re.escape("format is npz or npy. Received: 'h5")
    ):
        write_features(
            [videos], checkpoint, tmp_path, windows=Windows(10),
            options=FeatureOptions(format="h5"), beam_options=beam_options(),
        )  # fmt: skip
