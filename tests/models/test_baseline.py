"""The paper's other four architectures: shapes, numbers, files, checks."""

import functools

import baseline_goldens
import keras
import numpy as np
import pytest
import recipe
import tensorflow as tf

from kinetics_i3d_tf2 import (
    C3d,
    ConvNetLstm,
    FusedTwoStream,
    Momentum,
    TwoStream,
    fold_batch_norm,
    freeze,
    load_checkpoint,
    save_checkpoint,
)
from kinetics_i3d_tf2.checkpoints.checkpoint import Checkpoint
from kinetics_i3d_tf2.checkpoints.sonnet import (
    load_momentum,
    sonnet_name,
)
from kinetics_i3d_tf2.models.baseline import StackFlow

ARCHITECTURES = {
    "convnet_lstm": ConvNetLstm,
    "convnet_lstm_all": functools.partial(ConvNetLstm, all_steps=True),
    "c3d": C3d,
    "two_stream": TwoStream,
    "two_stream_rgb": functools.partial(TwoStream, stream="rgb"),
    "two_stream_flow": functools.partial(TwoStream, stream="flow", snippet=3),
    "fused": FusedTwoStream,
    "fused_rgb": functools.partial(FusedTwoStream, stream="rgb"),
    "fused_flow": functools.partial(FusedTwoStream, stream="flow", snippet=2),
}
each_model = pytest.mark.parametrize("case", ARCHITECTURES)
# These have all layers of the others.
each_kind = pytest.mark.parametrize(
    "case", ["convnet_lstm", "c3d", "two_stream", "fused"]
)
# One of a class, with what only it has.
each_class = pytest.mark.parametrize(
    "case", ["convnet_lstm_all", "c3d", "two_stream_flow", "fused"]
)


def make(case, **options):
    return ARCHITECTURES[case](12, **{"width": 1 / 16, **options})


@functools.cache
def model_of(case):
    """A narrow model with the recipe's weights."""
    return recipe.assign(make(case))


def clips_for(model, batch=1, size=64, frames=3, seed=0):
    """Clips of the model's shapes; `size` and `frames` where they are free."""
    clips = {}
    for stream, (fixed, height, _, channels) in model.clip_shapes.items():
        clips[stream] = recipe.clip(
            fixed or frames * (model.snippet if stream == "flow" else 1),
            channels,
            batch,
            size=height or size,
            seed=seed,
        )
    return clips if model.stream == "joint" else clips[model.stream]


@functools.cache
def expected(case):
    model = model_of(case)
    return np.asarray(model(clips_for(model)))


@each_model
def test_logits(case):
    model = model_of(case)
    logits = model(clips_for(model, batch=2))
    assert logits.shape[0] == 2
    assert logits.shape[-1] == model.num_classes == 12
    assert np.std(logits, axis=-1).min() > 0.1
    np.testing.assert_allclose(logits[:1], expected(case), atol=1e-4)


@pytest.mark.parametrize(
    ("case", "millions"),
    [("convnet_lstm", 9), ("c3d", 79), ("two_stream", 12), ("fused", 39)],
)
def test_parameters_are_the_papers(case, millions):
    model = ARCHITECTURES[case]()
    assert model.count_params() == pytest.approx(millions * 1e6, rel=0.1)


@each_model
def test_names_and_scope(case):
    model = model_of(case)
    assert model.name == model.kind == model.checkpoint_scope
    paths = [v.path for v in model.weights]
    assert len(set(paths)) == len(paths)
    trunks = {"rgb": "RGB/Conv2d_1a_7x7/conv_2d/kernel"}
    trunks["flow"] = trunks["rgb"].replace("RGB", "Flow")
    for stream, first in trunks.items():
        seen = stream in model.clip_shapes and model.kind != "c3d"
        assert (first in paths) == seen
    classifiers = {path for path in paths if path.startswith("Logits/")}
    assert {path.rpartition("/")[2] for path in classifiers} == {"kernel", "bias"}


