"""One model of both streams and its traced signatures, shared by the tests."""

import functools

import pytest
import recipe

from kinetics_i3d_tf2 import InceptionI3d
from kinetics_i3d_tf2.data.clip_recipe import ClipRecipe
from kinetics_i3d_tf2.export import formats
from kinetics_i3d_tf2.export.signatures import Signatures

# Optical flow takes most of the time of these tests: its tolerance in pixels, and
# pictures that are hardly larger than I3D needs.
EPSILON = 0.05
SMALL = ClipRecipe(short_side=200, crop_size=193)


@pytest.fixture(scope="session")
def models(small_model):
    """Narrow models of 7 classes, by stream."""
    flow_model = InceptionI3d(num_classes=7, width=1 / 16, num_channels=2)
    return {"rgb": small_model, "flow": recipe.assign(flow_model, seed=1)}


@pytest.fixture(scope="session")
def write_once(models, tmp_path_factory):
    """Writes models of streams in a format; returns the file and the difference.

    A test of a format whose packages are absent is skipped.
    """

    @functools.cache
    def write(format, *streams):
        suffix = formats.FORMATS[format].suffixes[0]
        path = tmp_path_factory.mktemp(format) / f"i3d{suffix}"
        try:
            formats.check(path, format)
        except ValueError as error:
            pytest.skip(str(error))
        chosen = {stream: models[stream] for stream in streams}
        names = tuple("abcdefg")
        return path, formats.write(chosen, names, path, format, num_frames=9)

    return write


@pytest.fixture(scope="session")
def joint(models):
    """Signatures of both streams, which answer with three of the classes "a" to "g"."""
    functions = Signatures(
        models, tuple("abcdefg"), top=3, epsilon=EPSILON, recipe=SMALL
    )
    return functions.concrete_functions()


@pytest.fixture(scope="session")
def rgb(models):
    """Signatures of the RGB stream, with the sizes of the paper."""
    functions = Signatures({"rgb": models["rgb"]}, tuple("abcdefg"))
    return functions.concrete_functions()
