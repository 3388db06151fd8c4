"""Objects in `.keras` files that could run code are refused before Keras sees them."""

import json
import zipfile

import keras
import pytest

from kinetics_i3d_tf2 import load_model
from kinetics_i3d_tf2.checkpoints.importers.recognize import read_weights

CALLS = []


@pytest.fixture(scope="module")
def saved(small_model, tmp_path_factory):
    path = tmp_path_factory.mktemp("keras") / "model.keras"
    small_model.save(path)
    return path


def changed(path, folder, change):
    """A copy of a `.keras` file with another configuration."""
    copy = folder / path.name
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(copy, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "config.json":
                config = json.loads(content)
                change(config)
                content = json.dumps(config)
            target.writestr(name, content)
    return copy


def test_a_lambda_layer_is_refused(tmp_path):
    path = tmp_path / "lambda.keras"
    called = keras.layers.Lambda(lambda x: CALLS.append("called") or x)
    model = keras.Sequential([keras.layers.Input((2,)), called])
    model.save(path)
    CALLS.clear()
    for load in (load_model, read_weights):
        with pytest.raises(ValueError, match="contains the Keras model 'Sequential'"):
            load(path)
    assert not CALLS


SYSTEM = {"module": "os", "class_name": "system", "config": "true"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c["config"].update(name=SYSTEM), "os.system"),
        (lambda c: c["config"]["dtype"].update(module="builtins"), "builtins.DType"),
        (lambda c: c["config"].update(a=[{"b": SYSTEM}]), "os.system"),
        (lambda c: c.update(build_config=SYSTEM), "os.system"),
        (lambda c: c.update(registered_name="function"), "function"),
    ],
    ids=["argument", "dtype", "nested", "build", "registered"],
)
def test_other_objects_are_refused(saved, tmp_path, change, message):
    path = changed(saved, tmp_path, change)
    with pytest.raises(ValueError, match=f"model.keras: contains the object {message}"):
        load_model(path)


def test_an_unchanged_copy_is_loaded(saved, tmp_path):
    path = changed(saved, tmp_path, lambda config: None)
    assert load_model(path).num_classes == 7
