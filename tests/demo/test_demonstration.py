"""The demonstration's weights and clips, and what stands in for what, offline."""

import re
import shutil

import numpy as np
import programs
import pytest
import recipe
from conftest import ROOT

from kinetics_i3d_tf2 import InceptionI3d, save_checkpoint
from kinetics_i3d_tf2.checkpoints.checkpoint import Checkpoint
from kinetics_i3d_tf2.checkpoints.load import load_model
from kinetics_i3d_tf2.data import labels
from kinetics_i3d_tf2.demo import scenes

CLASSES = tuple(sorted(action.name for action in scenes.ACTIONS))
NOWHERE = {"https_proxy": "http://127.0.0.1:9", "no_proxy": ""}


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """The script with the demonstration beside it, and nothing downloaded."""
    folder = tmp_path_factory.mktemp("checkout")
    shutil.copy(ROOT / "evaluate_sample.py", folder)
    for kind, pattern in (("checkpoints", "demo_*"), ("data", "demo_*.mp4")):
        for path in (ROOT / kind).glob(pattern):
            copy = shutil.copytree if path.is_dir() else shutil.copy
            (folder / kind).mkdir(exist_ok=True)
            copy(path, folder / kind / path.name)
    return folder


@pytest.fixture
def evaluate(checkout, no_backoff):
    def run(*arguments):
        script = checkout / "evaluate_sample.py"
        return programs.run_script(script, *arguments, **NOWHERE)

    return run


def top_of(done):
    assert done.returncode == 0, done.stderr
    return re.search(r"probabilities\n(\S+) \S+ (.+)", done.stdout).groups()


@pytest.mark.parametrize("name, channels", [("rgb", 3), ("flow", 2), ("dense", 3)])
def test_the_weights_are_small_and_of_the_eight_classes(name, channels):
    folder = ROOT / "checkpoints" / f"demo_{name}"
    assert sum(path.stat().st_size for path in folder.iterdir()) < 2e6
    model = load_model(folder)
    assert (model.num_channels, model.width) == (channels, 1 / 8)
    expected = ("dense", "sigmoid") if name == "dense" else ("mean", "softmax")
    assert (model.temporal, model.activation) == expected
    assert Checkpoint(folder).class_names == CLASSES


def test_without_network_both_streams_of_the_demonstration_are_right(evaluate):
    done = evaluate("--eval_type=joint")
    probability, name = top_of(done)
    assert name == "opening a door"
    assert float(probability) > 0.9
    assert "this is a demonstration" in done.stderr
    assert "no class of Kinetics" in done.stderr
    assert len(done.stdout.splitlines()) == 3 + len(CLASSES)


def test_the_other_clip(evaluate):
    arguments = (
        "--weights=demo",
        "--eval_type=rgb",
        "--video=data/demo_picking_up.mp4",
    )
    done = evaluate(*arguments)
    assert top_of(done)[1] == "picking up"
    assert "demonstration:" not in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["--weights=released"],
        ["--video=data/demo_picking_up.mp4"],
        ["--eval_type=rgb600"],
        ["--imagenet_pretrained=false"],
    ],
    ids=str,
)
def test_what_was_named_is_never_replaced(evaluate, arguments):
    done = evaluate(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    last = done.stderr.splitlines()[-1]
    assert "cannot be downloaded" in last and "Get it by hand" in last


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """Checkpoints of five classes, of both streams, and one of six."""
    folder = tmp_path_factory.mktemp("own")
    for name, channels, count in (("rgb", 3, 5), ("flow", 2, 5), ("six", 2, 6)):
        model = InceptionI3d(count, num_channels=channels, width=1 / 16)
        save_checkpoint(recipe.assign(model), folder / name / "model.ckpt")
        labels.write_label_map(folder / name / "label_map.txt", list("abcdef"[:count]))
        np.save(folder / f"{name}.npy", recipe.clip(9, channels))
    return folder


def test_models_of_ones_own(evaluate, own):
    done = evaluate(
        f"--rgb_checkpoint={own / 'rgb'}",
        f"--flow_checkpoint={own / 'flow' / 'model.ckpt'}",
        f"--rgb_sample={own / 'rgb.npy'}",
        f"--flow_sample={own / 'flow.npy'}",
    )
    logits = sum(
        load_model(own / name)(recipe.clip(9, channels)).numpy()[0]
        for name, channels in (("rgb", 3), ("flow", 2))
    )
    assert top_of(done)[1] == "abcde"[logits.argmax()]
    norm = float(re.search(r"Norm of logits: (\S+)", done.stdout)[1])
    assert norm == pytest.approx(np.linalg.norm(logits), rel=1e-4)


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--rgb_checkpoint={}/rgb"], "takes --flow_checkpoint and --rgb_checkpoint"),
        (
            ["--eval_type=rgb", "--flow_checkpoint={}/flow"],
            "takes --rgb_checkpoint and no other",
        ),
        (["--eval_type=rgb600", "--rgb_checkpoint={}/rgb"], "type --eval_type=rgb"),
        (
            ["--eval_type=rgb", "--rgb_checkpoint={}/rgb", "--weights=demo"],
            "--weights does not go with --rgb_checkpoint",
        ),
        (
            ["--eval_type=rgb", "--rgb_checkpoint={}/rgb", "--checkpoint_dir={}"],
            "name one or the other",
        ),
        (["--eval_type=rgb600", "--weights=demo"], "no weights of Kinetics-600"),
        (
            ["--eval_type=rgb", "--rgb_checkpoint={}/flow", "--rgb_sample={}/rgb.npy"],
            "is of the stream flow, not of rgb",
        ),
        (
            [
                "--rgb_checkpoint={}/rgb",
                "--flow_checkpoint={}/six",
                "--rgb_sample={}/rgb.npy",
                "--flow_sample={}/six.npy",
            ],
            "are of different classes",
        ),
    ],
    ids=str,
)
def test_mistakes(evaluate, own, arguments, message):
    done = evaluate(*[argument.format(own) for argument in arguments])
    assert done.returncode == 2
    assert message in done.stderr.splitlines()[-1]
    assert done.stdout == ""
