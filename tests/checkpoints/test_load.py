import numpy as np
import pytest
import recipe

from kinetics_i3d_tf2 import InceptionI3d, save_checkpoint
from kinetics_i3d_tf2.checkpoints.load import load_model


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