@pytest.mark.parametrize("case", ["convnet_lstm", "c3d", "two_stream_rgb", "fused_rgb"])
def test_first_weights_are_gaussian(case):
    keras.utils.set_random_seed(3)
    for variable in make(case, width=1 / 4).weights:
        scope, _, name = variable.path.rpartition("/")
        value = variable.numpy()
        if name == "bias":
            assert not value.any()
        if not name.endswith("kernel") or scope.startswith(("RGB/", "Flow/")):
            continue
        deviation = np.sqrt(2 / np.prod(value.shape[:-1]))
        if scope.startswith("Logits"):
            deviation = 0.01
        assert value.std() == pytest.approx(deviation, rel=0.1)
        assert np.abs(value).max() > 2.5 * deviation, "truncated"


@each_kind
def test_dropout_is_for_training_only(case):
    model = model_of(case)
    clips = clips_for(model)
    np.testing.assert_array_equal(model(clips), model(clips, training=False))
    dropouts = [x for x in model.layers if isinstance(x, keras.layers.Dropout)]
    assert dropouts and all(layer.rate == 0.5 for layer in dropouts)


@each_class
def test_config_round_trip(case):
    model = make(case, dropout_rate=0.25, trainable=False, name="other")
    config = model.get_config()
    again = type(model).from_config(config)
    assert again.get_config() == config
    assert not again.trainable_weights
    assert again.name == "other"


@each_class
def test_keras_file_round_trip(case, tmp_path):
    model = model_of(case)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert type(loaded) is type(model)
    assert loaded.get_config() == model.get_config()
    clips = clips_for(model, batch=2)
    np.testing.assert_allclose(loaded(clips), model(clips), atol=1e-5)


@each_kind
def test_checkpoint_round_trip(case, tmp_path):
    model = model_of(case)
    prefix = save_checkpoint(model, tmp_path / "model.ckpt")
    entries = Checkpoint(prefix).variables
    assert {e.name for e in entries} == {
        f"{model.kind}/{sonnet_name(v)}" for v in model.weights
    }
    loaded = make(case)
    load_checkpoint(loaded, prefix)
    for old, new in zip(model.weights, loaded.weights, strict=True):
        np.testing.assert_array_equal(old.numpy(), new.numpy())


def test_momentum_is_saved_beside_the_weights(tmp_path):
    model = make("convnet_lstm")
    optimizer = Momentum()
    optimizer.build(model.trainable_weights)
    for _, slot in optimizer.slots():
        slot.assign(recipe.weight(slot.path, tuple(slot.shape)))
    prefix = save_checkpoint(model, tmp_path / "model.ckpt", optimizer=optimizer)
    other = Momentum()
    other.build(make("convnet_lstm").trainable_weights)
    load_momentum(other, prefix)
    for (_, ours), (_, theirs) in zip(optimizer.slots(), other.slots(), strict=True):
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())
    load_checkpoint(make("convnet_lstm"), prefix)


def test_checkpoint_of_another_architecture(tmp_path):
    save_checkpoint(model_of("two_stream"), tmp_path)
    with pytest.raises(ValueError, match="of two_stream, the model of convnet_lstm"):
        load_checkpoint(make("convnet_lstm"), tmp_path)


@functools.cache
def folded(case):
    return fold_batch_norm(model_of(case))


@functools.cache
def frozen(case):
    return freeze(folded(case))


@each_kind
def test_folding_and_freezing_keep_the_logits(case):
    model = model_of(case)
    assert not any("/batch_norm/" in v.path for v in folded(case).weights)
    kept = {v.path for v in model.weights if "/batch_norm/" not in v.path}
    assert kept <= {v.path for v in folded(case).weights}
    np.testing.assert_allclose(
        folded(case)(clips_for(model)), expected(case), atol=1e-4
    )
    # A graph takes any number of clips.
    logits = frozen(case)(clips_for(model, batch=2))
    np.testing.assert_allclose(logits[:1], expected(case), atol=1e-4)
    np.testing.assert_allclose(logits, model(clips_for(model, batch=2)), atol=1e-4)


@pytest.mark.parametrize("case", ["convnet_lstm", "c3d", "two_stream", "fused_rgb"])
def test_folded_bfloat16_is_close(case):
    logits = expected(case)
    fast = freeze(fold_batch_norm(model_of(case), dtype="bfloat16"))
    received = np.asarray(fast(clips_for(model_of(case))))
    assert received.dtype == np.float32
    assert 0 < np.abs(received - logits).mean() < 0.05 * logits.std()


