"""The whole way once: what `make test-lowest` runs with the lowest versions allowed."""

import numpy as np
import programs
import pytest
import tensorflow as tf
import trainings

from kinetics_i3d_tf2 import load_model, optical_flow, read_video

# Covered in parts by other tests: slow.
pytestmark = pytest.mark.slow


def test_from_videos_to_an_exported_model(tmp_path):
    """Decode, compute flow, train a step, evaluate, export."""
    videos = trainings.write_videos(tmp_path / "videos", {"train": 2, "val": 2})
    frames = read_video(videos / "train" / "bright" / "0.mkv")
    assert frames.shape == (12, 36, 48, 3)
    assert optical_flow(frames[:3]).shape == (2, 36, 48, 2)
    run = tmp_path / "run"
    trained = programs.run(
        "train", "--recipe=finetune_full", "--init=none", "--width=0.0625",
        "--batch_size=2", "--steps=1", "--strategy=one_device", "--dataset=folder",
        "--freeze_until=Mixed_4f", f"--videos={videos}", f"--out={run}",
    )  # fmt: skip
    assert trained.returncode == 0, trained.stderr
    checkpoint = f"--rgb_checkpoint={run / 'last'}"
    evaluated = programs.run(
        "evaluate", "--dataset=folder", f"--videos={videos}", "--split=val", checkpoint,
        "--eval_type=rgb", f"--out={tmp_path / 'results'}",
    )  # fmt: skip
    assert evaluated.returncode == 0, evaluated.stderr
    exported = programs.run(
        "export", "--eval_type=rgb", checkpoint, f"--out={tmp_path / 'served'}"
    )
    assert exported.returncode == 0, exported.stderr
    served = tf.saved_model.load(str(tmp_path / "served" / "1"))
    clip = tf.constant(np.resize(frames, (1, 16, 224, 224, 3)))
    answer = served.signatures["serving_default"](frames=clip)
    assert set(answer["labels"].numpy()[0]) == {b"bright", b"dark"}


def test_another_format(tmp_path):
    pytest.importorskip("onnx")
    path = tmp_path / "model.onnx"
    done = programs.run(
        "export", "--weights=demo", "--eval_type=rgb", "--format=onnx", f"--out={path}"
    )
    assert done.returncode == 0, done.stderr
    assert path.stat().st_size > 100_000
    assert load_model("checkpoints/demo_rgb").num_classes == 8
