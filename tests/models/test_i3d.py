import re

import keras
import numpy as np
import pytest
import recipe

from kinetics_i3d_tf2 import (
    InceptionI3d,
    fold_batch_norm,
    freeze,
    normalize_rgb,
    two_stream_logits,
)
from kinetics_i3d_tf2.checkpoints.checkpoint import Checkpoint
from kinetics_i3d_tf2.checkpoints.sonnet import sonnet_name
from kinetics_i3d_tf2.models.architecture import (
    ENDPOINTS,
    MIN_FRAMES,
    MIN_SIZE,
)

CLIP = recipe.clip(9, 3, size=193)


def test_smallest_input_is_the_papers():
    assert (MIN_FRAMES, MIN_SIZE) == (9, 193)


@pytest.mark.parametrize(
    ("checkpoint", "num_channels", "num_classes"),
    [
        ("rgb_imagenet", 3, 400),
        ("flow_scratch", 2, 400),
        ("rgb_scratch_kin600", 3, 600),
    ],
)
def test_weights_carry_the_released_names(
    shared, checkpoint, num_channels, num_classes
):
    model = InceptionI3d(num_classes, num_channels=num_channels)
    entries = Checkpoint(shared / "release" / "checkpoints" / checkpoint).variables
    released = {
        entry.sonnet_name: entry.shape for entry in entries if not entry.is_slot
    }
    assert {sonnet_name(v) for v in model.weights} == set(released)
    for variable in model.weights:
        shape = released[sonnet_name(variable)]
        assert tuple(variable.shape) == shape[-len(variable.shape) :]


def test_variable_paths_are_sonnet_scopes():
    paths = [v.path for v in InceptionI3d(width=1 / 16).weights]
    assert len(paths) == len(set(paths)) == 230
    assert paths[0] == "Conv3d_1a_7x7/conv_3d/kernel"
    assert "Mixed_5b/Branch_2/Conv3d_0a_3x3/batch_norm/moving_variance" in paths
    assert paths[-1] == "Logits/Conv3d_0c_1x1/conv_3d/bias"


def test_variables_add_only_the_dropouts_seed():
    with_dropout = InceptionI3d(width=1 / 16)
    weights = {v.path for v in with_dropout.weights}
    (seed,) = (v.path for v in with_dropout.variables if v.path not in weights)
    assert seed.endswith("seed_generator_state")
    without = InceptionI3d(width=1 / 16, dropout_rate=0.0)
    assert [v.path for v in without.variables] == [v.path for v in without.weights]


@pytest.mark.parametrize(
    ("size", "squeeze", "shape"),
    [
        (224, True, (1, 7)),
        (256, True, (1, 7)),
        (224, False, (1, 1, 1, 7)),
        (256, False, (1, 2, 2, 7)),
    ],
    ids=str,
)
def test_shape_of_logits(size, squeeze, shape):
    model = InceptionI3d(7, squeeze, width=1 / 16)
    assert model(np.zeros((1, 9, size, size, 3), np.float32)).shape == shape


def test_squeezed_logits_are_the_mean_over_space(small_model):
    clip = recipe.clip(9, 3, size=256)
    convolutional = InceptionI3d(7, spatial_squeeze=False, width=1 / 16)
    recipe.assign(convolutional)
    np.testing.assert_allclose(
        small_model(clip), np.mean(convolutional(clip), axis=(1, 2)), atol=1e-5
    )


@pytest.fixture(scope="module")
def every_endpoint():
    """What all endpoints give for `CLIP`."""
    full = recipe.assign(InceptionI3d(7, final_endpoint="Predictions", width=1 / 16))
    return full.endpoint_model(ENDPOINTS)(CLIP)


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_final_endpoint_is_what_the_model_returns(every_endpoint, endpoint):
    model = recipe.assign(InceptionI3d(7, final_endpoint=endpoint, width=1 / 16))
    np.testing.assert_allclose(model(CLIP), every_endpoint[endpoint], atol=1e-5)
    assert model.layers[-1].name == endpoint


def test_endpoint_model_shares_weights(small_model):
    features = small_model.endpoint_model(["Mixed_5c", "Conv3d_1a_7x7"])
    outputs = features(CLIP)
    assert list(outputs) == ["Mixed_5c", "Conv3d_1a_7x7"]
    shared = {id(v) for v in small_model.weights}
    assert {id(v) for v in features.weights} < shared


def test_trunk_alone_takes_short_and_small_clips():
    model = InceptionI3d(final_endpoint="Mixed_5c", width=1 / 16)
    assert model(np.zeros((1, 1, 32, 32, 3), np.float32)).shape[:4] == (1, 1, 1, 1)


