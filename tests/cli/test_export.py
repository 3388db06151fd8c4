"""`i3d export`, and a client of what it writes."""

import dataclasses
import json
import re
import sys

import numpy as np
import programs
import pytest
import recipe
import tensorflow as tf
from conftest import ROOT

from kinetics_i3d_tf2 import C3d, Checkpoint, read_video, save_checkpoint
from kinetics_i3d_tf2.data import labels
from kinetics_i3d_tf2.data.clip_recipe import ClipRecipe
from kinetics_i3d_tf2.export import saved_model
from kinetics_i3d_tf2.training.build import new_model

DEMO = ("--weights=demo", "--eval_type=rgb")
C3D = ("--model=c3d", "--eval_type=rgb")

# Runs where this package, Keras and its layers cannot be imported.
CLIENT = """
import sys
for name in ("kinetics_i3d_tf2", "keras", "cv2"):
    sys.modules[name] = None
import numpy as np, tensorflow as tf
for folder in sys.argv[2:]:
    answer = tf.saved_model.load(folder).signatures["serving_default"]
    labels = answer(frames=np.load(sys.argv[1]))["labels"]
    print(labels.numpy()[0, 0].decode(), labels.shape[1])
"""


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """The demonstration, exported as two versions: both streams, and one.

    Into a folder with what a killed export left.
    """
    folder = tmp_path_factory.mktemp("served")
    (folder / ".1").mkdir()
    (folder / ".1" / "saved_model.pb").write_bytes(b"half")
    # TensorFlow warns of what a strategy of an earlier test has left in the graph.
    tf.compat.v1.reset_default_graph()
    done = [
        programs.run("export", "--weights=demo", f"--out={folder}", *options)
        for options in (
            ["--eval_type=joint"],
            ["--eval_type=rgb", "--dtype=bfloat16", "--top=3"],
        )
    ]
    return folder, done


def test_versions_are_whole_and_count_up(exported):
    folder, done = exported
    for version, one in zip("12", done, strict=True):
        assert one.returncode == 0, one.stderr
        assert one.stdout.startswith(f"{folder / version}: serving_default, ")
        assert "8 classes" in one.stdout
        difference = float(re.search(r"logits (\S+)$", one.stdout)[1])
        assert difference < {"1": 1e-4, "2": 0.5}[version]
        assert (folder / version / "saved_model.pb").is_file()
    assert sorted(p.name for p in folder.iterdir()) == [".lock", "1", "2"]


def test_standard_error_has_a_few_lines_for_people(exported):
    writers = "export_model|saved_model|chosen_checkpoints|dtypes"
    for done in exported[1]:
        lines = done.stderr.splitlines()
        assert len(lines) <= 6, done.stderr
        assert all(re.search(rf"({writers})\.py", line) for line in lines)


def test_versions_answer_without_this_package(exported, python, tmp_path):
    frames = read_video(ROOT / "data" / "demo_opening_a_door.mp4")
    np.save(tmp_path / "frames.npy", frames[None, :9])
    folders = [exported[0] / version for version in "12"]
    done = python("-c", CLIENT, tmp_path / "frames.npy", *folders, PYTHONPATH="")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "opening a door 8\nopening a door 3\n"


@pytest.mark.parametrize("version", "12")
def test_versions_carry_their_metadata(exported, version):
    extra = exported[0] / version / "assets.extra"
    names = json.loads((extra / "class_names.json").read_text(encoding="utf-8"))
    assert names == [*Checkpoint(ROOT / "checkpoints" / "demo_rgb").class_names]
    preprocessing = json.loads((extra / "preprocessing.json").read_text())
    streams = {"1": ["rgb", "flow"], "2": ["rgb"]}[version]
    assert list(preprocessing["inputs"]) == streams


def test_logits_take_no_uint8_and_no_pixels(exported):
    logits = saved_model.load(exported[0] / "2")["logits"]
    pixels = np.full((1, 9, 224, 224, 3), 99, np.uint8)
    with pytest.raises((TypeError, tf.errors.InvalidArgumentError), match="uint8"):
        logits(rgb=tf.constant(pixels))
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"in \[-1, 1\].*99"):
        logits(rgb=tf.constant(pixels, tf.float32))


