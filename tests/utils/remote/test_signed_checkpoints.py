"""Checkpoints and weights at signed addresses of HTTP: `?X-Amz-Signature=...`."""

import functools

import numpy as np
import pytest
import recipe

from kinetics_i3d_tf2 import (
    Classifier,
    InceptionI3d,
    import_weights,
    load_inception_v1,
    load_model,
    save_checkpoint,
)
from kinetics_i3d_tf2.data import labels

QUERY = "?X-Amz-Signature=open%2Fsesame"
NARROW = functools.partial(InceptionI3d, 2, width=1 / 16)
CLIP = recipe.clip(9, 3, size=193)


@pytest.fixture(scope="module")
def model():
    return recipe.assign(InceptionI3d(class_names=("a", "b"), width=1 / 16))


@pytest.fixture(scope="module")
def content(model, tmp_path_factory):
    """What the server has, by name."""
    folder = tmp_path_factory.mktemp("model")
    save_checkpoint(model, folder / "model.ckpt")
    labels.write_label_map(folder / "label_map.txt", model.class_names)
    model.save(folder / "x.keras")
    saved = {f"of/{path.name}": path.read_bytes() for path in folder.iterdir()}
    return saved | {"of/junk.pt": b"junk", "of/one.txt": b"a\n"}


@pytest.fixture
def address(server, content):
    server.content |= content
    return f"{server.address}/private/of"


@pytest.mark.parametrize("name", ["model.ckpt", "model.ckpt.index", "x.keras"])
def test_the_query_goes_behind_the_names_of_all_files(address, model, name):
    loaded = load_model(f"{address}/{name}{QUERY}")
    assert loaded.class_names == ("a", "b")
    np.testing.assert_array_equal(loaded(CLIP), model(CLIP))


@pytest.mark.parametrize(
    "fail",
    [
        lambda a: load_model(f"{a}/model.ckpt?X-Amz-Signature=stale"),
        lambda a: load_model(f"{a}/no.ckpt{QUERY}"),
        lambda a: load_model(f"{a}/model.ckpt{QUERY}", num_channels=2),
        lambda a: import_weights(f"{a}/junk.pt{QUERY}"),
        lambda a: import_weights(
            f"{a}/model.ckpt{QUERY}", label_map=f"{a}/one.txt{QUERY}"
        ),
        lambda a: load_inception_v1(NARROW(), f"{a}/model.ckpt{QUERY}"),
        lambda a: load_inception_v1(NARROW(), f"{a}/junk.pt{QUERY}"),
        lambda a: Classifier(f"{a}/junk.pt{QUERY}"),
    ],
    ids=[
        "denied", "missing", "other stream", "unknown format", "other classes",
        "not Inception", "no checkpoint", "classifier",
    ],
)  # fmt: skip
def test_errors_do_not_show_the_signature(address, fail):
    with pytest.raises((ValueError, OSError)) as raised:
        fail(address)
    error = raised.value
    while error is not None:  # With what it was made from, as a traceback shows it.
        assert "sesame" not in str(error) and "stale" not in str(error)
        error = error.__cause__
    assert "X-Amz-Signature=***" in str(raised.value)
