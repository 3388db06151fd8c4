"""Addresses of dispatchers, and functions that are called by name."""

import json
import os

import numpy as np
import pytest
import tensorflow as tf

from kinetics_i3d_tf2.data.clip_recipe import ClipRecipe
from kinetics_i3d_tf2.data.clips import Clip
from kinetics_i3d_tf2.data.tf_data import service
from kinetics_i3d_tf2.data.tf_data.tf_reader import Loader


def double(value):
    return 2 * value


def test_functions_have_one_name_in_all_processes():
    """Breaks when TensorFlow's private registry of Python functions does."""
    name = service.register(double)
    assert name == f"{__name__}.double"

    @tf.function
    def call(value):
        return service.call_by_name(double, [value], [tf.float32])

    (found,) = call(tf.constant([1.0, 2.0]))
    np.testing.assert_array_equal(found, [2, 4])
    (node,) = (
        op
        for op in call.get_concrete_function(tf.TensorSpec([2])).graph.get_operations()
        if op.type == "PyFuncStateless"
    )
    assert node.get_attr("token").decode() == name


@pytest.mark.parametrize(
    ("path", "expected"),
    [("a.mp4", "/folder/a.mp4"), ("gs://bucket/a.mp4", "gs://bucket/a.mp4")],
)
def test_workers_in_other_folders_get_whole_paths(path, expected, monkeypatch):
    monkeypatch.setattr(os, "getcwd", lambda: "/folder")
    loader = Loader([Clip(path)], ClipRecipe(), for_service=True)
    (row,) = loader.rows.numpy()
    assert json.loads(row)[:2] == ["Clip", expected]


@pytest.mark.parametrize("address", ["host:5050", "grpc://host", "http://host:1", ""])
def test_what_is_not_an_address(address):
    with pytest.raises(ValueError, match="A dispatcher's address is grpc://host:port"):
        service.check_dispatcher(address)


@pytest.mark.parametrize("port", [1, 99999], ids=["nobody there", "no port"])
def test_nothing_answers(port):
    message = rf"grpc://localhost:{port}: nothing answers there .*i3d data-service"
    with pytest.raises(OSError, match=message):
        service.check_dispatcher(f"grpc://localhost:{port}")
    with pytest.raises(OSError, match=message):
        service.start_worker(f"grpc://localhost:{port}")


def test_a_port_in_use():
    server = service.start_dispatcher()
    port = int(server.target.rpartition(":")[2])
    with pytest.raises(OSError, match=f"--port={port}: Address already in use"):
        service.start_dispatcher(port=port)
