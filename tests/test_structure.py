"""The package's face: what it names, and what it needs."""

import pytest


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
        assert getattr(kinetics_i3d_tf2, name) is not None
        assert name in dir(kinetics_i3d_tf2)
    with pytest.raises(AttributeError, match="no attribute 'Inception'"):
        kinetics_i3d_tf2.Inception  # noqa: B018
