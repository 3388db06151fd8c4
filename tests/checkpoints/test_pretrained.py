"""Weights by name or path in InceptionI3d, load_model and training."""

import logging
from pathlib import Path

import keras
import numpy as np
import port_files
import pytest
import recipe
from conftest import ROOT

from kinetics_i3d_tf2 import (
    C3d,
    InceptionI3d,
    class_names,
    load_model,
    save_checkpoint,
)
from kinetics_i3d_tf2.checkpoints import pretrained, released
from kinetics_i3d_tf2.checkpoints.download import DownloadError
from kinetics_i3d_tf2.checkpoints.sonnet import sonnet_name
from kinetics_i3d_tf2.data import labels

NAMES = tuple("abcdefg")
CLIP = recipe.clip(9, 3, size=193)


@pytest.fixture(scope="module")
def source():
    return recipe.assign(InceptionI3d(class_names=NAMES, width=1 / 16))


@pytest.fixture(scope="module")
def files(source, tmp_path_factory):
    """The same weights as a checkpoint, and in two other formats."""
    folder = tmp_path_factory.mktemp("files")
    save_checkpoint(source, folder / "saved" / "model.ckpt")
    labels.write_label_map(folder / "saved" / "label_map.txt", NAMES)
    weights = {sonnet_name(v): v.numpy() for v in source.weights}
    port_files.write_pytorch(weights, folder / "x.pt")
    port_files.write_hub_module(weights, folder / "hub")
    source.save(folder / "x.keras")
    return folder


def with_weights(path):
    return InceptionI3d(weights=path)


@pytest.mark.parametrize(
    ("build", "name", "names"),
    [
        (load_model, "saved", NAMES),
        (with_weights, "saved/model.ckpt", NAMES),
        (load_model, "x.keras", NAMES),
        (with_weights, "x.keras", NAMES),
        (load_model, "x.pt", None),
        (with_weights, "hub", None),
    ],
)
def test_any_format(files, source, build, name, names):
    model = build(files / name)
    assert type(model) is InceptionI3d
    assert (model.width, model.num_classes) == (1 / 16, 7)
    assert model.class_names == names
    np.testing.assert_array_equal(model(CLIP), source(CLIP))


def test_a_released_name(files, monkeypatch):
    asked = []
    monkeypatch.setattr(
        released, "fetch", lambda name: asked.append(name) or files / "saved"
    )
    assert InceptionI3d(weights="rgb_imagenet").class_names == NAMES
    assert load_model("flow_scratch").class_names == NAMES
    assert asked == ["rgb_imagenet", "flow_scratch"]


def test_a_released_name_that_cannot_be_downloaded(monkeypatch):
    def fail(name):
        raise DownloadError("no network")

    monkeypatch.setattr(released, "fetch", fail)
    message = "no network. rgb_scratch .* is also on the package index"
    with pytest.raises(DownloadError, match=message):
        InceptionI3d(weights="rgb_imagenet")


@pytest.mark.parametrize(
    "arguments", [{"num_classes": 3}, {"class_names": ("x", "y", "z")}], ids=str
)
@pytest.mark.parametrize("build", [load_model, InceptionI3d], ids=["load", "class"])
def test_other_classes_get_a_new_head(files, source, caplog, build, arguments):
    path = files / "saved"
    with caplog.at_level(logging.WARNING, "absl"):
        if build is load_model:
            model = load_model(path, **arguments)
        else:
            model = InceptionI3d(weights=path, **arguments)
    assert [record.getMessage() for record in caplog.records] == [
        f"{path / 'model.ckpt'}: the classifier of 3 classes is new, its weights are "
        "random; the checkpoint has one of 7 classes"
    ]
    assert (model.num_classes, model.class_names) == (3, arguments.get("class_names"))
    for ours, theirs in zip(model.weights, source.weights, strict=True):
        if not ours.path.startswith("Logits"):
            np.testing.assert_array_equal(ours, theirs, err_msg=ours.path)


def test_as_many_other_classes_get_a_new_head(files, source):
    model = InceptionI3d(weights=files / "saved", class_names=NAMES[::-1])
    kernels = [model.get_layer("Logits").weights[0], source.weights[-2]]
    assert not np.array_equal(*kernels)
    named = InceptionI3d(weights=files / "x.pt", class_names=NAMES)
    np.testing.assert_array_equal(named(CLIP), source(CLIP))


@pytest.mark.parametrize(
    ("name", "endpoint"),
    [("saved", "Conv3d_1a_7x7"), ("saved", "Mixed_5c"), ("x.keras", "Mixed_4f")],
)
def test_a_headless_model(files, source, caplog, name, endpoint):
    model = load_model(files / name, final_endpoint=endpoint)
    expected = source.endpoint_model([endpoint])(CLIP)[endpoint]
    np.testing.assert_allclose(model(CLIP), expected, atol=1e-5)
    assert model.class_names is None
    assert not caplog.records
    same = InceptionI3d(weights=files / name, final_endpoint=endpoint)
    np.testing.assert_array_equal(same(CLIP), model(CLIP))


