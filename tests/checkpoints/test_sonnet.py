import keras
import numpy as np
import pytest
import recipe
import tensorflow as tf
from model_weights import assert_same_weights, weights_of

from kinetics_i3d_tf2 import InceptionI3d, load_checkpoint, save_checkpoint
from kinetics_i3d_tf2.checkpoints.checkpoint import Checkpoint
from kinetics_i3d_tf2.checkpoints.sonnet import sonnet_name


def model_of(num_classes=7, width=1 / 16, **arguments):
    return InceptionI3d(num_classes, width=width, **arguments)


def write_v1(path, variables):
    """Writes name -> array with TensorFlow 1's own Saver."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        variables = [
            tf.compat.v1.get_variable(name, initializer=value, use_resource=False)
            for name, value in variables.items()
        ]
        session.run(tf.compat.v1.global_variables_initializer())
        tf.compat.v1.train.Saver(variables).save(session, str(path))


def read_v1(path, shapes):
    """Restores name -> shape with TensorFlow 1's own Saver."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        variables = {
            name: tf.compat.v1.get_variable(name, shape, use_resource=False)
            for name, shape in shapes.items()
        }
        tf.compat.v1.train.Saver(variables).restore(session, str(path))
        return session.run(variables)


@pytest.fixture(scope="module")
def source():
    """A model with the recipe's weights; not to be changed."""
    return recipe.assign(model_of())


@pytest.mark.parametrize("scope", ["RGB", "Flow", ""])
def test_round_trip(source, tmp_path, scope):
    prefix = save_checkpoint(source, tmp_path / "new" / "model.ckpt", scope=scope)
    loaded = model_of()
    load_checkpoint(loaded, prefix)
    assert_same_weights(loaded, source)


def test_a_checkpoint_is_its_prefix_folder_or_index(source, tmp_path):
    prefix = save_checkpoint(source, tmp_path / "new" / "model.ckpt")
    loaded = model_of()
    for path in (prefix.parent, f"{prefix}.index"):
        recipe.assign(loaded, seed=1)
        load_checkpoint(loaded, path)
        assert_same_weights(loaded, source)


@pytest.mark.parametrize("scope", ["Flow", ""])
def test_the_release_restores_what_is_saved(source, tmp_path, scope):
    prefix = save_checkpoint(source, tmp_path, scope=scope)
    assert prefix == tmp_path / "model.ckpt"
    before = f"{scope}/inception_i3d/" if scope else ""
    expected = {before + sonnet_name(v): v.numpy() for v in source.weights}
    restored = read_v1(prefix, {name: v.shape for name, v in expected.items()})
    for name, value in expected.items():
        np.testing.assert_array_equal(restored[name], value)


@pytest.mark.parametrize(
    ("before", "batch_norm_rank", "with_slots"),
    [("Flow/inception_i3d/", 5, True), ("", 1, False)],
)
def test_what_the_release_saved_is_loaded(
    source, tmp_path, before, batch_norm_rank, with_slots
):
    variables = {}
    for variable in source.weights:
        name, value = before + sonnet_name(variable), variable.numpy()
        if "/batch_norm/" in name and batch_norm_rank == 5:
            value = value.reshape(1, 1, 1, 1, -1)
        variables[name] = value
        if with_slots and variable.trainable:
            variables[f"{name}/Momentum"] = value + 1
    write_v1(tmp_path / "model.ckpt", variables)
    # The released text file names a folder of its authors' machine.
    (tmp_path / "checkpoint").write_text('model_checkpoint_path: "/nowhere/model.ckpt"')
    model = model_of()
    load_checkpoint(model, tmp_path)
    assert_same_weights(model, source)


def test_all_differences_are_in_one_error(source, tmp_path):
    variables = {sonnet_name(v): v.numpy() for v in source.weights}
    del variables["Mixed_3b/Branch_0/Conv3d_0a_1x1/conv_3d/w"]
    variables["Mixed_6a/conv_3d/w"] = np.zeros(3, np.float32)
    variables["Logits/Conv3d_0c_1x1/conv_3d/b"] = np.zeros(5, np.float32)
    variables["Mixed_5c/Branch_0/Conv3d_0a_1x1/batch_norm/beta"] = np.zeros(
        24, np.float64
    )
    write_v1(tmp_path / "model.ckpt", variables)
    model = recipe.assign(model_of(), seed=1)
    before = weights_of(model)
    with pytest.raises(ValueError) as caught:
        load_checkpoint(model, tmp_path)
    message = str(caught.value)
    assert str(tmp_path / "model.ckpt") in message
    assert "4 differences" in message
    assert message.count("\n") == len(caught.value.details) == 4
    assert "missing: Mixed_3b/Branch_0/Conv3d_0a_1x1/conv_3d/w" in message
    assert "unexpected: Mixed_6a/conv_3d/w [3]" in message
    assert "shape of Logits/Conv3d_0c_1x1/conv_3d/b: [5] in the" in message
    assert "dtype of Mixed_5c/Branch_0/Conv3d_0a_1x1/batch_norm/beta" in message
    for path, value in weights_of(model).items():
        np.testing.assert_array_equal(value, before[path])


