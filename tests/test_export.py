"""The program that exports, in a process of its own, and what it wrote."""

import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import recipe
from conftest import ROOT

from kinetics_i3d_tf2 import InceptionI3d, read_video, save_checkpoint

PROGRAM = ("-m", "kinetics_i3d_tf2.export")
DEMO = ("--weights=demo", "--eval_type=rgb")

# Runs where this package, Keras and its layers cannot be imported.
CLIENT = """
import sys
for name in ("kinetics_i3d_tf2", "keras", "cv2"):
    sys.modules[name] = None
import numpy as np, tensorflow as tf
answer = tf.saved_model.load(sys.argv[1]).signatures["serving_default"]
answer = answer(frames=np.load(sys.argv[2]))
print(answer["labels"].numpy()[0, 0].decode(), answer["labels"].shape[1])
"""


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """The demonstration's RGB stream, exported twice."""
    folder = tmp_path_factory.mktemp("served")
    command = [sys.executable, *PROGRAM, *DEMO, f"--out={folder}"]
    done = [
        subprocess.run(
            [*command, f"--top={k}"], cwd=ROOT, capture_output=True, text=True
        )
        for k in (20, 3)
    ]
    return folder, done


def test_versions_are_whole_and_count_up(exported):
    folder, done = exported
    for version, one in zip("12", done, strict=True):
        assert one.returncode == 0, one.stderr
        assert one.stdout.startswith(f"{folder / version}: serving_default, ")
        assert "8 classes" in one.stdout
        assert float(re.search(r"logits (\S+)$", one.stdout)[1]) < 1e-4
        assert (folder / version / "saved_model.pb").is_file()
    assert sorted(p.name for p in folder.iterdir() if p.is_dir()) == ["1", "2"]


def test_standard_error_has_a_few_lines_for_people(exported):
    for done in exported[1]:
        lines = done.stderr.splitlines()
        assert len(lines) <= 5, done.stderr
        assert all("export.py" in line or "model_flags.py" in line for line in lines)


@pytest.mark.parametrize(("version", "count"), [("1", 8), ("2", 3)])
def test_it_answers_without_this_package(exported, python, tmp_path, version, count):
    frames = read_video(ROOT / "data" / "demo_opening_a_door.mp4")
    np.save(tmp_path / "frames.npy", frames[None])
    done = python(
        "-c", CLIENT, exported[0] / version, tmp_path / "frames.npy", PYTHONPATH=""
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"opening a door {count}\n"


def test_killed_half_way_leaves_no_version(tmp_path):
    command = [sys.executable, *PROGRAM, *DEMO, f"--out={tmp_path}"]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        while not (tmp_path / ".1").exists():
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    assert not (tmp_path / "1").exists()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == [".lock", "1"]


def test_without_the_extra_there_is_no_warmup(python, tmp_path):
    (tmp_path / "tensorflow_serving.py").write_text("raise ModuleNotFoundError\n")
    done = python(
        *PROGRAM,
        *DEMO,
        f"--out={tmp_path / 'served'}",
        PYTHONPATH=f"{tmp_path}:{ROOT}",
    )
    assert done.returncode == 0, done.stderr
    assert "pip install 'kinetics-i3d-tf2[serving]'" in done.stderr
    assert not (tmp_path / "served" / "1" / "assets.extra").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Flag --out must have a value other than None"),
        (["--out="], "--out=: name a folder on this machine"),
        (["--out=s3://a/b"], "--out=s3://a/b: name a folder on this machine"),
        (["--out=o", "--top=0"], "--top"),
        (["--out=o", "--model_name="], "--model_name= names nothing"),
        (["--out=o", "--flow_epsilon=0"], "--flow_epsilon must be above 0"),
        (
            ["--out=o", "--eval_type=rgb", "--flow_epsilon=0.1"],
            "is for models with a Flow stream",
        ),
        (["--out=o", "--rgb_checkpoint=a"], "takes --flow_checkpoint and --rgb_checkp"),
        (["--out=o", "--eval_type=rgb", "--rgb_checkpoint=/nowhere"], "/nowhere"),
        (["--out=o", "--checkpoint_dir=/nowhere"], "model.ckpt.index: is missing"),
        (["--out=o", "--format=onnx", "--top=3"], "--top is for --format=saved_model"),
        (["--out=o", "--format=tflite"], "<saved_model|onnx|openvino|litert>"),
        (["--out=o", "served"], "Unknown argument 'served'"),
    ],
    ids=str,
)
def test_mistakes(python, tmp_path, arguments, message):
    arguments = [a.replace("--out=o", f"--out={tmp_path / 'o'}") for a in arguments]
    done = python(*PROGRAM, *arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert message in done.stderr.splitlines()[-1], done.stderr
    assert not (tmp_path / "o" / "1").exists()


def test_help_explains_every_flag(python):
    done = python(*PROGRAM, "--help")
    flags = ("eval_type", "weights", "checkpoint_dir", "imagenet_pretrained", "top")
    for flag in (*flags, "dtype", "out", "format", "model_name", "flow_epsilon"):
        assert re.search(rf"^  --(\[no\])?{flag}: ", done.stdout, re.MULTILINE), flag


@pytest.mark.slow
def test_full_size_gives_the_goldens(python, golden, tmp_path):
    from kinetics_i3d_tf2 import servable

    for stream, channels in (("rgb", 3), ("flow", 2)):
        model = recipe.assign(InceptionI3d(400, num_channels=channels))
        folder = tmp_path / "checkpoints" / f"{stream}_imagenet"
        save_checkpoint(model, folder / "model.ckpt", scope=stream.title())
    out = tmp_path / "served"
    done = python(
        *PROGRAM, f"--checkpoint_dir={tmp_path / 'checkpoints'}", f"--out={out}"
    )
    assert done.returncode == 0, done.stderr
    assert float(re.search(r"logits (\S+)$", done.stdout)[1]) < 1e-4
    logits = servable.load(out / "1")["logits"]
    for frames in (16, 79):
        expected = sum(golden(f"eval_{s}_{frames}")["logits"] for s in ("rgb", "flow"))
        received = logits(rgb=recipe.clip(frames, 3), flow=recipe.clip(frames, 2))
        np.testing.assert_allclose(received["logits"], expected, atol=2e-3)


def test_another_format(python, tmp_path):
    pytest.importorskip("tf2onnx", reason="the extra onnx is not installed")
    done = python(*PROGRAM, *DEMO, "--format=onnx", f"--out={tmp_path / 'i3d.onnx'}")
    assert done.returncode == 0, done.stderr
    assert "rgb to logits; 8 classes" in done.stdout
    assert float(re.search(r"logits (\S+)$", done.stdout)[1]) < 1e-4
    assert [path.name for path in tmp_path.iterdir()] == ["i3d.onnx"]


def test_a_file_of_another_format_is_checked_before_the_models_are_read(python):
    done = python(
        *PROGRAM, "--format=onnx", "--out=/nowhere/i3d.onnx", "--checkpoint_dir=/gone"
    )
    assert done.returncode == 2
    assert "no such folder" in done.stderr or "onnx files need" in done.stderr
