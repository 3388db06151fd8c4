"""The released architecture exported at full size, compared with the goldens."""

import re

import numpy as np
import programs
import pytest
import recipe

from kinetics_i3d_tf2 import InceptionI3d, save_checkpoint
from kinetics_i3d_tf2.data import labels
from kinetics_i3d_tf2.export import saved_model

SETTINGS = {"joint": ("rgb", "flow"), "rgb600": ("rgb600",)}


@pytest.mark.slow
@pytest.mark.parametrize("eval_type", SETTINGS)
def test_full_size_gives_the_goldens(golden, tmp_path, eval_type):
    parts = {
        "rgb": ("rgb_imagenet", 3, 400),
        "flow": ("flow_imagenet", 2, 400),
        "rgb600": ("rgb_scratch_kin600", 3, 600),
    }
    for part in SETTINGS[eval_type]:
        name, channels, num_classes = parts[part]
        model = recipe.assign(InceptionI3d(num_classes, num_channels=channels))
        save_checkpoint(model, tmp_path / "checkpoints" / name / "model.ckpt")
    out = tmp_path / "served"
    done = programs.run(
        "export",
        f"--checkpoint_dir={tmp_path / 'checkpoints'}",
        f"--eval_type={eval_type}",
        f"--out={out}",
    )
    assert done.returncode == 0, done.stderr
    assert float(re.search(r"logits (\S+)$", done.stdout)[1]) < 1e-4
    signatures = saved_model.load(out / "1")
    for frames in (16, 79) if eval_type == "joint" else (16,):
        clips = {"rgb": recipe.clip(frames, 3), "flow": recipe.clip(frames, 2)}
        clips = clips if eval_type == "joint" else {"rgb": clips["rgb"]}
        goldens = (golden(f"eval_{p}_{frames}") for p in SETTINGS[eval_type])
        expected = sum(file["logits"] for file in goldens)
        received = signatures["logits"](**clips)["logits"]
        np.testing.assert_allclose(received, expected, rtol=0, atol=1e-3)
    answer = signatures["serving_default"](
        frames=np.zeros((1, 9, 224, 224, 3), np.uint8)
    )
    names = labels.class_names(num_classes)
    assert [name.decode() for name in answer["labels"].numpy()[0]] == [
        names[index] for index in answer["class_ids"].numpy()[0]
    ]
