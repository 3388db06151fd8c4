"""The release's script with the flags that a user gives it."""

import importlib.util
import json
import re

import numpy as np
import programs
import pytest
import recipe
from conftest import ROOT
from videos import brightness_frames, write_audio, write_video

from kinetics_i3d_tf2 import InceptionI3d, class_names, load_model, save_checkpoint
from kinetics_i3d_tf2.checkpoints import released as release

SCRIPT = ROOT / "evaluate_sample.py"
CHECKPOINTS = {
    "rgb_imagenet": (400, 3, "RGB"),
    "flow_imagenet": (400, 2, "Flow"),
    "rgb_scratch": (400, 3, "RGB"),
    "rgb_scratch_kin600": (600, 3, ""),
}


def write_checkpoints(folder, names, width=1.0):
    """The recipe's weights, laid out as the release; rgb_scratch has another seed."""
    for name in names:
        classes, channels, scope = CHECKPOINTS[name]
        model = InceptionI3d(classes, num_channels=channels, width=width)
        recipe.assign(model, seed=int(name == "rgb_scratch"))
        save_checkpoint(model, folder / name / "model.ckpt", scope=scope)
    return folder


@pytest.fixture(scope="module")
def checkpoint_dir(tmp_path_factory):
    """Narrow models."""
    return write_checkpoints(tmp_path_factory.mktemp("narrow"), CHECKPOINTS, 1 / 16)


@pytest.fixture(scope="module")
def logits(checkpoint_dir):
    """Logits of the samples, by checkpoint."""
    return {
        name: load_model(checkpoint_dir / name)(recipe.clip(16, channels)).numpy()[0]
        for name, (_, channels, _) in CHECKPOINTS.items()
        if name != "rgb_scratch"
    }


@pytest.fixture(scope="session")
def samples(tmp_path_factory):
    folder = tmp_path_factory.mktemp("samples")
    np.save(folder / "rgb.npy", recipe.clip(16, 3))
    np.save(folder / "flow.npy", recipe.clip(16, 2))
    return {
        "rgb": f"--rgb_sample={folder / 'rgb.npy'}",
        "flow": f"--flow_sample={folder / 'flow.npy'}",
    }


@pytest.fixture
def evaluate(checkpoint_dir):
    def run(*arguments, checkpoint_dir=checkpoint_dir):
        return programs.run_script(
            SCRIPT, f"--checkpoint_dir={checkpoint_dir}", *arguments
        )

    return run


def parse(text):
    """Norm, and (probability, logit, class) a line, of the release's output."""
    lines = text.splitlines()
    norm = re.fullmatch(r"Norm of logits: (\d+\.\d{6})", lines[0])[1]
    assert lines[1:3] == ["", "Top classes and probabilities"]
    rows = [re.fullmatch(r"(\S+) (\S+) (.+)", line).groups() for line in lines[3:]]
    return float(norm), [(float(p), float(logit), name) for p, logit, name in rows]


def assert_prints(done, logits, count=20):
    """The output is that of these logits, within the goldens' tolerance."""
    assert done.returncode == 0, done.stderr
    norm, rows = parse(done.stdout)
    probabilities = np.exp(logits - logits.max())
    probabilities /= probabilities.sum()
    order = np.argsort(-logits)[:count]
    names = class_names(len(logits))
    assert [name for *_, name in rows] == [names[index] for index in order]
    np.testing.assert_allclose(norm, np.linalg.norm(logits), rtol=1e-4)
    for (probability, logit, _), index in zip(rows, order, strict=True):
        np.testing.assert_allclose(probability, probabilities[index], rtol=5e-3)
        np.testing.assert_allclose(logit, logits[index], atol=2e-3)


def test_the_golden_figures(evaluate, samples, golden, tmp_path):
    folder = write_checkpoints(tmp_path, ["rgb_imagenet"])
    done = evaluate("--eval_type=rgb", samples["rgb"], checkpoint_dir=folder)
    assert_prints(done, golden("eval_rgb_16")["logits"][0])


