"""Contexts around the first import of a module."""

import contextlib
import importlib
import sys

import pytest

from kinetics_i3d_tf2.utils import imports


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Name of a module that notes when it is executed."""
    (tmp_path / "wrapped_module.py").write_text("import sys\nsys.steps.append('run')\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "steps", [], raising=False)
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])
    yield "wrapped_module"
    sys.modules.pop("wrapped_module", None)


def noting(name):
    @contextlib.contextmanager
    def context():
        sys.steps.append(f"enter {name}")
        yield
        sys.steps.append(f"leave {name}")

    return context


def test_later_contexts_surround_earlier_ones(module):
    inner, outer = noting("inner"), noting("outer")
    for context in (inner, outer, inner):
        imports.wrap_import(module, context)
    assert importlib.import_module(module) is importlib.import_module(module)
    assert sys.steps == [
        *("enter outer", "enter inner", "run", "leave inner", "leave outer")
    ]


def test_modules_that_are_missing_stay_missing(module):
    imports.wrap_import(f"{module}_that_is_missing", noting("none"))
    with pytest.raises(ModuleNotFoundError, match="_that_is_missing"):
        importlib.import_module(f"{module}_that_is_missing")
    assert sys.steps == []