@pytest.mark.parametrize("case", ["convnet_lstm", "c3d", "two_stream", "fused_rgb"])
def test_mixed_precision(case):
    model = recipe.assign(make(case, dtype="mixed_bfloat16"))
    logits = model(clips_for(model))
    assert keras.backend.standardize_dtype(logits.dtype) == "float32"
    error = np.abs(logits - expected(case)).mean()
    assert 0 < error < 0.05 * expected(case).std()


@pytest.mark.parametrize("case", ["convnet_lstm_all", "c3d", "two_stream", "fused_rgb"])
def test_training_lowers_the_loss(case):
    keras.utils.set_random_seed(0)
    model = make(case, dropout_rate=0.0)
    model.compile(
        keras.optimizers.SGD(0.01),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    assert model.jit_compile is False
    # Tracing takes the most time; the tests of training do that.
    model.run_eagerly = case != "c3d"
    clips = clips_for(model, batch=2)
    labels = np.arange(2)
    if len(model.output.shape) == 3:
        labels = np.repeat(labels[:, None], 3, axis=1)
    before = [v.numpy() for v in model.weights]
    history = model.fit(clips, labels, batch_size=2, epochs=2, verbose=0)
    losses = history.history["loss"]
    assert losses[-1] < losses[0]
    same = [
        v.path
        for old, v in zip(before, model.weights, strict=True)
        if np.array_equal(old, v.numpy())
    ]
    assert not same


@pytest.mark.parametrize(
    ("case", "arguments", "message"),
    [
        ("c3d", {"num_classes": 0}, "num_classes must be at least 1. Received: 0"),
        ("c3d", {"dropout_rate": 1.0}, r"must be in \[0, 1\).*Received: 1.0"),
        ("c3d", {"width": 0}, "width multiplies the filters"),
        ("c3d", {"stream": "flow"}, "stream of c3d must be one of rgb. .*'flow'"),
        ("convnet_lstm", {"stream": "joint"}, "must be one of rgb. .*'joint'"),
        ("two_stream", {"stream": "RGB"}, "must be one of joint, rgb, flow. .*'RGB'"),
        (
            "two_stream",
            {"snippet": 0},
            "snippet is the number of flow frames.*Received: 0",
        ),
        (
            "fused",
            {"snippet": -1},
            "snippet is the number of flow frames.*Received: -1",
        ),
    ],
    ids=str,
)
def test_bad_arguments(case, arguments, message):
    with pytest.raises(ValueError, match=message):
        ARCHITECTURES[case](**arguments)


@pytest.mark.parametrize(
    ("case", "shape", "message"),
    [
        ("c3d", (16, 112, 112, 3), r"add the batch axis .* clip\[None\]"),
        ("c3d", (1, 16, 112, 112, 2), "rgb clips of c3d have 3 channels"),
        ("c3d", (1, 17, 112, 112, 3), "have 16 frames; cut longer ones"),
        ("c3d", (1, 16, 112, 128, 3), "frames of 112 x 112 pixels; resize and crop"),
        ("two_stream_rgb", (1, 2, 64, 64, 3), "two_stream have 1 frames; cut"),
        ("two_stream_flow", (1, 10, 64, 64, 2), "this two_stream have 3 frames"),
        ("two_stream_flow", (1, 3, 64, 64, 3), "flow clips of two_stream have 2 chan"),
        ("fused_rgb", (1, 2, 224, 224, 3), "at least 3 frames of RGB.*rgb 2"),
        ("fused_flow", (1, 7, 224, 224, 2), "2 of flow for each.*flow 7"),
        ("fused_flow", (1, 6, 224, 256, 2), "frames of 224 x 224 pixels"),
    ],
    ids=str,
)
def test_bad_clips(case, shape, message):
    model = model_of(case)
    with pytest.raises(ValueError, match=message):
        model(np.zeros(shape, np.float32))
    with pytest.raises(ValueError, match=message):
        model.predict(np.zeros(shape, np.float32), verbose=0)


def test_one_stream_takes_no_dict():
    model = model_of("c3d")
    with pytest.raises(ValueError, match="takes the rgb clips alone.*a dict of rgb"):
        model({"rgb": clips_for(model)})


@pytest.mark.parametrize("case", ["two_stream", "fused"])
def test_joint_takes_a_dict(case):
    model = model_of(case)
    clips = clips_for(model)
    with pytest.raises(ValueError, match="dict of the clips of both.*Received:.*rgb"):
        model({"rgb": clips["rgb"]})
    with pytest.raises(ValueError, match="dict of the clips of both.*Received:.*list"):
        model([clips["rgb"], clips["flow"]])
    with pytest.raises(
        ValueError, match="flow clips of this .* frames|10 of flow for each"
    ):
        model({**clips, "flow": clips["flow"][:, 1:]})


def test_frozen_joint_model_checks_its_dict():
    clips = clips_for(model_of("two_stream"))
    with pytest.raises(ValueError, match=r"dict of the clips .*Received: \['rgb'\]"):
        frozen("two_stream")({"rgb": clips["rgb"]})
    with pytest.raises(ValueError, match=r"None, 2\). Received: \(1, 9, 64, 64, 2\)"):
        frozen("two_stream")({**clips, "flow": clips["flow"][:, 1:]})


def test_flow_frames_are_stacked_in_order():
    flow = np.zeros((1, 4, 5, 6, 2), np.float32)
    flow[...] = 10 * np.arange(4)[:, None, None, None] + np.arange(2)
    stacked = np.asarray(StackFlow(2)(flow))
    assert stacked.shape == (1, 2, 5, 6, 4)
    np.testing.assert_array_equal(stacked[0, 0, 3, 4], [0, 1, 10, 11])
    np.testing.assert_array_equal(stacked[0, 1, 3, 4], [20, 21, 30, 31])


def test_joint_prediction_is_the_mean_of_the_streams():
    model = model_of("two_stream")
    clips = clips_for(model, batch=2)
    outputs = model.per_stream()(clips)
    rgb, flow = (keras.ops.softmax(outputs[stream]) for stream in ("rgb", "flow"))
    assert np.abs(rgb - flow).max() > 0.1
    joint = np.exp(outputs["joint"])
    np.testing.assert_allclose(joint, (rgb + flow) / 2, atol=1e-6)
    np.testing.assert_array_equal(outputs["joint"], model(clips))


@pytest.mark.parametrize("stream", ["rgb", "flow"])
def test_streams_are_halves_of_the_joint_model(stream):
    joint = model_of("two_stream")
    half = recipe.assign(make("two_stream", stream=stream))
    clips = clips_for(joint)
    expected = joint.per_stream()(clips)[stream]
    np.testing.assert_allclose(half(clips[stream]), expected, atol=1e-5)
    with pytest.raises(ValueError, match=f"has the {stream} stream alone"):
        half.per_stream()


def test_models_of_both_streams_can_be_folded_and_frozen():
    model = model_of("two_stream").per_stream()
    clips = clips_for(model_of("two_stream"))
    outputs = freeze(fold_batch_norm(model))(clips)
    for name, value in model(clips).items():
        np.testing.assert_allclose(outputs[name], value, atol=1e-4)


def test_all_steps_end_with_the_last():
    model, every = model_of("convnet_lstm"), model_of("convnet_lstm_all")
    assert [v.path for v in model.weights] == [v.path for v in every.weights]
    clips = clips_for(model, batch=2, frames=27)
    logits = every(clips)
    assert logits.shape == (2, 27, 12)
    np.testing.assert_allclose(logits[:, -1], model(clips), atol=1e-5)
    first = every(clips[:, :4])
    np.testing.assert_allclose(logits[:, :4], first, atol=1e-4)


@pytest.mark.parametrize("case", ["convnet_lstm", "fused_rgb"])
def test_the_order_of_frames_is_seen(case):
    model = model_of(case)
    clip = clips_for(model)
    clip[:, 0] *= 0.1
    assert np.abs(model(clip) - model(clip[:, ::-1])).max() > 0.1


@pytest.mark.parametrize(
    "case",
    [
        "c3d",
        pytest.param("convnet_lstm", marks=pytest.mark.slow),
        pytest.param("two_stream", marks=pytest.mark.slow),
    ],
)
def test_saved_model_takes_other_batches(case, tmp_path):
    model = model_of(case)
    model.export(tmp_path / "model", verbose=False)
    loaded = tf.saved_model.load(tmp_path / "model")
    clips = clips_for(model, batch=2, frames=4)
    np.testing.assert_allclose(loaded.serve(clips), model(clips), atol=1e-4)


def test_c3d_is_its_plain_rebuild():
    """The network again, of plain Keras layers and a list of numbers."""
    layers = keras.layers

    def normalized(outputs, filters, kernel, padding="same"):
        outputs = layers.Conv3D(filters, kernel, padding=padding, use_bias=False)(
            outputs
        )
        return layers.ReLU()(layers.BatchNormalization(scale=False)(outputs))

    outputs = inputs = keras.Input((16, 112, 112, 3))
    for filters in ([4], [8], [16, 16], [32, 32], [32, 32]):
        for number in filters:
            outputs = normalized(outputs, number, 3)
        outputs = layers.MaxPooling3D(2, 2, padding="same")(outputs)
    outputs = normalized(outputs, 256, (1, 4, 4), "valid")
    outputs = normalized(outputs, 256, 1)
    rebuilt = keras.Model(inputs, layers.Dense(12)(layers.Flatten()(outputs)))
    model = model_of("c3d")
    rebuilt.set_weights(model.get_weights())
    clips = clips_for(model, batch=2)
    np.testing.assert_allclose(model(clips), rebuilt(clips), atol=1e-4)


def features_of(model, clips):
    """What the trunks make of the clips, flow stacked here; (batch, pictures, ...)."""
    features = []
    if "rgb" in clips:
        features.append(model.get_layer("RGB")(clips["rgb"]))
    if "flow" in clips:
        flow = clips["flow"]
        pictures = [
            np.concatenate([flow[:, start + i] for i in range(model.snippet)], axis=-1)
            for start in range(0, flow.shape[1], model.snippet)
        ]
        features.append(model.get_layer("Flow")(np.stack(pictures, axis=1)))
    return [np.asarray(x) for x in features]


def test_two_stream_is_its_formula():
    model = model_of("two_stream")
    clips = clips_for(model, batch=2)
    values = {v.path: v.numpy() for v in model.weights}
    means = []
    for scope, features in zip(("RGB", "Flow"), features_of(model, clips), strict=True):
        kernel, bias = (values[f"Logits/{scope}/{x}"] for x in ("kernel", "bias"))
        exponentials = np.exp(features.mean((1, 2, 3)) @ kernel + bias)
        means.append(exponentials / exponentials.sum(axis=1, keepdims=True))
    np.testing.assert_allclose(np.exp(model(clips)), np.mean(means, 0), atol=1e-5)


@pytest.mark.parametrize("case", ["fused", "fused_flow"])
def test_fused_is_its_formula(case):
    model = model_of(case)
    clips = clips_for(model, batch=2)
    values = {v.path: v.numpy() for v in model.weights}
    features = features_of(
        model, clips if model.stream == "joint" else {model.stream: clips}
    )
    features = np.concatenate(features, axis=-1)
    assert features.shape == (2, 3, 7, 7, 64 * len(model.clip_shapes))
    outputs = tf.nn.conv3d(
        features, values["Fusion/conv_3d/kernel"], [1] * 5, "SAME"
    ).numpy()
    scale = 1 / np.sqrt(values["Fusion/batch_norm/moving_variance"] + 1e-3)
    outputs = (outputs - values["Fusion/batch_norm/moving_mean"]) * scale
    outputs = np.maximum(outputs + values["Fusion/batch_norm/beta"], 0)
    pooled = [
        outputs[:, :3, y : y + 3, x : x + 3].max((1, 2, 3))
        for y in (0, 3)
        for x in (0, 3)
    ]
    logits = np.concatenate(pooled, axis=-1) @ values["Logits/kernel"]
    logits = logits + values["Logits/bias"]
    np.testing.assert_allclose(model(clips), logits, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("kind", baseline_goldens.ARCHITECTURES)
def test_goldens(golden, kind):
    expected = golden(f"baseline_{kind}")
    received = baseline_goldens.logits(kind)
    assert sorted(received) == sorted(expected.files)
    for name, value in received.items():
        np.testing.assert_allclose(value, expected[name], rtol=1e-4, atol=1e-3)