def test_joint(evaluate, samples, logits):
    done = evaluate("--eval_type=joint", *samples.values())
    assert_prints(done, logits["rgb_imagenet"] + logits["flow_imagenet"])


@pytest.mark.parametrize("stream", ["rgb", "flow"])
def test_one_stream(evaluate, samples, logits, stream):
    done = evaluate(f"--eval_type={stream}", samples[stream], "--top=3")
    assert_prints(done, logits[f"{stream}_imagenet"], 3)


@pytest.mark.parametrize("flag", ["true", "false"])
def test_rgb600_takes_its_own_checkpoint(evaluate, samples, logits, flag):
    done = evaluate(
        "--eval_type=rgb600", samples["rgb"], f"--imagenet_pretrained={flag}"
    )
    assert_prints(done, logits["rgb_scratch_kin600"])


def test_imagenet_pretrained_false_takes_the_other_checkpoint(evaluate, samples):
    outputs = [
        evaluate("--eval_type=rgb", samples["rgb"], flag).stdout
        for flag in (
            "--noimagenet_pretrained",
            "--imagenet_pretrained=false",
            "--top=20",
        )
    ]
    assert outputs[0] == outputs[1] != outputs[2]


def test_bfloat16_and_json(evaluate, samples, logits, tmp_path):
    path = tmp_path / "result.json"
    done = evaluate(
        "--eval_type=rgb", samples["rgb"], "--dtype=bfloat16", f"--json={path}"
    )
    expected = logits["rgb_imagenet"]
    norm, rows = parse(done.stdout)
    result = json.loads(path.read_text())
    assert result["norm_of_logits"] == pytest.approx(norm, abs=1e-6)
    assert [row["class"] for row in result["top"]] == [name for *_, name in rows]
    best = result["top"][0]
    assert best["index"] == expected.argmax()
    found = np.array([row["logit"] for row in result["top"]])
    indices = [row["index"] for row in result["top"]]
    assert np.abs(found - expected[indices]).mean() < 0.02 * expected.std()


def test_messages_go_to_standard_error(python, checkpoint_dir, samples):
    """Of the whole process: TensorFlow writes past `sys.stderr`."""
    flags = (f"--checkpoint_dir={checkpoint_dir}", "--eval_type=rgb", samples["rgb"])
    done = python(SCRIPT, *flags)
    assert "RGB checkpoint restored" in done.stderr
    assert "RGB data loaded, shape=(1, 16, 224, 224, 3)" in done.stderr
    assert "oneDNN" not in done.stderr
    assert "Running RGB on 16 frames" in done.stderr
    assert len(done.stderr.splitlines()) == 3


def test_video_of_any_kind(evaluate, tmp_path):
    """A short, large, 30 fps video: resampled, resized, looped, both streams."""
    frames = brightness_frames(8, (480, 360), step=30)
    path = write_video(tmp_path / "phone.mp4", frames, rate=30)
    done = evaluate(f"--video={path}", "--eval_type=joint", "--top=1")
    assert done.returncode == 0, done.stderr
    assert len(parse(done.stdout)[1]) == 1
    assert "Looping 7 frames of rgb to 9" in done.stderr
    assert "Looping 6 frames of flow to 9" in done.stderr


def test_long_video_is_cut_with_a_word(evaluate, tmp_path):
    path = write_video(tmp_path / "long.mkv", brightness_frames(60, (256, 256)))
    flags = ("--eval_type=rgb", f"--video={path}", "--start=1", "--max_frames=20")
    done = evaluate(*flags, "--top=1")
    assert done.returncode == 0, done.stderr
    assert "is longer: using 0.8 seconds from second 1" in done.stderr


@pytest.mark.slow
def test_released_sample_gif_end_to_end(evaluate, shared):
    sample = shared / "release" / "sample" / "v_CricketShot_g04_c01_rgb.gif"
    done = evaluate(f"--video={sample}")
    assert done.returncode == 0, done.stderr
    assert len(parse(done.stdout)[1]) == 20


