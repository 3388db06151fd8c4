import json

import pytest

from kinetics_i3d_tf2 import InceptionI3d, save_checkpoint
from kinetics_i3d_tf2.checkpoints.checkpoint import Checkpoint
from kinetics_i3d_tf2.checkpoints.config import (
    CheckpointConfig,
    read_config,
    write_config,
    write_config_of_model,
)
from kinetics_i3d_tf2.data import labels
from kinetics_i3d_tf2.data.clip_recipe import ClipRecipe
from kinetics_i3d_tf2.training.recipe import TrainingRecipe

CONFIG = CheckpointConfig("i3d", "flow", 0.25, "0123456789abcdef")
RECIPE = TrainingRecipe(clip=ClipRecipe(), steps=2, batch_size=2, rates=((0, 0.1),))


@pytest.fixture
def prefix(tmp_path):
    return tmp_path / "model.ckpt"


def test_round_trip(prefix):
    write_config(prefix, CONFIG)
    assert read_config(prefix, CONFIG.fingerprint) == CONFIG


def test_of_a_trained_model(prefix):
    model = InceptionI3d(2, num_channels=2, width=0.1)
    save_checkpoint(model, prefix)
    labels.write_label_map(prefix.parent / "label_map.txt", ("a", "b"))
    write_config_of_model(prefix, model, recipe=RECIPE)
    content = json.loads((prefix.parent / "config.json").read_text())
    recipe = content.pop("recipe")
    assert content == {
        "architecture": "i3d",
        "stream": "flow",
        "width": 0.1,
        "fingerprint": Checkpoint(prefix).fingerprint,
        "class_names": "label_map.txt",
        "temporal": "mean",
        "activation": "softmax",
    }
    assert recipe["clip"]["num_frames"] == 64
    assert Checkpoint(prefix).width == 0.1


def test_a_dense_model_of_several_labels(prefix):
    model = InceptionI3d(2, width=0.1, temporal="dense", activation="sigmoid")
    save_checkpoint(model, prefix)
    write_config_of_model(prefix, model)
    checkpoint = Checkpoint(prefix)
    assert (checkpoint.temporal, checkpoint.activation) == ("dense", "sigmoid")
    assert checkpoint.describe().endswith("; temporal dense, activation sigmoid")
    built = checkpoint.build_model()
    assert (built.temporal, built.activation) == ("dense", "sigmoid")
    built = InceptionI3d(weights=prefix, temporal="mean")
    assert (built.temporal, built.activation) == ("mean", "sigmoid")
    (prefix.parent / "config.json").unlink()
    checkpoint = Checkpoint(prefix)
    assert (checkpoint.temporal, checkpoint.activation) == ("mean", "softmax")


def test_an_older_file_has_neither_temporal_nor_activation(prefix):
    write_config(prefix, CONFIG)
    path = prefix.parent / "config.json"
    content = json.loads(path.read_text())
    kept = {k: v for k, v in content.items() if k not in ("temporal", "activation")}
    path.write_text(json.dumps(kept))
    assert read_config(prefix, CONFIG.fingerprint) == CONFIG


def test_a_width_that_the_tensors_do_not_have(prefix):
    """Its model could take any amount of memory."""
    model = InceptionI3d(2, width=0.1)
    save_checkpoint(model, prefix)
    write_config_of_model(prefix, model)
    path = prefix.parent / "config.json"
    path.write_text(path.read_text().replace("0.1", "1000.0"))
    with pytest.raises(ValueError, match="are of width 0.1, not 1000 as its config"):
        Checkpoint(prefix).build_model()


def test_a_remnant_of_another_checkpoint_is_ignored(prefix):
    write_config(prefix, CONFIG)
    assert read_config(prefix, "of another") is None


@pytest.mark.parametrize("text", ["[]", "{}", '{"name": "of another program"}'])
def test_a_file_of_another_program_is_ignored(prefix, text):
    (prefix.parent / "config.json").write_text(text)
    assert read_config(prefix, CONFIG.fingerprint) is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"architecture": "i4d"}, "architecture must be one of i3d, .*'i4d'"),
        ({"stream": "joint"}, "stream of i3d must be one of rgb, flow"),
        ({"width": 0}, "width must be a number greater than 0"),
        ({"width": "1"}, "width must be a number greater than 0"),
        ({"width": float("inf")}, "width must be a number greater than 0"),
        ({"class_names": "../../names"}, "class_names must be the name of a file"),
        ({"class_names": [1]}, "class_names must be the name of a file"),
        ({"temporal": "max"}, "temporal must be .*'max'"),
        ({"activation": None}, "activation must be .*None"),
        (
            {"architecture": "c3d", "stream": "rgb", "temporal": "dense"},
            'temporal of c3d must be "mean"',
        ),
        ({"depth": 3}, "unexpected keyword argument 'depth'"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_wrong_values(prefix, change, message):
    write_config(prefix, CONFIG)
    path = prefix.parent / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(
        ValueError, match=f"config.json: is no configuration.*{message}"
    ):
        read_config(prefix, CONFIG.fingerprint)


def test_broken_json(prefix):
    (prefix.parent / "config.json").write_text('{"fingerprint"')
    with pytest.raises(ValueError, match="correct or delete it"):
        read_config(prefix, CONFIG.fingerprint)
