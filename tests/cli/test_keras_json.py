"""Keras's configuration file does not change what programs compute."""

import json

import keras
import numpy as np
import programs
import pytest
from conftest import ROOT

from kinetics_i3d_tf2 import Classifier, InceptionI3d

VIDEO = ROOT / "data" / "demo_picking_up.mp4"
each_floatx = pytest.mark.parametrize("floatx", ["float16", "float64"])


@pytest.fixture
def with_floatx():
    """Sets floatx as a keras.json does; Keras makes its policy of it."""
    before = keras.config.floatx(), keras.config.dtype_policy()

    def set_floatx(floatx):
        keras.config.set_floatx(floatx)
        keras.config.set_dtype_policy(floatx)

    yield set_floatx
    keras.config.set_floatx(before[0])
    keras.config.set_dtype_policy(before[1])


def arguments_of(command, out):
    rgb = ("--weights=demo", "--eval_type=rgb")
    data = ("--dataset=folder", f"--videos={out}/videos")
    return {
        "classify": (*rgb, f"--video={VIDEO}", "--top=1"),
        "evaluate": (*rgb, *data, f"--out={out}/evaluation"),
        "features": (*rgb, VIDEO, f"--out={out}/features"),
        "fvd": (VIDEO.parent, VIDEO.parent, "--weights=demo", "--num_frames=14"),
        "export": (*rgb, f"--out={out}/served"),
        "train": (
            *("--recipe=finetune_full", "--init=none", "--model=c3d", "--steps=1"),
            *("--width=0.0625", "--batch_size=2", *data, f"--out={out}/run"),
        ),
    }[command]


@pytest.mark.parametrize(
    ("command", "floatx"),
    [
        ("classify", "float64"),
        ("classify", "float16"),
        ("evaluate", "float16"),
        ("features", "float16"),
        ("fvd", "float16"),
        pytest.param("export", "float16", marks=pytest.mark.slow),
        pytest.param("train", "float64", marks=pytest.mark.slow),
        pytest.param("train", "float16", marks=pytest.mark.slow),
    ],
)
def test_programs(with_floatx, tmp_path, command, floatx):
    for split in ("train", "val"):
        folder = tmp_path / "videos" / split / "picking up"
        folder.mkdir(parents=True)
        for name in "ab":
            (folder / f"{name}.mp4").write_bytes(VIDEO.read_bytes())
    arguments = arguments_of(command, tmp_path)
    with_floatx(floatx)
    done = programs.run(command, *arguments)
    assert done.returncode == 0, done.stderr
    if command == "classify":
        assert done.stdout.endswith("\n0.985098 8.9765 picking up\n")


@each_floatx
def test_the_classifier(with_floatx, floatx):
    expected = Classifier("demo_rgb").score(VIDEO).logits
    with_floatx(floatx)
    np.testing.assert_array_equal(Classifier("demo_rgb").score(VIDEO).logits, expected)
    model = InceptionI3d(final_endpoint="Conv3d_1a_7x7", width=1 / 16)
    assert (model.input.dtype, model.dtype_policy.name) == ("float32", floatx)


@pytest.mark.slow
def test_a_process_that_reads_the_file(python, tmp_path):
    (tmp_path / "keras.json").write_text(json.dumps({"floatx": "float16"}))
    done = python(
        "-m", "kinetics_i3d_tf2", "classify", f"--video={VIDEO}", "--weights=demo",
        "--eval_type=rgb", "--top=1", KERAS_HOME=str(tmp_path),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(" picking up\n")
