import numpy as np
import pytest
import recipe

from kinetics_i3d_tf2 import InceptionI3d, save_checkpoint
from kinetics_i3d_tf2.checkpoints.checkpoint import Checkpoint
from kinetics_i3d_tf2.checkpoints.load import load_model
from kinetics_i3d_tf2.data import labels


@pytest.mark.parametrize(
    "width, channels", [(1 / 16, 3), (1 / 12, 2), (0.1, 3), (0.35, 3)]
)
def test_a_model_is_built_as_its_checkpoint_is(tmp_path, width, channels):
    model = recipe.assign(InceptionI3d(7, num_channels=channels, width=width))
    save_checkpoint(model, tmp_path)
    loaded = load_model(tmp_path, dropout_rate=0.0)
    assert loaded.dropout_rate == 0.0
    for ours, theirs in zip(model.weights, loaded.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs, err_msg=ours.path)


def test_a_checkpoint_without_classifier_is_no_model(tmp_path):
    save_checkpoint(InceptionI3d(7, final_endpoint="Mixed_5c", width=1 / 16), tmp_path)
    with pytest.raises(ValueError, match="a checkpoint of i3d without its classifier"):
        load_model(tmp_path)


def test_class_names_beside_a_checkpoint(tmp_path):
    save_checkpoint(InceptionI3d(7, width=1 / 16), tmp_path)
    with pytest.raises(ValueError, match="label_map.txt: is missing.*7 classes"):
        _ = Checkpoint(tmp_path).class_names
    labels.write_label_map(tmp_path / "label_map.txt", list("abcdefg"))
    assert Checkpoint(tmp_path / "model.ckpt").class_names == tuple("abcdefg")
    labels.write_label_map(tmp_path / "label_map.txt", list("abcdefgh"))
    with pytest.raises(ValueError, match="has 8 classes, the checkpoint 7"):
        _ = Checkpoint(tmp_path).class_names


def test_class_names_of_kinetics_need_no_file(tmp_path):
    save_checkpoint(InceptionI3d(600, width=1 / 16), tmp_path)
    assert Checkpoint(tmp_path).class_names == labels.class_names(600)
