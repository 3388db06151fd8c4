"""`i3d train` as a user runs it: killed, stopped, refused."""

import functools
import json
import random
import re
import signal
import socket
import time

import processes
import programs
import pytest
import trainings

from kinetics_i3d_tf2 import load_model
from kinetics_i3d_tf2.data import labels
from kinetics_i3d_tf2.training.recipes import RECIPES
from kinetics_i3d_tf2.visualization import plots

SMALL = (
    "--recipe=finetune_full", "--init=none", "--model=c3d", "--width=0.0625",
    "--batch_size=2", "--steps=4", "--checkpoint_every=1", "--strategy=one_device",
)  # fmt: skip


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("videos")
    return trainings.write_videos(folder, {"train": 4, "val": 2})


@pytest.fixture
def training(videos):
    def run(*arguments, videos=videos):
        common = (*SMALL, "--dataset=folder", f"--videos={videos}")
        return programs.run("train", *programs.overridden(common, arguments))

    return run


def start(videos, folder, *arguments, **options):
    common = (*SMALL, "--dataset=folder", f"--videos={videos}", f"--out={folder}")
    flags = programs.overridden(common, arguments)
    return programs.start("train", *flags, **options)


def data_of(folder):
    return (folder / "last" / "model.ckpt.data-00000-of-00001").read_bytes()


def test_killed_anywhere_it_goes_on_bit_for_bit(training, videos, tmp_path):
    whole = training(f"--out={tmp_path / 'whole'}")
    assert whole.returncode == 0, whole.stderr
    assert whole.stdout.startswith(f"4 steps are done. Checkpoints: {tmp_path}/whole/")
    assert "top-1 of" in whole.stdout
    if plots.is_installed():
        assert (tmp_path / "whole" / "curves.png").read_bytes().startswith(b"\x89PNG")
    cut = tmp_path / "cut"
    process = start(videos, cut)
    process.wait_until((cut / "last").exists)
    time.sleep(random.uniform(0, 0.3))
    process.kill()
    again = training(f"--out={cut}")
    assert again.returncode == 0, again.stderr
    assert re.search(r"Resuming after step \d", again.stderr)
    assert data_of(cut) == data_of(tmp_path / "whole")
    model = load_model(cut / "last")
    assert (model.num_classes, model.width) == (2, 1 / 16)
    names = labels.read_label_map(cut / "last" / "label_map.txt")
    assert names == ("bright", "dark")
    done = training(f"--out={cut}")
    assert done.stdout == again.stdout
    other = training(f"--out={cut}", "--seed=1")
    assert other.returncode == 2
    assert "was begun with seed 0, now 1" in other.stderr.splitlines()[-1]


@pytest.fixture(scope="module")
def stopped(videos, tmp_path_factory):
    """Folder, exit status and standard error of a run that Ctrl-C stopped."""
    folder = tmp_path_factory.mktemp("stopped")
    process = start(videos, folder, "--steps=2000")
    process.wait_until((folder / "last").exists)
    process.send_signal(signal.SIGINT)
    process.wait()
    return folder, process.returncode, process.stderr


def test_ctrl_c_saves_the_steps_so_far(stopped):
    folder, status, errors = stopped
    assert status == 130, errors
    assert "Stopped; run the same command again to resume" in errors
    state = json.loads((folder / "last" / "state.json").read_text())
    assert 0 < state["step"] < 2000


def test_a_full_disk_leaves_the_last_checkpoint(videos, stopped):
    """A limit on file sizes stands for the disk."""
    folder, *_ = stopped
    before = data_of(folder)
    limit = functools.partial(processes.limit_files, 300 << 10)
    process = start(videos, folder, "--steps=2000", setup=limit)
    assert process.wait() == 2, process.stderr
    last = process.stderr.splitlines()[-1]
    assert re.search("error: .*(too large|cannot be written)", last)
    assert data_of(folder) == before


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--out="], "out=: must be a folder on this machine"),
        (["--out={}", "--recipe=mine"], "value should be one of <release_rgb|"),
        (
            ["--out={}", "--batch_size=3", "--gradient_accumulation_steps=2"],
            "a multiple of 2 (replicas",
        ),
        (["--out={}", "--split=tests"], "There is no split 'tests' in the dataset"),
        (["--out={}", "--init={}/none"], "none"),
        (["--out=s3://bucket/run"], "must be a folder on this machine"),
        (["--out={}", "--learning_rate=-1"], "rates must be above 0"),
        (["--out={}", "--strategy=multi_worker"], "TF_CONFIG, as"),
        (["--out={}", "--videos={}/none"], "none"),
        (["--out={}", "--data_service=grpc://localhost:1"], "localhost:1"),
        (["--out={}", "frozen"], "Unknown argument 'frozen'"),
        (["--out={}", "--epochs=2"], "set either --epochs or --steps, not both"),
        (["--out={}", "--validation_split=2"], "must be above 0 and below 1"),
        (
            ["--out={}", "--validation_split=0.5", "--val_split=val"],
            "set either --validation_split or --val_split",
        ),
    ],
    ids=str,
)
def test_mistakes(training, tmp_path, arguments, message):
    done = training(*[argument.format(tmp_path) for argument in arguments])
    assert done.returncode == 2, done.stderr
    last = done.stderr.splitlines()[-1]
    assert message in last and "error:" in last, done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "checkpoints").exists()


