"""Files of other runtimes; those whose packages are absent are skipped."""

import json
import sys
import zipfile

import keras
import numpy as np
import pytest
import recipe

from kinetics_i3d_tf2 import C3d, InceptionI3d, read_label_map
from kinetics_i3d_tf2.export import clip_graph, formats
from kinetics_i3d_tf2.utils.private_api import all_layers

NAMES = tuple("abcdefg")
CHANNELS = {"rgb": 3, "flow": 2}
EVERY_FORMAT = pytest.mark.parametrize("format", formats.FORMATS)


@pytest.fixture(autouse=True)
def no_telemetry(monkeypatch):
    """Keeps OpenVINO's converter from sending data about its use."""
    monkeypatch.setenv("CI", "true")


def path_of(folder, format):
    return folder / f"i3d{formats.FORMATS[format].suffixes[0]}"


def clips_of(models, **shape):
    return {
        stream: recipe.clip(channels=CHANNELS[stream], **shape) for stream in models
    }


def sum_of_logits(models, clips):
    return sum(np.array(model(clips[stream])) for stream, model in models.items())


@EVERY_FORMAT
@pytest.mark.parametrize("names", [["rgb"], ["rgb", "flow"]])
@pytest.mark.filterwarnings("error:.*np.object:FutureWarning")
def test_files_give_keras_logits(format, names, models, write_once):
    path, difference = write_once(format, *names)
    assert difference <= 1e-4
    models = {name: models[name] for name in names}
    suffixes = (*formats.FORMATS[format].suffixes, ".labels.txt")
    assert {file.name for file in path.parent.iterdir()} == {
        f"i3d{s}" for s in suffixes
    }
    for shape in ({"frames": 11, "batch": 2}, {"frames": 9, "size": 200}):
        clips = clips_of(models, **shape)
        logits = formats.run(path, format, clips)
        expected = sum_of_logits(models, clips)
        assert np.ptp(expected) > 0.1
        np.testing.assert_allclose(logits, expected, rtol=0, atol=1e-4)
    assert read_label_map(path.parent / "i3d.labels.txt") == NAMES
    texts = METADATA[format](path)
    assert json.loads(texts["class_names"]) == list(NAMES)
    preprocessing = json.loads(texts["preprocessing"])
    assert list(preprocessing["inputs"]) == sorted(names, reverse=True)
    # Pixels instead of values in [-1, 1], in one clip of two.
    clips = clips_of(models, frames=9, batch=2)
    clips[names[0]][1, 0, 0, 0] = 2
    logits = formats.run(path, format, clips)
    assert np.isfinite(logits[0]).all() and np.isnan(logits[1]).all()


def onnx_metadata(path):
    import onnx

    return {entry.key: entry.value for entry in onnx.load(path).metadata_props}


def openvino_metadata(path):
    import openvino

    model = openvino.Core().read_model(path)
    keys = ("class_names", "preprocessing", "activation")
    return {key: model.get_rt_info(["model_info", key]).astype(str) for key in keys}


def litert_metadata(path):
    with zipfile.ZipFile(path) as archive:
        return {
            name.removesuffix(".json"): archive.read(name).decode()
            for name in archive.namelist()
        }


METADATA = {
    "onnx": onnx_metadata,
    "openvino": openvino_metadata,
    "litert": litert_metadata,
}


def test_half_precision_models_become_float32_files(small_model):
    half = InceptionI3d(num_classes=7, width=1 / 16, dtype="mixed_bfloat16")
    half.set_weights(small_model.get_weights())
    graph = clip_graph.build({"rgb": half})
    assert {layer.compute_dtype for layer in all_layers(graph)} == {"float32"}
    clips = clips_of(["rgb"], frames=9)
    expected = small_model(clips["rgb"])
    np.testing.assert_allclose(graph(clips)["logits"], expected, atol=1e-4)
    assert np.abs(half(clips["rgb"]) - expected).max() > 1e-3


def test_pooling_in_planes_is_the_same(small_model):
    model = clip_graph.build({"rgb": small_model}, has_3d_pooling=False)
    clips = clips_of(["rgb"], frames=11, size=229, batch=2)
    np.testing.assert_allclose(
        model(clips)["logits"], small_model(clips["rgb"]), rtol=0, atol=1e-5
    )


@pytest.fixture
def pretended(monkeypatch):
    """Formats that need no packages: files of a few bytes, logits of Keras + 0.5."""

    def save(graph, file, format):
        graph_of[file] = graph
        for suffix in formats.FORMATS[format].suffixes:
            with open(file.rpartition(".")[0] + suffix, "w") as written:
                written.write(f"new {suffix}")

    graph_of = {}
    rows = {
        name: row._replace(
            packages=(),
            keras=(3, 0),
            annotate=lambda file, texts: None,
            run=lambda file, clips: np.array(graph_of[file](clips)["logits"]) + 0.5,
        )
        for name, row in formats.FORMATS.items()
    }
    monkeypatch.setattr(formats, "FORMATS", rows)
    monkeypatch.setattr(clip_graph, "save", save)
    return rows


