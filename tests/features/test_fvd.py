"""The Frechet Video Distance: the reference's protocol, and the program."""

import hashlib
import json
import shutil

import built_models
import numpy as np
import programs
import pytest
import recipe as weights
from videos import write_video

from kinetics_i3d_tf2 import frechet_video_distance, save_checkpoint
from kinetics_i3d_tf2.checkpoints.checkpoint import Checkpoint
from kinetics_i3d_tf2.features import compare, fvd_statistics
from kinetics_i3d_tf2.features.extractor import make_extractor
from kinetics_i3d_tf2.features.frechet import Gaussian, frechet_distance
from kinetics_i3d_tf2.features.fvd import gaussian_of
from kinetics_i3d_tf2.features.fvd_protocols import PROTOCOLS, reference_clip
from kinetics_i3d_tf2.features.video_sets import of_array


def videos_of(seed, count=5, frames=9):
    clips = weights.clip(frames, 3, batch=count, size=32, seed=seed)[:, :, :24]
    return ((clips + 1) * 127.5).clip(0, 255).astype(np.uint8)


REAL, FAKE = videos_of(1), videos_of(2)


@pytest.fixture(scope="module")
def model():
    return built_models.narrow_i3d(7)


@pytest.fixture(scope="module")
def checkpoint(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkpoint")
    save_checkpoint(model, folder / "model.ckpt")
    return f"--rgb_checkpoint={folder}"


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """The two sets as video files, losslessly coded."""
    folder = tmp_path_factory.mktemp("videos")
    for name, videos in (("real", REAL), ("fake", FAKE)):
        (folder / name).mkdir()
        for number, frames in enumerate(videos):
            path = folder / name / f"{number}.mkv"
            write_video(path, frames, codec="ffv1", pixel_format="bgr0", rate=8)
    return folder


@pytest.fixture(scope="module")
def run():
    """Runs the program; returns its exit status, output and standard error."""
    with programs.running("fvd") as send:
        yield send


def plain_distance(model, real, fake):
    gaussians = []
    for videos in (real, fake):
        clips = np.stack([reference_clip(video) for video in videos])
        logits = np.asarray(model(clips), np.float64)
        gaussians.append(Gaussian(len(logits), logits.mean(0), np.cov(logits.T)))
    return frechet_distance(*gaussians)


def test_the_distance_is_that_of_the_logits(model):
    expected = plain_distance(model, REAL, FAKE)
    found = frechet_video_distance(REAL, FAKE, model)
    assert found == pytest.approx(expected, rel=1e-3)
    # As a share of how far the logits spread.
    same = frechet_video_distance(REAL, REAL.copy(), model)
    assert same < 1e-5 * found


def test_neither_order_nor_batches_matter(model):
    extract = make_extractor({"rgb": model}, endpoint="Logits")
    order = [3, 1, 4, 0, 2]
    first, *others = (
        gaussian_of(of_array(videos), extract, batch_size=size, threads=threads)[0]
        for videos, size, threads in (
            (REAL, 5, 1),
            (REAL[order], 5, 1),
            (REAL, 1, 3),
            (REAL[order], 2, 2),
        )
    )
    for other in others:
        assert other.count == first.count == 5
        np.testing.assert_allclose(other.mean, first.mean, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(
            other.covariance, first.covariance, rtol=1e-3, atol=1e-5
        )


def result_of(printed):
    first, *others = printed.splitlines()
    name, _, value = first.partition(": ")
    assert name == "FVD"
    return float(value), others


def test_folders_of_videos(run, folders, checkpoint, model, tmp_path):
    flags = (checkpoint, f"--json={tmp_path}/fvd.json")
    status, printed, error = run(folders / "real", folders / "fake", *flags)
    assert status == 0, error
    distance, others = result_of(printed)
    assert distance == pytest.approx(plain_distance(model, REAL, FAKE), rel=1e-3)
    assert others[0] == f"real: 5 videos of 9 frames, {folders}/real"
    assert others[1] == f"fake: 5 videos of 9 frames, {folders}/fake"
    assert others[2].startswith(f"checkpoint: {checkpoint.partition('=')[2]} (")
    assert others[3].startswith("weights: not those of the reference implementation")
    assert others[4] == "protocol: reference"
    assert "5 real videos are few for a covariance of 7 logits" in error
    results = json.loads((tmp_path / "fvd.json").read_text())
    assert results["fvd"] == pytest.approx(distance, rel=1e-5)
    assert results["protocol"] == "reference"
    expected = {"videos": 5, "frames": 9, "left_out": 0, "damaged": 0}
    assert results["real"] == {"path": str(folders / "real"), **expected}


def test_the_default_weights_are_rgb_scratch(run, checkpoint, tmp_path, monkeypatch):
    weights_of = checkpoint.partition("=")[2]
    shutil.copytree(weights_of, tmp_path / "checkpoints" / "rgb_scratch")
    monkeypatch.chdir(tmp_path)
    for name, videos in (("real", REAL), ("fake", FAKE)):
        np.save(tmp_path / f"{name}.npy", videos)
    status, printed, error = run("real.npy", "fake.npy")
    assert status == 0, error
    assert "checkpoint: checkpoints/rgb_scratch/model.ckpt (" in printed
    found = frechet_video_distance(REAL, FAKE)
    assert found == pytest.approx(result_of(printed)[0], rel=1e-3)


def test_the_released_weights_are_recognised(shared):
    index = shared / "release" / "checkpoints" / "rgb_scratch" / "model.ckpt.index"
    digest = hashlib.sha256(index.read_bytes()).hexdigest()
    assert digest.startswith(compare.RGB_SCRATCH)
    described = compare.describe_weights(compare.RGB_SCRATCH)
    assert described.startswith("rgb_scratch of the release, bit-equal to TF-Hub's")


def test_a_protocol_of_another_project(run, checkpoint, tmp_path):
    for seed, name in ((1, "real"), (2, "fake")):
        np.save(tmp_path / f"{name}.npy", videos_of(seed, 3, 18))
    arguments = (tmp_path / "real.npy", tmp_path / "fake.npy", checkpoint)
    status, printed, error = run(*arguments, "--protocol=styleganv", "--seed=7")
    assert status == 0, error
    assert "real: 3 videos of 16 frames" in printed
    assert printed.endswith("protocol: styleganv, seed 7\n")
    assert "3 real videos; figures published with the protocol styleganv use 2048" in (
        error
    )


def test_statistics_with_the_older_name_of_the_protocol(tmp_path):
    gaussian = Gaussian(2, np.zeros(3), np.eye(3))
    older = {"protocol": "Logits of 224x224, reference resizing"}
    fvd_statistics.save_statistics(tmp_path / "a.npz", gaussian, older)
    _, settings = fvd_statistics.load_statistics(tmp_path / "a.npz")
    assert settings == {"protocol": "reference"}


def test_enough_videos_are_no_warning(run, checkpoint, tmp_path):
    np.save(tmp_path / "many.npy", np.tile(REAL, (3, 1, 1, 1, 1)))
    status, printed, error = run(*[tmp_path / "many.npy"] * 2, checkpoint)
    assert status == 0
    assert "few" not in error
    assert result_of(printed)[0] < 1e-3


def test_statistics_are_saved_and_reused(run, folders, checkpoint, tmp_path):
    real, fake, saved = folders / "real", folders / "fake", tmp_path / "real.npz"
    whole = run(real, fake, checkpoint, f"--save_real={saved}")
    again = run(saved, fake, checkpoint)
    assert (whole[0], again[0]) == (0, 0), again[2]
    assert result_of(again[1])[0] == pytest.approx(result_of(whole[1])[0], rel=1e-4)
    assert f"real: 5 videos of 9 frames, {saved}" in again[1]
    assert "real:" not in again[2]  # No progress bar: they are not read again.


def test_saved_statistics_need_no_model(
    run, folders, checkpoint, tmp_path, monkeypatch
):
    sets = [folders / "real", folders / "fake"]
    saved = [tmp_path / "real.npz", tmp_path / "fake.npz"]
    save = [f"--save_real={saved[0]}", f"--save_fake={saved[1]}"]
    whole = run(*sets, checkpoint, *save)
    monkeypatch.setattr(Checkpoint, "build_model", None)
    again = run(*saved, checkpoint)
    assert (whole[0], again[0]) == (0, 0), again[2]
    assert result_of(again[1])[0] == result_of(whole[1])[0]


def test_statistics_of_something_else(run, folders, checkpoint, tmp_path):
    saved = tmp_path / "real.npz"
    run(folders / "real", folders / "fake", checkpoint, f"--save_real={saved}")
    for flags, message in (
        (["--weights=demo"], "real.npz: is of the checkpoint"),
        ([checkpoint, "--dtype=bfloat16"], "is of the dtype float32, and now it is"),
        ([checkpoint, "--num_frames=12"], "is of videos of 9 frames, not of"),
        ([checkpoint, "--protocol=videogpt"], "is of the protocol reference, and now"),
        ([checkpoint, f"--save_real={saved}"], "real.npz is such a file already"),
    ):
        status, _, error = run(saved, folders / "fake", *flags)
        assert status == 2
        assert message in error
    np.savez(saved, mean=np.zeros(3))
    status, _, error = run(saved, folders / "fake", checkpoint)
    assert (status, "holds no statistics of this program" in error) == (2, True)


def test_videos_that_cannot_be_read(run, folders, checkpoint, tmp_path):
    for path in (folders / "real").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "3.mkv").write_bytes(b"no video")
    status, _, error = run(tmp_path, folders / "fake", checkpoint)
    assert status == 2
    assert "1 of 5 videos cannot be read, more than max_damaged=0" in error
    assert f"{tmp_path}/3.mkv: is not a video" in error
    status, printed, error = run(
        tmp_path, folders / "fake", checkpoint, "--max_damaged=0.2"
    )
    assert status == 0, error
    assert f"real: 4 videos of 9 frames, {tmp_path}; 1 left out" in printed
    assert f"Skipping a video (1 of 5 so far): {tmp_path}/3.mkv: is not" in error
    assert "4 real and 5 fake videos: the distance depends on both" in error


def test_lengths_differ(run, folders, checkpoint, tmp_path):
    np.save(tmp_path / "long.npy", videos_of(3, 2, 12))
    status, _, error = run(folders / "real", tmp_path / "long.npy", checkpoint)
    assert status == 2
    assert "have 9 frames, those of the other 12; set how many" in error
    np.save(tmp_path / "short.npy", REAL)
    status, _, error = run(tmp_path, folders / "real", checkpoint)
    assert status == 2
    assert "short.npy[0]: has 9 frames, others 12" in error
    flags = (checkpoint, "--num_frames=9")
    status, printed, error = run(tmp_path, folders / "real", *flags)
    assert status == 0, error
    assert "real: 7 videos of 9 frames" in printed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "name two sets of videos: i3d fvd REAL FAKE"),
        (["a", "b", "c"], "name two sets of videos"),
        (["absent", "b"], "absent: there is no such file or folder"),
        (
            ["a", "b", "--rgb_checkpoint=absent"],
            "absent: there is no such file, checkpoint",
        ),
        (["a", "b", "--num_frames=8"], "num_frames must be at least 9"),
        (["a", "b", "--eval_type=joint"], "of the RGB stream's logits"),
        (["a", "b", "--model=c3d"], "of i3d's logits"),
        (["a", "b", "--protocol=fid"], f"should be one of <{'|'.join(PROTOCOLS)}>"),
        (["a", "b", "--save_real=x.txt"], "name a .npz file"),
        (["a", "b", "--json=/absent/x"], "there is no such folder"),
    ],
    ids=lambda value: (
        "_".join(value).replace("/", "") if isinstance(value, list) else ""
    ),
)
def test_wrong_arguments(run, checkpoint, arguments, message):
    status, printed, error = run(*programs.overridden([checkpoint], arguments))
    assert (status, printed) == (2, "")
    assert message in error
    assert error.count("\n") == 1


def test_one_video_is_no_set(run, folders, checkpoint):
    status, _, error = run(folders / "real/0.mkv", folders / "fake", checkpoint)
    assert status == 2
    assert "0.mkv: 1 of the set's videos can be read; a covariance takes" in error


def test_a_unit_range_is_not_taken_for_bytes(run, folders, checkpoint, tmp_path):
    np.save(tmp_path / "unit.npy", (FAKE / 255).astype(np.float32))
    arguments = (folders / "real", tmp_path / "unit.npy", checkpoint)
    status, _, error = run(*arguments, "--float_range=0..255")
    assert (status, "all values are in [0, 1]" in error) == (2, True)
    status, printed, _ = run(*arguments, "--float_range=0..1")
    assert status == 0
    plain = run(folders / "real", folders / "fake", checkpoint)
    assert result_of(printed)[0] == pytest.approx(result_of(plain[1])[0], rel=1e-3)