def npy(folder, array):
    path = folder / "sample.npy"
    np.save(path, array)
    return f"--rgb_sample={path}"


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (
            np.zeros((1, 9, 224, 224, 3), np.uint8),
            r"uint8, expected float in \[-1, 1\]",
        ),
        (np.full((1, 9, 224, 224, 3), 255.0), r"\[255, 255\].*x / 127.5 - 1"),
        (np.full((1, 9, 224, 224, 3), np.nan), "holds NaN or infinity"),
        (np.zeros((1, 9, 224, 224, 2)), r"expected \(1, frames, height, width, 3\)"),
        (np.zeros((2, 9, 224, 224, 3)), r"expected \(1, frames"),
        (np.zeros((9, 224, 224, 3)), r"expected \(1, frames"),
        (np.zeros((1, 8, 224, 224, 3)), "at least 9 frames of 193 pixels"),
        (np.zeros((1, 9, 100, 224, 3)), "at least 9 frames of 193 pixels"),
        (np.array([{"a": 1}]), "not a whole .npy file of numbers"),
    ],
    ids=[
        "uint8",
        "0-255",
        "nan",
        "channels",
        "batch",
        "rank",
        "short",
        "small",
        "pickle",
    ],
)
def test_bad_samples(evaluate, tmp_path, array, message):
    assert_mistake(evaluate("--eval_type=rgb", npy(tmp_path, array)), message)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("missing.npy", None, "No such file or directory"),
        ("empty.npy", b"", "not a whole .npy file"),
        ("text.npy", b"hello", "not a whole .npy file"),
        ("zip.npy", b"PK\x03\x04" + b"x" * 100, "not a whole .npy file"),
        ("code.npy", b"\x93NUMPY\x01\x00v\x00" + b"(" * 118, "not a whole .npy"),
        (
            "cut.npy",
            b"\x93NUMPY\x01\x00v\x00{'descr': '<f4', ",
            "not a whole .npy file",
        ),
    ],
)
def test_broken_sample_files(evaluate, tmp_path, name, content, message):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    assert_mistake(evaluate("--eval_type=rgb", f"--rgb_sample={path}"), message)


def test_archive_as_sample(evaluate, tmp_path):
    np.savez(tmp_path / "sample.npz", clip=recipe.clip(9, 3))
    done = evaluate("--eval_type=rgb", f"--rgb_sample={tmp_path / 'sample.npz'}")
    assert_mistake(done, "is a .npz archive")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--imagenet_pretrained", "false"], "type --imagenet_pretrained=false"),
        (["--eval_type=both"], "<joint|rgb|flow|rgb600>"),
        (["--top=0"], "--top"),
        (["--frames=3"], "Unknown command line flag 'frames'"),
        (["--rgb_sample=a.npy"], "takes --flow_sample and --rgb_sample and no other"),
        (["--eval_type=rgb", "--flow_sample=a.npy"], "takes --rgb_sample and no other"),
        (["--video=a.mp4", "--rgb_sample=a.npy"], "leave --rgb_sample and"),
        (["--video="], "--video= is empty; omit it"),
        (["--start=3"], "cut a --video; none is given"),
        (["--video=/nowhere.mp4"], "/nowhere.mp4: there is no such video file"),
        (["--video=/"], "/: is a folder without images, not a video"),
        (["--json="], "--json=: name a file to write"),
        (["--json=/tmp"], "--json=/tmp: name a file to write"),
        (["--json=/nowhere/a.json"], "--json=/nowhere/a.json: there is no such folder"),
    ],
    ids=str,
)
def test_mistakes(evaluate, arguments, message):
    assert_mistake(evaluate(*arguments), re.escape(message))


def assert_mistake(done, message):
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    last = done.stderr.splitlines()[-1]
    assert re.search(message, last), done.stderr
    assert "Traceback" not in done.stderr
    assert sum("error:" in line for line in done.stderr.splitlines()) == 1