@EVERY_FORMAT
def test_files_take_their_place_when_they_are_whole(
    format, pretended, tmp_path, monkeypatch
):
    path = path_of(tmp_path, format)
    suffixes = (*pretended[format].suffixes, ".labels.txt")
    files = [path.with_suffix(suffix) for suffix in suffixes]
    for file in files:
        file.write_text("old")
    models = {"rgb": recipe.assign(C3d(7, width=1 / 64))}

    def fail(file, clips):
        raise RuntimeError("cannot be loaded")

    whole = pretended[format]
    monkeypatch.setitem(pretended, format, whole._replace(run=fail))
    with pytest.raises(RuntimeError, match="cannot be loaded"):
        formats.write(models, NAMES, path, format)
    assert [file.read_text() for file in files] == ["old"] * len(files)

    monkeypatch.setitem(pretended, format, whole)
    difference = formats.write(models, NAMES, path, format)
    assert difference == pytest.approx(0.5, abs=1e-4)
    assert read_label_map(files.pop()) == NAMES
    assert [file.read_text() for file in files] == [f"new {f.suffix}" for f in files]
    files.append(path.with_suffix(".labels.txt"))
    assert sorted(tmp_path.iterdir()) == sorted(files)


@pytest.mark.parametrize(
    ("name", "format", "message"),
    [
        ("i3d.pt", "torch", "formats are onnx, openvino, litert. Received: 'torch'"),
        ("i3d.bin", "openvino", r"openvino files ends in \.xml. Received: .*i3d\.bin"),
        ("none/i3d.onnx", "onnx", r"none/i3d\.onnx: there is no such folder"),
    ],
)
def test_what_cannot_be_written(name, format, message, pretended, tmp_path):
    with pytest.raises(ValueError, match=message):
        formats.check(tmp_path / name, format)


def test_a_path_in_the_working_folder(pretended, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert formats.check("i3d.onnx", "onnx") is pretended["onnx"]


@pytest.mark.parametrize(
    ("names", "received"), [([], "none"), (["rgb", "joint"], "rgb, joint")]
)
def test_unknown_streams(names, received, pretended, small_model, tmp_path):
    models = dict.fromkeys(names, small_model)
    with pytest.raises(
        ValueError, match=f'"joint" for one of both. Received: {received}'
    ):
        formats.write(models, NAMES, tmp_path / "i3d.onnx", "onnx")


def test_streams_of_different_classes(pretended, models, tmp_path):
    models = {**models, "flow": InceptionI3d(5, num_channels=2, width=1 / 16)}
    with pytest.raises(ValueError, match="models of the same classes"):
        formats.write(models, NAMES, tmp_path / "i3d.onnx", "onnx", num_frames=9)


def test_names_of_other_classes(pretended, small_model, tmp_path):
    with pytest.raises(ValueError, match="of the same classes.*'rgb': 7}, 6 names"):
        formats.write(
            {"rgb": small_model}, NAMES[:6], tmp_path / "i3d.onnx", "onnx", num_frames=9
        )


def test_too_few_frames(pretended, small_model, tmp_path):
    with pytest.raises(ValueError, match="clips of at least 9 frames"):
        formats.write(
            {"rgb": small_model}, NAMES, tmp_path / "i3d.onnx", "onnx", num_frames=8
        )


@pytest.mark.parametrize(
    ("format", "installed"),
    [("onnx", "3.8.0"), ("openvino", "3.12.1"), ("litert", "3.14.0.dev1")],
)
def test_older_keras(format, installed, tmp_path, monkeypatch):
    row = formats.FORMATS[format]._replace(packages=())
    monkeypatch.setitem(formats.FORMATS, format, row)
    monkeypatch.setattr(keras, "version", lambda: installed)
    needed = r"{}\.{}".format(*row.keras)
    message = rf"{format} files need Keras {needed} or newer.*Installed: {installed}"
    with pytest.raises(ValueError, match=message):
        formats.check(path_of(tmp_path, format), format)


@pytest.mark.parametrize(
    ("format", "package"),
    [(name, row.packages[0]) for name, row in formats.FORMATS.items()],
)
def test_missing_packages_say_what_to_install(format, package, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    message = (
        f"{format} files need the package {package}: "
        rf"pip install 'kinetics-i3d-tf2\[{format}\]'"
    )
    with pytest.raises(ValueError, match=message):
        formats.check("i3d", format)


def test_other_backends_are_refused(pretended, monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(ValueError, match="TensorFlow backend. KERAS_BACKEND is 'jax'"):
        formats.check("i3d.onnx", "onnx")


def test_a_suffix_in_place_of_a_format():
    with pytest.raises(ValueError, match="Received: 'tflite'; did you mean 'litert'?"):
        formats.check("i3d.tflite", "tflite")
