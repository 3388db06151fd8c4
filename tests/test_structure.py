"""Modules import only what lies below them; the package needs no heavy imports."""

import ast

import pytest
from conftest import ROOT

PACKAGE = ROOT / "kinetics_i3d_tf2"

# As in CONTRIBUTING.md.
LEVELS = {
    "ahead": 0,
    "architecture": 0,
    "figures": 0,
    "frechet": 0,
    "metrics": 0,
    "objectives": 0,
    "optimizer": 0,
    "pictures": 0,
    "remote": 0,
    "service": 0,
    "strategies": 0,
    "tvl1": 0,
    "windows": 0,
    "actions": 1,
    "activation_maps": 1,
    "backdrops": 1,
    "flow": 1,
    "layers": 1,
    "program": 1,
    "release": 1,
    "storage": 1,
    "trainer": 1,
    "transforms": 1,
    "arrays": 2,
    "baselines.recurrent": 2,
    "clip_graphs": 2,
    "container": 2,
    "feature_files": 2,
    "inference": 2,
    "labels": 2,
    "listings": 2,
    "logits": 2,
    "plotting": 2,
    "recipes": 2,
    "results": 2,
    "runs": 2,
    "scenes": 2,
    "tables": 2,
    "tensor_bundle": 2,
    "tfrecord": 2,
    "trunk": 2,
    "clip_flags": 3,
    "contents": 3,
    "datasets": 3,
    "inception_i3d": 3,
    "mediasequence": 3,
    "predictions": 3,
    "servable": 3,
    "training_recipes": 3,
    "video": 3,
    "views": 3,
    "baselines.base": 4,
    "checkpoint": 4,
    "comparison": 4,
    "dataset_flags": 4,
    "report_page": 4,
    "samples": 4,
    "shards": 4,
    "signatures": 4,
    "video_sets": 4,
    "baselines.c3d": 5,
    "baselines.convnet_lstm": 5,
    "baselines.fused": 5,
    "baselines.two_stream": 5,
    "frames": 5,
    "imagenet": 5,
    "inputs": 5,
    "interchange": 5,
    "loading": 5,
    "reading": 5,
    "report": 5,
    "snapshots": 5,
    "data_service": 6,
    "demo": 6,
    "extraction": 6,
    "first_kernels": 6,
    "inflate": 6,
    "models": 6,
    "pipeline": 6,
    "prepare": 6,
    "rounds": 6,
    "building": 7,
    "model_flags": 7,
    "scoring": 7,
    "validation": 7,
    "video_distance": 7,
    "visualize": 7,
    "evaluation": 8,
    "export": 8,
    "features": 8,
    "fitting": 8,
    "fvd": 8,
    "training": 9,
}


def imported_modules(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            package = path.relative_to(PACKAGE).parent.parts
            base = package[: len(package) - node.level + 1]
            names = [node.module] if node.module else [a.name for a in node.names]
            yield from (".".join([*base, name]) for name in names)


def test_every_module_has_a_level():
    modules = {
        ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        for path in PACKAGE.rglob("*.py")
        if path.stem != "__init__"
    }
    assert modules == set(LEVELS)


@pytest.mark.parametrize("module", LEVELS)
def test_imports_point_down(module):
    for imported in imported_modules(PACKAGE / f"{module.replace('.', '/')}.py"):
        assert LEVELS[imported] < LEVELS[module], f"{module} imports {imported}"


@pytest.mark.parametrize("module", LEVELS)
def test_contributing_names_every_module(module):
    table = (ROOT / "CONTRIBUTING.md").read_text()
    assert f"| {LEVELS[module]} | `{module}` |" in table


def test_reading_a_video_needs_neither_tensorflow_nor_keras(python):
    code = (
        "import sys, kinetics_i3d_tf2 as i3d; i3d.read_video, i3d.optical_flow;"
        "assert not {'tensorflow', 'keras'} & set(sys.modules)"
    )
    done = python("-c", code)
    assert done.returncode == 0, done.stderr


def test_the_package_exports_what_it_lists():
    import kinetics_i3d_tf2

    for name in kinetics_i3d_tf2.__all__:
        assert callable(getattr(kinetics_i3d_tf2, name))
        assert name in dir(kinetics_i3d_tf2)
    with pytest.raises(AttributeError, match="no attribute 'Inception'"):
        kinetics_i3d_tf2.Inception  # noqa: B018
