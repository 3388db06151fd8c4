"""Damaged files of every format: an error that names the file, or weights."""

import os
import random

import port_files
import pytest

from kinetics_i3d_tf2.checkpoints.importers.recognize import read_weights
from kinetics_i3d_tf2.checkpoints.sonnet import sonnet_name

FILES = [name for name in port_files.WRITERS if name not in ("TF-Hub", "SavedModel")]


@pytest.fixture(scope="module")
def files(small_model, tmp_path_factory):
    """A whole file of each format, by name."""
    weights = {sonnet_name(v): v.numpy() for v in small_model.weights}
    folder = tmp_path_factory.mktemp("files")
    paths = {}
    for index, name in enumerate(FILES):
        path = folder / f"{index}"
        path = port_files.WRITERS[name](weights, path) or path
        paths[name] = path.rename(folder / f"file{index}")
    return paths


def mutated(content, rng):
    """Cuts, or changes up to 20 bytes, most of them where the structure is."""
    kind = rng.randrange(4)
    if kind == 0:
        return content[: rng.randrange(len(content))]
    changed = bytearray(content)
    ranges = ((0, 4096), (len(content) - 8192, len(content)), (0, len(content)))
    low, high = ranges[kind - 1]
    for _ in range(rng.randrange(1, 20)):
        place = rng.randrange(max(0, low), min(high, len(content)))
        changed[place] = rng.choice((0, 255, rng.randrange(256)))
    return bytes(changed)


@pytest.mark.parametrize("name", FILES)
def test_a_dozen_damaged_files(files, tmp_path, name):
    """The fuzzer reads more: tests/fuzz."""
    content, damaged = files[name].read_bytes(), tmp_path / "damaged"
    refused = 0
    for seed in range(12):
        damaged.write_bytes(mutated(content, random.Random(seed)))
        try:
            read_weights(damaged)
        except (ValueError, OSError) as error:
            assert str(damaged) in str(error), error
            refused += 1
    assert refused > 2


@pytest.mark.parametrize("name", FILES)
def test_half_a_file(files, tmp_path, name):
    content = files[name].read_bytes()
    (tmp_path / "half").write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match="half: .*(truncated|corrupt)"):
        read_weights(tmp_path / "half")


def test_a_pipe_is_no_weights_file(tmp_path):
    os.mkfifo(tmp_path / "weights.pt")
    with pytest.raises(ValueError, match=r"weights\.pt: is a pipe or a device"):
        read_weights(tmp_path / "weights.pt")