def test_a_validation_split_and_epochs(training, tmp_path):
    videos = trainings.write_videos(tmp_path / "flat", {"train": 6})
    out = tmp_path / "run"
    flags = [flag for flag in SMALL if not flag.startswith("--steps")]
    done = programs.run(
        "train", *flags, "--dataset=folder", f"--videos={videos}", "--epochs=2",
        "--validation_split=0.34", f"--out={out}",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "4 clips to train on, 2 to validate" in done.stderr
    assert done.stdout.startswith("4 steps are done.")
    assert "The best is" in done.stdout and (out / "best").exists()


def test_without_validation_the_best_is_the_last(training, tmp_path):
    out = tmp_path / "run"
    done = training("--val_split=none", "--steps=2", f"--out={out}")
    assert done.returncode == 0, done.stderr
    assert f"Without a validation split, {out}/best is the last" in done.stdout
    assert (out / "best").resolve() == (out / "last").resolve()
    assert load_model(out / "best").class_names == ("bright", "dark")


def test_too_many_unreadable_videos(training, tmp_path):
    for split in ("train", "val"):
        path = tmp_path / "videos" / split / "a" / "bad.mp4"
        path.parent.mkdir(parents=True)
        path.write_text("no video")
    done = training(f"--out={tmp_path / 'run'}", videos=tmp_path / "videos")
    assert done.returncode == 2, done.stderr
    last = done.stderr.splitlines()[-1]
    assert "bad.mp4" in last and last.startswith("i3d train: error: ")


@pytest.mark.slow
def test_a_worker_that_dies_ends_the_others(videos, tmp_path):
    """TensorFlow notices after about a minute."""
    with socket.socket() as first, socket.socket() as second:
        for probe in (first, second):
            probe.bind(("127.0.0.1", 0))
        hosts = [f"127.0.0.1:{s.getsockname()[1]}" for s in (first, second)]
    workers = []
    for index in range(2):
        task = {"type": "worker", "index": index}
        config = json.dumps({"cluster": {"worker": hosts}, "task": task})
        flags = ("--steps=100000", "--strategy=multi_worker")
        workers.append(start(videos, tmp_path, *flags, TF_CONFIG=config))
    try:
        workers[0].wait_until((tmp_path / "last").exists)
        workers[1].kill()
        assert workers[0].wait() == 2, workers[0].stderr
    finally:
        for worker in workers:
            worker.kill()
    assert "another worker was lost" in workers[0].stderr.splitlines()[-1]
    assert load_model(tmp_path / "last").num_classes == 2


def test_help_explains_recipes_and_flags(training):
    done = training("--help")
    assert done.returncode == 0
    for word in ("--recipe", *RECIPES, "--freeze_until", "--records", "TF_CONFIG"):
        assert word in done.stdout


def test_several_labels_with_their_times(training, videos, tmp_path):
    rows = ["path,labels,start,end,split"]
    for path in sorted(videos.rglob("*.mkv")):
        split, name = path.parent.parent.name, path.parent.name
        rows.append(f"{path},{name}|late,|0.2,|9,{split}")
    (tmp_path / "labels.csv").write_text("\n".join(rows) + "\n")
    (tmp_path / "weights.csv").write_text("class,weight\nlate,1\nbright,2\ndark,2\n")
    out = tmp_path / "run"
    done = training(
        "--dataset=intervals",
        f"--annotations={tmp_path}/labels.csv",
        "--loss=sigmoid",
        f"--class_weights={tmp_path}/weights.csv",
        "--steps=1",
        f"--out={out}",
    )
    assert done.returncode == 0, done.stderr
    assert re.search(r"mean average precision of \d+\.\d\d% on the val", done.stdout)
    settings = json.loads((out / "settings.json").read_text())["settings"]
    assert (settings["loss"], settings["class_weights"]) == ("sigmoid", [2.0, 2.0, 1.0])
    assert labels.read_label_map(out / "last" / "label_map.txt") == (
        "bright", "dark", "late",
    )  # fmt: skip
    assert "late 0.2..9.0" in (out / "clips.csv").read_text()


def test_dense_needs_a_sigmoid(training, tmp_path):
    done = training("--model=i3d", "--temporal=dense", f"--out={tmp_path}")
    assert done.returncode == 2
    assert "use loss=sigmoid" in done.stderr