def test_video_without_pictures(evaluate, tmp_path):
    path = write_audio(tmp_path / "sound.mp4")
    assert_mistake(evaluate(f"--video={path}"), "has no video in it")


def test_video_of_one_frame(evaluate, tmp_path):
    path = write_video(tmp_path / "one.mp4", brightness_frames(1, (256, 256)))
    assert_mistake(
        evaluate(f"--video={path}"), "gives one frame, and optical flow needs two"
    )


def test_missing_checkpoint(evaluate, samples, tmp_path):
    done = evaluate("--eval_type=rgb", samples["rgb"], checkpoint_dir=tmp_path)
    assert_mistake(done, "rgb_imagenet/model.ckpt.index: is missing")


def test_checkpoint_of_other_classes(evaluate, samples, checkpoint_dir, tmp_path):
    (tmp_path / "rgb_imagenet").symlink_to(checkpoint_dir / "rgb_scratch_kin600")
    done = evaluate("--eval_type=rgb", samples["rgb"], checkpoint_dir=tmp_path)
    assert_mistake(done, "ckpt: has 600 classes, the released one has 400; pass one of")


def test_corrupt_checkpoint(evaluate, samples, checkpoint_dir, tmp_path):
    folder = tmp_path / "rgb_imagenet"
    folder.mkdir()
    for path in (checkpoint_dir / "rgb_imagenet").iterdir():
        content = path.read_bytes()
        (folder / path.name).write_bytes(content[: len(content) // 2])
    done = evaluate("--eval_type=rgb", samples["rgb"], checkpoint_dir=tmp_path)
    assert_mistake(done, "model.ckpt.index: is truncated or corrupt")


def test_help_explains_every_flag(evaluate):
    done = evaluate("--help")
    assert done.returncode == 0
    flags = ("eval_type", "imagenet_pretrained", "video", "start", "max_frames")
    flags += ("rgb_sample", "flow_sample", "checkpoint_dir", "top", "dtype", "json")
    flags += ("weights", "rgb_checkpoint", "flow_checkpoint")
    for flag in flags:
        assert re.search(rf"--(\[no\])?{flag}:\s+\S", done.stdout), flag


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("evaluate_sample", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SETTINGS = {
    "imagenet_joint": ("--eval_type=joint",),
    "imagenet_rgb": ("--eval_type=rgb",),
    "imagenet_flow": ("--eval_type=flow",),
    "no_imagenet_joint": ("--eval_type=joint", "--imagenet_pretrained=false"),
    "no_imagenet_rgb": ("--eval_type=rgb", "--imagenet_pretrained=false"),
    "no_imagenet_flow": ("--eval_type=flow", "--imagenet_pretrained=false"),
}


@pytest.mark.parametrize("setting", SETTINGS)
def test_released_checkpoints_give_the_released_figures(python, shared, setting):
    kind = "imagenet" if setting.startswith("imagenet") else "scratch"
    streams = ("rgb", "flow") if setting.endswith("joint") else (setting[-4:],)
    for stream in (stream.strip("_") for stream in streams):
        for name in (f"{stream}_{kind}", f"{stream}_sample"):
            for file in release.RELEASED[name]:
                if not (ROOT / file.local_path).exists():
                    pytest.skip(f"{file.local_path} is absent and was not downloaded")
    expected = json.loads((shared / "release" / "expected_output.json").read_text())
    figures = expected["figures"][setting]
    done = python(SCRIPT, *SETTINGS[setting])
    norm, rows = parse(done.stdout)
    assert norm == pytest.approx(figures["norm_of_logits"], rel=1e-5)
    for (probability, logit, name), released in zip(
        rows, figures["top20"], strict=True
    ):
        assert name == released[2]
        assert probability == pytest.approx(released[0], rel=1e-3)
        assert logit == pytest.approx(released[1], rel=1e-4)