def test_a_checkpoint_without_classifier(tmp_path, files, caplog):
    trunk = load_model(files / "saved", final_endpoint="Mixed_5c")
    save_checkpoint(trunk, tmp_path / "trunk" / "model.ckpt")
    with pytest.raises(ValueError, match="without its classifier"):
        InceptionI3d(weights=tmp_path / "trunk")
    assert InceptionI3d(3, weights=tmp_path / "trunk").num_classes == 3
    assert caplog.text.rstrip().endswith(
        "its weights are random; the checkpoint has none"
    )


def test_weights_are_not_saved_in_the_configuration(files, tmp_path):
    model = InceptionI3d(weights=files / "saved")
    assert "weights" not in model.get_config()
    model.save(tmp_path / "y.keras")
    again = keras.models.load_model(tmp_path / "y.keras")
    np.testing.assert_array_equal(again(CLIP), model(CLIP))


def test_the_names_of_kinetics(tmp_path):
    save_checkpoint(InceptionI3d(400, width=1 / 16), tmp_path / "model.ckpt")
    assert load_model(tmp_path).class_names == class_names(400)


def test_a_keras_file_of_another_architecture(tmp_path):
    C3d(class_names=NAMES, width=1 / 16).save(tmp_path / "c3d.keras")
    loaded = load_model(tmp_path / "c3d.keras")
    assert (loaded.kind, loaded.class_names) == ("c3d", NAMES)
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save(
        tmp_path / "dense.keras"
    )
    with pytest.raises(ValueError, match="dense.keras: contains the Keras model 'Seq"):
        load_model(tmp_path / "dense.keras")


def test_a_keras_file_of_another_name(files, tmp_path):
    (tmp_path / "downloaded").write_bytes((files / "x.keras").read_bytes())
    assert load_model(tmp_path / "downloaded").class_names == NAMES


def test_half_a_keras_file(files, tmp_path):
    content = (files / "x.keras").read_bytes()
    (tmp_path / "half.keras").write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match="half.keras: .*(truncated|corrupt)"):
        load_model(tmp_path / "half.keras")


@pytest.mark.parametrize(
    ("weights", "error", "message"),
    [
        ("rgb_imagnet", FileNotFoundError, "did you mean 'rgb_imagenet'?"),
        ("/nowhere/x.pt", FileNotFoundError, "no such file, checkpoint, or released"),
        ("rgb_sample", FileNotFoundError, "no such file"),
    ],
)
def test_there_is_no_such_thing(weights, error, message):
    with pytest.raises(error, match=message):
        InceptionI3d(weights=weights)


def test_weights_of_another_architecture(tmp_path):
    save_checkpoint(C3d(3, width=1 / 16), tmp_path / "model.ckpt")
    with pytest.raises(ValueError, match="checkpoint of c3d, not of i3d; load it with"):
        InceptionI3d(weights=tmp_path)


def test_an_open_checkpoint_is_opened_by_path(files):
    assert pretrained.open_weights(files / "saved").class_names == NAMES


def test_errors_name_the_file_that_was_imported(files):
    opened = pretrained.open_weights(files / "x.pt")
    with pytest.raises(ValueError, match="x.pt: the names of its 7 .* import .*pt --"):
        _ = opened.class_names
    with pytest.raises(ValueError, match="^[^:]*x.pt: does not fit the model.*width"):
        InceptionI3d(7, weights=files / "x.pt", width=1 / 8)
    with pytest.raises(ValueError, match="x.pt: is of the stream rgb, not of flow"):
        opened.require("flow")


def test_the_demonstration_is_known_by_name_anywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folders = (ROOT / "checkpoints").glob("demo_*")
    assert pretrained.demonstration_names() == tuple(sorted(f.name for f in folders))
    assert load_model("demo_rgb").class_names[0] == "closing a door"
    assert InceptionI3d(weights="demo_flow").num_channels == 2
    with pytest.raises(FileNotFoundError, match="did you mean 'demo_rgb'?"):
        load_model("checkpoints/demo_rgb")


@pytest.mark.parametrize(
    "weights", ["rgb_imagenet", "demo_rgb", "gs://bucket/model", "/models/rgb"]
)
def test_what_means_the_same_in_any_folder_stays_as_it_is(weights):
    assert pretrained.absolute(weights) == weights


def test_relative_paths_of_weights_are_made_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    expected = str(tmp_path / "demo_rgb")
    assert pretrained.absolute("./demo_rgb") == expected
    assert pretrained.absolute(Path("demo_rgb")) == expected
