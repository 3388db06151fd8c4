"""Modules import only what lies below them; the package needs no heavy imports."""

import ast

import pytest
from conftest import ROOT

PACKAGE = ROOT / "kinetics_i3d_tf2"

# As in CONTRIBUTING.md.
LEVELS = {
    "architecture": 0,
    "remote": 0,
    "metrics": 0,
    "layers": 1,
    "transforms": 1,
    "flow": 1,
    "storage": 1,
    "program": 1,
    "release": 1,
    "runs": 2,
    "plotting": 2,
    "results": 2,
    "inception_i3d": 2,
    "inference": 2,
    "recipes": 2,
    "arrays": 2,
    "labels": 2,
    "tables": 2,
    "listings": 2,
    "tfrecord": 2,
    "tensor_bundle": 2,
    "container": 2,
    "checkpoint": 3,
    "datasets": 3,
    "mediasequence": 3,
    "video": 3,
    "views": 3,
    "interchange": 3,
    "predictions": 3,
    "dataset_flags": 4,
    "models": 4,
    "model_flags": 5,
    "samples": 4,
    "shards": 4,
    "loading": 5,
    "reading": 5,
    "scoring": 5,
    "service": 0,
    "report": 5,
    "pipeline": 6,
    "prepare": 6,
    "evaluation": 6,
    "data_service": 6,
    "optimizer": 0,
    "strategies": 0,
    "trainer": 1,
    "tvl1": 0,
    "clip_graphs": 2,
    "signatures": 3,
    "servable": 3,
    "export": 6,
    "training_recipes": 3,
    "snapshots": 4,
    "rounds": 5,
    "validation": 7,
    "fitting": 8,
    "training": 9,
    "figures": 0,
    "actions": 1,
    "backdrops": 1,
    "scenes": 2,
    "demo": 6,
}


def imported_modules(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level == 1:
            yield from [node.module] if node.module else [a.name for a in node.names]


def test_every_module_has_a_level():
    modules = {path.stem for path in PACKAGE.glob("*.py")} - {"__init__"}
    assert modules == set(LEVELS)


@pytest.mark.parametrize("module", LEVELS)
def test_imports_point_down(module):
    for imported in imported_modules(PACKAGE / f"{module}.py"):
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
