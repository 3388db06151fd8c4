"""Keras finds the classes of the package in a process that merely imports it."""

import importlib

import keras
import processes
import pytest

from kinetics_i3d_tf2 import ConvNetLstm, InceptionI3d, serialization

NAMES = ("a", "b", "c")


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved")
    model = InceptionI3d(class_names=NAMES, width=1 / 16)
    model.compile("sgd", "mse")
    model.save(folder / "i3d.keras")
    model.endpoint_model(["Mixed_5c"]).save(folder / "endpoint.keras")
    ConvNetLstm(class_names=NAMES, width=1 / 16).save(folder / "lstm.keras")
    return folder


LOAD = """
import sys
{imports}
import keras
assert "kinetics_i3d_tf2.models.i3d" not in sys.modules
folder = sys.argv[1]
model = keras.models.load_model(f"{{folder}}/i3d.keras")
assert type(model).__name__ == "InceptionI3d", type(model)
assert model.class_names == ("a", "b", "c")
assert keras.models.load_model(f"{{folder}}/lstm.keras").kind == "convnet_lstm"
endpoint = keras.models.load_model(f"{{folder}}/endpoint.keras")
assert list(endpoint.output) == ["Mixed_5c"]
"""


def test_keras_files_load_in_a_new_process(python, saved):
    done = python("-c", LOAD.format(imports="import kinetics_i3d_tf2"), saved)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "imports",
    [
        "import kinetics_i3d_tf2",
        "from kinetics_i3d_tf2.models.c3d import C3d",
    ],
)
def test_keras_files_load_where_keras_was_imported_before(saved, imports):
    imports = f"assert {{'keras', 'tensorflow'}} <= set(sys.modules); {imports}"
    done = processes.run("-c", LOAD.format(imports=imports), saved)
    assert done.returncode == 0, done.stderr


def test_the_package_is_imported_without_keras(python):
    code = (
        "import sys, kinetics_i3d_tf2\n"
        "assert not {'keras', 'tensorflow', 'numpy'} & set(sys.modules)"
    )
    done = python("-c", code)
    assert done.returncode == 0, done.stderr


def test_the_table_is_complete():
    for home in serialization.HOMES:
        importlib.import_module(f"kinetics_i3d_tf2.{home}")
    registered = {
        name: value
        for name, value in keras.saving.get_custom_objects().items()
        if name.startswith("kinetics_i3d_tf2>")
    }
    listed = {
        f"kinetics_i3d_tf2>{name}": f"kinetics_i3d_tf2.{home}"
        for home, names in serialization.HOMES.items()
        for name in names
    }
    assert {n: value.__module__ for n, value in registered.items()} == listed
