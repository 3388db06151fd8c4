"""The released architecture exported at full size, compared with the goldens."""

import re

import numpy as np
import programs
import pytest
import recipe

from kinetics_i3d_tf2 import InceptionI3d, save_checkpoint
from kinetics_i3d_tf2.data import labels
from kinetics_i3d_tf2.export import saved_model


@pytest.mark.slow
def test_full_size_gives_the_goldens(golden, tmp_path):
    channels = {"rgb": 3, "flow": 2}
    for stream in channels:
        model = recipe.assign(InceptionI3d(400, num_channels=channels[stream]))
        folder = tmp_path / "checkpoints" / f"{stream}_imagenet"
        save_checkpoint(model, folder / "model.ckpt")
    signatures = export(tmp_path, "joint")
    clips = {stream: recipe.clip(16, channels[stream]) for stream in channels}
    received = signatures["logits"](**clips)["logits"]
    expected = sum(golden(f"eval_{stream}_16")["logits"] for stream in channels)
    np.testing.assert_allclose(received, expected, rtol=0, atol=1e-3)
    check_labels(signatures, 400)


@pytest.mark.slow
def test_the_600_classes_have_their_names(tmp_path):
    model = recipe.assign(InceptionI3d(600, width=1 / 16))
    folder = tmp_path / "checkpoints" / "rgb_scratch_kin600"
    save_checkpoint(model, folder / "model.ckpt")
    check_labels(export(tmp_path, "rgb600"), 600)


def export(folder, eval_type):
    """Exports checkpoints of a folder; returns the signatures."""
    done = programs.run(
        "export",
        f"--checkpoint_dir={folder / 'checkpoints'}",
        f"--eval_type={eval_type}",
        f"--out={folder / 'served'}",
    )
    assert done.returncode == 0, done.stderr
    assert float(re.search(r"logits (\S+)$", done.stdout)[1]) < 1e-4
    return saved_model.load(folder / "served" / "1")


def check_labels(signatures, num_classes):
    frames = np.zeros((1, 9, 224, 224, 3), np.uint8)
    answer = signatures["serving_default"](frames=frames)
    names = labels.class_names(num_classes)
    assert [name.decode() for name in answer["labels"].numpy()[0]] == [
        names[index] for index in answer["class_ids"].numpy()[0]
    ]