def test_an_export_that_stops_leaves_no_version(tmp_path, monkeypatch):
    def stop(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(saved_model, "load", stop)  # What is written is then compared.
    done = programs.run("export", *DEMO, f"--out={tmp_path}")
    assert done.returncode == 130
    assert not (tmp_path / "1").exists()


def test_without_the_extra_there_is_no_warmup(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "tensorflow_serving.apis", None)
    done = programs.run("export", *DEMO, f"--out={tmp_path}")
    assert done.returncode == 0, done.stderr
    assert "pip install 'kinetics-i3d-tf2[serving]'" in done.stderr
    assert not (tmp_path / "1" / saved_model.WARMUP).exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "i3d export: error: --out is required"),
        (["--out="], "--out=: name a folder on this machine"),
        (["--out=README.md"], "--out=README.md: is a file; name a folder"),
        (["--out=s3://a/b"], "--out=s3://a/b: name a folder on this machine"),
        (["--out=o", "--top=0"], "--top"),
        (["--out=o", "--model_name="], "--model_name= is empty"),
        (["--out=o", "--flow_epsilon=0"], "--flow_epsilon must be above 0"),
        (
            ["--out=o", "--eval_type=rgb", "--flow_epsilon=0.1"],
            "is for models with a Flow stream",
        ),
        (["--out=o", "--rgb_checkpoint=a"], "takes --flow_checkpoint and --rgb_checkp"),
        (["--out=o", "--eval_type=rgb", "--rgb_checkpoint=/nowhere"], "/nowhere"),
        (["--out=o", "--checkpoint_dir=/nowhere"], "model.ckpt.index: is missing"),
        (["--out=o", "--format=onnx", "--top=3"], "--top is for --format=saved_model"),
        (["--out=o", "--format=lite"], "<saved_model|onnx|openvino|litert|tflite>"),
        (["--out=o", "--format=tflite"], "litert files"),
        (["--out=o", "served"], "Unknown argument 'served'"),
        (["--out=o", "--model=c3d"], "has no released weights; name a checkpoint of"),
        (["--out=o", "--num_frames=16"], "I3D takes any number of frames"),
    ],
    ids=str,
)
def test_mistakes(tmp_path, arguments, message):
    arguments = [a.replace("--out=o", f"--out={tmp_path / 'o'}") for a in arguments]
    done = programs.run("export", *arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert message in done.stderr.splitlines()[-1], done.stderr
    assert not (tmp_path / "o" / "1").exists()


def test_help_explains_every_flag():
    done = programs.run("export", "--help")
    flags = ("eval_type", "weights", "checkpoint_dir", "imagenet_pretrained", "top")
    for flag in (*flags, "dtype", "out", "format", "model_name", "flow_epsilon"):
        assert re.search(rf"^  --(\[no\])?{flag}:$", done.stdout, re.MULTILINE), flag


def write_checkpoint(model, folder):
    """Writes a model of the classes a, b and c."""
    save_checkpoint(model, folder / "model.ckpt")
    labels.write_label_map(folder / "label_map.txt", "abc")


def test_another_architecture(tmp_path):
    write_checkpoint(recipe.assign(C3d(3, width=1 / 16)), tmp_path / "own")
    done = programs.run(
        "export", *C3D, f"--rgb_checkpoint={tmp_path / 'own'}",
        f"--out={tmp_path / 'served'}",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert ": serving_default, encoded_frames, logits; 3 classes" in done.stdout


def test_weights_that_are_not_finite_are_not_exported(tmp_path):
    model = recipe.assign(C3d(3, width=1 / 16))
    model.weights[0].assign(model.weights[0] * np.nan)
    write_checkpoint(model, tmp_path / "own")
    done = programs.run(
        "export", *C3D, f"--rgb_checkpoint={tmp_path / 'own'}",
        f"--out={tmp_path / 'served'}",
    )  # fmt: skip
    assert done.returncode == 2
    assert "nothing is exported" in done.stderr.splitlines()[-1]
    assert [path.name for path in (tmp_path / "served").iterdir()] == [".lock"]


def test_no_demonstration_stands_in_for_what_cannot_be_downloaded(
    tmp_path, monkeypatch, no_backoff
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    done = programs.run("export", "--out=served")
    assert done.returncode == 2
    assert "Get it by hand" in done.stderr.splitlines()[-1]
    assert not (tmp_path / "served").exists()


def test_another_format(tmp_path):
    """Of a model of both streams, whose clips the flags tell."""
    pytest.importorskip("tf2onnx", reason="the extra onnx is not installed")
    import onnx

    clip = dataclasses.replace(
        ClipRecipe.of_model("two_stream"), num_frames=4, rgb_stride=4
    )
    model = recipe.assign(new_model("two_stream", 3, clip, width=1 / 16))
    write_checkpoint(model, tmp_path / "own")
    (tmp_path / "out").mkdir()
    path = tmp_path / "out" / "own.onnx"
    done = programs.run(
        "export", "--model=two_stream", f"--joint_checkpoint={tmp_path / 'own'}",
        "--num_frames=4", "--rgb_stride=4", "--format=onnx", f"--out={path}",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "joint to logits; 3 classes" in done.stdout
    assert float(re.search(r"logits (\S+)$", done.stdout)[1]) < 1e-4
    files = sorted(file.name for file in path.parent.iterdir())
    assert files == ["own.labels.txt", "own.onnx"]
    texts = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
    inputs = json.loads(texts["preprocessing"])["inputs"]
    assert {stream: inputs[stream]["frames"] for stream in inputs} == {
        "rgb": 1,
        "flow": 4,
    }


def test_a_file_of_another_format_is_checked_before_the_models_are_read():
    done = programs.run(
        "export", "--format=onnx", "--out=/nowhere/i3d.onnx", "--checkpoint_dir=/gone"
    )
    assert done.returncode == 2
    assert "no such folder" in done.stderr or "onnx files need" in done.stderr
