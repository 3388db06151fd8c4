"""Which released checkpoint weights are, and how far from it."""

import re

import numpy as np
import pytest

from kinetics_i3d_tf2.checkpoints import released
from kinetics_i3d_tf2.checkpoints.checkpoint import Checkpoint
from kinetics_i3d_tf2.checkpoints.file_formats.tensor_bundle import write_bundle
from kinetics_i3d_tf2.checkpoints.importers import proof
from kinetics_i3d_tf2.checkpoints.sonnet import sonnet_name

DATA = ".data-00000-of-00001"


@pytest.fixture(scope="module")
def weights(small_model):
    return {sonnet_name(v): v.numpy() for v in small_model.weights}


@pytest.fixture
def as_released(weights, tmp_path, monkeypatch):
    """Makes the small weights a release: its files, blob ids and checksums."""
    prefix = tmp_path / "checkpoints" / "rgb_imagenet" / "model.ckpt"
    write_bundle(prefix, {f"RGB/inception_i3d/{n}": v for n, v in weights.items()})
    files = tuple(
        file._replace(blob_id=released.blob_id(f"{prefix}{suffix}"))
        for file, suffix in zip(
            released.RELEASED["rgb_imagenet"], (".index", DATA), strict=True
        )
    )
    monkeypatch.setitem(released.RELEASED, "rgb_imagenet", files)
    crc = {name: proof._crc32c(value) for name, value in weights.items()}
    others = {name: {} for name in ("flow_imagenet", "rgb_scratch")}
    table = {**others, "rgb_imagenet": crc}
    monkeypatch.setattr(proof, "_released_crc32c", lambda: table)
    return table


@pytest.mark.parametrize("name", proof._released_crc32c())
def test_table_has_the_names_of_the_released_indexes(shared, name):
    entries = Checkpoint(shared / "release" / "checkpoints" / name).variables
    names = {re.sub("^(RGB|Flow)/inception_i3d/", "", e.name) for e in entries}
    assert proof._released_crc32c()[name].keys() == names


def test_blob_id_is_that_of_the_file(weights, tmp_path):
    prefix = tmp_path / "model.ckpt"
    shuffled = dict(reversed(weights.items()))
    write_bundle(prefix, {f"RGB/inception_i3d/{n}": v for n, v in shuffled.items()})
    assert proof.data_blob_id(shuffled) == released.blob_id(f"{prefix}{DATA}")


def test_weights_of_the_release(weights, as_released):
    found = proof.compare_with_release(weights)
    assert found.is_equal and found.is_data_file
    assert found.describe("rgb.pt") == (
        "rgb.pt is rgb_imagenet of the release, to the bit (blob "
        f"{released.RELEASED['rgb_imagenet'][1].blob_id})"
    )


def test_released_file_that_holds_more(weights, as_released):
    """As the Kinetics-600 checkpoint does: its optimizer's slots."""
    as_released["rgb_imagenet"]["Conv3d_1a_7x7/conv_3d/w/Momentum"] = 1
    files = released.RELEASED["rgb_imagenet"]
    released.RELEASED["rgb_imagenet"] = tuple(f._replace(blob_id="") for f in files)
    found = proof.compare_with_release(weights)
    assert found.is_equal and not found.is_data_file
    assert "has the 230 weights of rgb_imagenet" in found.describe("x")
    assert "the released file also has optimizer slots" in found.describe("x")


@pytest.mark.parametrize("is_at_hand", [True, False])
def test_differences_are_named(weights, as_released, tmp_path, is_at_hand):
    name = "Mixed_4b/Branch_0/Conv3d_0a_1x1/batch_norm/beta"
    changed = {**weights, name: weights[name] + np.float32(0.25)}
    root = tmp_path if is_at_hand else tmp_path / "elsewhere"
    found = proof.compare_with_release(changed, root=root)
    assert (found.released, found.num_equal) == ("rgb_imagenet", 229)
    assert [difference.name for difference in found.differences] == [name]
    by = r" \(by up to 0\.25\)" if is_at_hand else ""
    assert re.fullmatch(
        "x is closest to rgb_imagenet of the release: 229 of 230 tensors are equal to "
        f"the bit; these differ: {name}{by}",
        found.describe("x"),
    )


def test_another_head(weights, as_released):
    changed = dict(weights)
    for leaf in ("w", "b"):
        name = f"Logits/Conv3d_0c_1x1/conv_3d/{leaf}"
        changed[name] = weights[name][..., :3]
    found = proof.compare_with_release(changed)
    assert found.num_equal == 228
    assert {d.name[:6] for d in found.differences} == {"Logits"}


def test_other_weights(weights):
    found = proof.compare_with_release(weights)
    assert found.num_equal == 0
    assert found.describe("x") == "x has no tensor in common with a released checkpoint"
