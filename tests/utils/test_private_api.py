import keras
import numpy as np
import pytest
import tensorflow as tf

from kinetics_i3d_tf2 import InceptionI3d, Momentum
from kinetics_i3d_tf2.utils import private_api


@pytest.fixture(scope="module")
def model():
    inner = keras.Sequential([keras.layers.Dense(2, name="inner")])
    model = keras.Sequential([keras.Input((3,)), inner, keras.layers.Dense(1)])
    model.compile(Momentum(0.1), "mse")
    model.optimizer.build(model.trainable_variables)
    return model


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (keras.Layer, "_flatten_layers"),
        (keras.Model, "_maybe_symbolic_build"),
        (keras.optimizers.Optimizer, "_get_variable_index"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_keras_has_the_private_name(owner, name):
    assert hasattr(owner, name), f"Keras {keras.__version__} has no {owner}.{name}"


@pytest.mark.parametrize(
    ("get", "name"),
    [
        (lambda model: model, "_loss_tracker"),
        (lambda model: model.optimizer, "_trainable_variables"),
    ],
    ids=["Model._loss_tracker", "Optimizer._trainable_variables"],
)
def test_a_compiled_model_has_the_private_attribute(model, get, name):
    owner = get(model)
    assert hasattr(owner, name), f"Keras {keras.__version__} sets no {name} on {owner}"


def test_all_layers_lists_nested_layers():
    model = InceptionI3d(8, width=1 / 16, final_endpoint="Mixed_3b")
    layers = private_api.all_layers(model)
    norms = [x for x in layers if isinstance(x, keras.layers.BatchNormalization)]
    assert len(norms) == 3 + 6


def test_loss_metric_is_what_fit_reports(model):
    ones = np.ones((4, 3), "float32")
    logs = model.fit(ones, ones[:, :1], verbose=0).history
    mean = float(private_api.loss_metric(model).result())
    assert mean == pytest.approx(logs["loss"][-1])


def test_skip_symbolic_build_replaces_what_fit_calls(monkeypatch):
    def fail(*args, **kwargs):
        raise AssertionError("built again")

    monkeypatch.setattr(keras.Model, "_symbolic_build", fail)
    with tf.distribute.MirroredStrategy(["CPU:0"]).scope():
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
        model.compile(Momentum(0.1), "mse", metrics=["mae"])
    inputs, outputs = np.ones((4, 3)), np.ones((4, 1))
    with pytest.raises(AssertionError, match="built again"):
        model.fit(inputs, outputs, verbose=0)
    private_api.skip_symbolic_build(model)
    model.fit(inputs, outputs, verbose=0)


def test_variables_of_an_optimizer_are_found(model):
    found = private_api.trained_variables(model.optimizer)
    assert [v.path for v in found] == [v.path for v in model.trainable_variables]
    for index, variable in enumerate(model.trainable_variables):
        assert private_api.variable_index(model.optimizer, variable) == index