@pytest.mark.parametrize(("width", "filters"), [(1 / 1000, 1), (0.5, 32), (2, 128)])
def test_width_scales_filters(width, filters):
    model = InceptionI3d(final_endpoint="Conv3d_1a_7x7", width=width)
    assert model.weights[0].shape[-1] == filters


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"final_endpoint": "Mixed_6a"}, "must be one of Conv3d_1a_7x7, .*'Mixed_6a'"),
        ({"dropout_rate": 1.0}, r"must be in \[0, 1\).*Received: 1.0"),
        ({"dropout_rate": -0.1}, r"must be in \[0, 1\)"),
        ({"width": 0}, "greater than 0; 1.0 is the published model"),
        ({"width": float("nan")}, "greater than 0"),
        ({"width": float("inf")}, "greater than 0"),
        ({"num_classes": 0}, "num_classes must be at least 1"),
        ({"num_channels": 0}, "num_channels must be at least 1"),
    ],
    ids=str,
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        InceptionI3d(**arguments)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((1, 8, 224, 224, 3), "at least 9 frames; loop short ones"),
        ((1, 9, 192, 224, 3), "at least 193 pixels a side; resize them"),
        ((1, 9, 224, 192, 3), "at least 193 pixels a side"),
        ((1, 9, 224, 224, 2), "build it with num_channels=2"),
        ((9, 224, 224, 3), r"add the batch axis .* clip\[None\]"),
    ],
    ids=str,
)
@pytest.mark.parametrize("method", ["__call__", "predict"])
def test_bad_clips(small_model, method, shape, message):
    with pytest.raises(ValueError, match=message):
        getattr(small_model, method)(np.zeros(shape, np.float32))


def test_short_clip_in_models_made_of_this_one(small_model):
    clip = np.zeros((1, 8, 193, 193, 3), np.float32)
    for model in (small_model.endpoint_model(["Logits"]), fold_batch_norm(small_model)):
        with pytest.raises(ValueError, match="at least 9 frames and 193 pixels"):
            model(clip)


@pytest.fixture(scope="module")
def frozen(small_model):
    return freeze(small_model)


@pytest.mark.parametrize("call", ["predict", "frozen"])
def test_short_clip_in_a_graph_of_free_shapes_is_no_nan(frozen, call):
    """A retraced graph no longer knows the number of frames when it is built."""
    import tensorflow as tf

    if call == "frozen":
        function = frozen
    else:
        model = InceptionI3d(7, width=1 / 16)

        def function(clip):
            return model.predict(clip, verbose=0)

        for frames in (9, 10):
            function(np.zeros((1, frames, 193, 193, 3), np.float32))
    with pytest.raises(tf.errors.InvalidArgumentError, match="at least 9 frames"):
        function(np.zeros((1, 8, 193, 193, 3), np.float32))


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, bool], ids=str)
@pytest.mark.parametrize(
    "run",
    [
        lambda model: model,
        lambda model: lambda clip: model.predict(clip, verbose=0),
        lambda model: model.endpoint_model(["Mixed_5c"]),
        lambda model: lambda clip: model(keras.Input(clip.shape[1:], dtype=clip.dtype)),
    ],
    ids=["call", "predict", "endpoint_model", "symbolic"],
)
def test_integers_are_refused(small_model, run, dtype):
    with pytest.raises(ValueError, match="preprocess_input, or put .*Rescaling"):
        run(small_model)(np.zeros((1, 9, 224, 224, 3), dtype))


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, bool], ids=str)
def test_a_frozen_model_refuses_integers(frozen, dtype):
    with pytest.raises(ValueError, match="preprocess_input, or put .*Rescaling"):
        frozen(np.zeros((1, 9, 224, 224, 3), dtype))


def test_the_layer_that_the_error_names(small_model):
    frames = np.random.default_rng(0).integers(0, 256, (1, 9, 224, 224, 3), np.uint8)
    model = keras.Sequential(
        [keras.layers.Rescaling(1 / 127.5, offset=-1), small_model]
    )
    expected = small_model(normalize_rgb(frames))
    np.testing.assert_allclose(model(frames), expected, atol=1e-4)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("a", "b"), "must be 3 different names .*Received: 2, 2 of them"),
        (("a", "b", "b"), "Received: 3, 2 of them different"),
        ("abc", "must be a sequence of strings. Received: 'abc'"),
        ((1, 2, 3), "must be a sequence of strings"),
    ],
    ids=str,
)
def test_wrong_class_names(names, message):
    with pytest.raises(ValueError, match=message):
        InceptionI3d(3, class_names=names, width=1 / 16)


def test_class_names_are_saved(tmp_path):
    model = InceptionI3d(class_names=["a", "b"], width=1 / 16)
    assert (model.num_classes, model.class_names) == (2, ("a", "b"))
    model.class_names = ("c", "d")
    model.save(tmp_path / "x.keras")
    assert keras.models.load_model(tmp_path / "x.keras").class_names == ("c", "d")
    assert InceptionI3d(2, width=1 / 16).class_names is None