@pytest.mark.parametrize(
    ("stored", "hint"),
    [
        (lambda: model_of(width=1 / 8), "width 0.125, the model 0.0625. Build the"),
        (lambda: model_of(5), 'it has 5 classes, the model 7. exclude=("Logits",)'),
        (lambda: model_of(num_channels=2), "the stream flow, the model of rgb"),
    ],
    ids=["width", "classes", "stream"],
)
def test_long_lists_are_short(tmp_path, stored, hint):
    save_checkpoint(stored(), tmp_path)
    with pytest.raises(ValueError) as caught:
        load_checkpoint(model_of(7), tmp_path)
    assert hint in str(caught.value)
    lines = str(caught.value).split("\n")
    count = len(caught.value.details)
    assert f"{count} differences:" in lines[0]
    assert len(lines) <= 6
    if count > 4:
        assert lines[-1].strip().startswith(f"and {count - 4} more (--verbosity=1")


def test_exclude_leaves_a_head_of_other_classes_alone(source, tmp_path):
    save_checkpoint(source, tmp_path)
    model = recipe.assign(model_of(5), seed=1)
    head = model.get_layer("Logits").get_weights()
    with pytest.raises(ValueError, match=r'exclude=\("Logits",\)'):
        load_checkpoint(model, tmp_path)
    load_checkpoint(model, tmp_path, exclude=("Logits",))
    for old, new in zip(head, model.get_layer("Logits").get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    trunk = source.endpoint_model(["Mixed_5c"])
    assert_same_weights(model.endpoint_model(["Mixed_5c"]), trunk)


def test_a_model_without_head_loads_a_whole_checkpoint(source, tmp_path):
    save_checkpoint(source, tmp_path)
    trunk = InceptionI3d(final_endpoint="Mixed_5c", width=1 / 16)
    with pytest.raises(ValueError, match="unexpected: RGB/inception_i3d/Logits"):
        load_checkpoint(trunk, tmp_path)
    load_checkpoint(trunk, tmp_path, exclude=("Logits",))
    assert_same_weights(trunk, source.endpoint_model(["Mixed_5c"]))


def test_both_streams_in_one_file(source, tmp_path):
    variables = {
        f"{scope}/inception_i3d/{sonnet_name(v)}": v.numpy()
        for scope in ("RGB", "Flow")
        for v in source.weights
    }
    write_v1(tmp_path / "model.ckpt", variables)
    with pytest.raises(
        ValueError, match="230 differences.*\n.*in two scopes: Conv3d_1a"
    ):
        load_checkpoint(source, tmp_path)


def test_exclude_must_name_something(source, tmp_path):
    save_checkpoint(source, tmp_path)
    with pytest.raises(ValueError, match="exclude: .* has variables in 'logits'; "):
        load_checkpoint(source, tmp_path, exclude="logits")


@pytest.mark.parametrize(("channels", "scope"), [(3, "RGB"), (2, "Flow")])
def test_scope_is_the_models(tmp_path, channels, scope):
    save_checkpoint(model_of(num_channels=channels), tmp_path)
    entries = Checkpoint(tmp_path).variables
    assert all(e.name.startswith(f"{scope}/inception_i3d/") for e in entries)


def test_scope_of_a_model_of_no_stream(source, tmp_path):
    features = source.endpoint_model(["Conv3d_1a_7x7"])
    save_checkpoint(features, tmp_path)
    assert (
        Checkpoint(tmp_path).variables[0].name.startswith("RGB/inception_i3d/Conv3d_1a")
    )


def test_bad_scope(source, tmp_path):
    with pytest.raises(ValueError, match='must be "RGB", "Flow" or ""'):
        save_checkpoint(source, tmp_path, scope="rgb")


def test_models_of_any_keras_kind_are_taken(tmp_path, small_model):
    trunk = small_model.endpoint_model(["Mixed_3b"])
    save_checkpoint(trunk, tmp_path / "trunk.ckpt")
    other = InceptionI3d(final_endpoint="Mixed_3b", width=1 / 16)
    load_checkpoint(other, tmp_path / "trunk.ckpt")
    assert isinstance(trunk, keras.Model)
    assert_same_weights(other, trunk)