@pytest.mark.parametrize("endpoints", [["Logits", "Predictions"], "Logits", []])
def test_bad_endpoints(small_model, endpoints):
    with pytest.raises(ValueError, match="this model ends at Logits"):
        small_model.endpoint_model(endpoints)


def test_two_stream_logits():
    ones = np.ones((1, 4), np.float32)
    np.testing.assert_array_equal(two_stream_logits(ones, 2 * ones), 3 * ones)
    with pytest.raises(ValueError, match=r"RGB \(1, 4\), Flow \(1, 3\)"):
        two_stream_logits(ones, ones[:, :3])


def test_keras_file_round_trip(tmp_path, small_model):
    path = tmp_path / "model.keras"
    small_model.save(path)
    loaded = keras.models.load_model(path)
    assert isinstance(loaded, InceptionI3d)
    assert loaded.get_config() == small_model.get_config()
    np.testing.assert_array_equal(loaded(CLIP), small_model(CLIP))
    batch = recipe.clip(10, 3, batch=2, size=200)
    np.testing.assert_allclose(loaded(batch), small_model(batch), atol=1e-5)


def test_keras_file_keeps_the_dtype_policy(tmp_path):
    path = tmp_path / "model.keras"
    InceptionI3d(final_endpoint="Mixed_3b", width=1 / 16, dtype="mixed_bfloat16").save(
        path
    )
    loaded = keras.models.load_model(path)
    assert loaded.get_layer("Mixed_3b").compute_dtype == "bfloat16"


def test_endpoint_model_can_be_saved(tmp_path, small_model):
    path = tmp_path / "features.keras"
    features = small_model.endpoint_model(["Mixed_4b", "Logits"])
    features.save(path)
    outputs = keras.models.load_model(path)(CLIP)
    for name, value in features(CLIP).items():
        np.testing.assert_array_equal(outputs[name], value)


def test_summary_has_a_row_an_endpoint():
    lines = []
    model = InceptionI3d(final_endpoint="Predictions")
    model.summary(print_fn=lambda line: lines.append(line), line_length=100)
    rows = re.findall(r"^│ (\w+) \(", "\n".join(lines), re.M)
    assert rows == ["clip", *ENDPOINTS]
    assert model.count_params() == 12_704_544


def test_fit_and_predict():
    model = InceptionI3d(7, width=1 / 16)
    model.compile(
        keras.optimizers.SGD(1e-3),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    assert model.jit_compile is False, "XLA on CPU is 4 times slower"
    # Tracing takes the most time; the tests of training do that.
    model.run_eagerly = True
    clips = recipe.clip(9, 3, batch=4, size=193)
    before = [v.numpy() for v in model.trainable_weights]
    history = model.fit(clips, np.arange(4), batch_size=2, verbose=0)
    assert np.isfinite(history.history["loss"]).all()
    changed = [
        not np.array_equal(old, new.numpy())
        for old, new in zip(before, model.trainable_weights, strict=True)
    ]
    assert all(changed)
    assert model.predict(clips, batch_size=2, verbose=0).shape == (4, 7)


def test_predict_without_compile_uses_no_xla(small_model):
    model = recipe.assign(InceptionI3d(7, width=1 / 16))
    np.testing.assert_allclose(
        model.predict(CLIP, verbose=0), small_model(CLIP), atol=1e-5
    )
    assert model.jit_compile is False


def test_dropout_is_for_training_only():
    keras.utils.set_random_seed(1)
    model = recipe.assign(InceptionI3d(7, width=1 / 16))
    np.testing.assert_array_equal(model(CLIP), model(CLIP, training=False))
    trained = [np.asarray(model(CLIP, training=True)) for _ in range(2)]
    assert not np.array_equal(*trained)


# TensorFlow has no MaxPool3D in float16 on CPU.
@pytest.mark.parametrize("policy", ["mixed_bfloat16", "bfloat16"])
def test_mixed_precision(small_model, policy):
    model = recipe.assign(InceptionI3d(7, width=1 / 16, dtype=policy))
    logits = model(CLIP)
    assert keras.backend.standardize_dtype(logits.dtype) == "float32"
    assert model.get_layer("Mixed_3b").compute_dtype == policy.split("_")[-1]
    expected = np.asarray(small_model(CLIP))
    assert np.abs(logits - expected).mean() < 0.05 * expected.std()


def test_global_policy_reaches_the_layers():
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = InceptionI3d(7, width=1 / 16)
    finally:
        keras.config.set_dtype_policy(policy)
    assert model.get_layer("Mixed_3b").compute_dtype == "bfloat16"
    assert model.get_layer("Logits").compute_dtype == "float32"
