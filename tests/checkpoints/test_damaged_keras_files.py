"""Damaged `.keras` files end in an error that names the file, or in a model."""

import json
import random
import zipfile

import pytest
import recipe

from kinetics_i3d_tf2 import InceptionI3d, load_model

CONFIG, WEIGHTS = "config.json", "model.weights.h5"


@pytest.fixture(scope="module")
def members(tmp_path_factory):
    """Content of a `.keras` file, by the name of the part."""
    path = tmp_path_factory.mktemp("keras") / "x.keras"
    model = recipe.assign(InceptionI3d(class_names=["abc"], width=1 / 64))
    model.save(path)
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write(path, members):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"width": 100.0}, r"convolution/vars/0 has the shape .* needs .*6400\)"),
        ({"num_classes": 10**9}, r"vars/1 has the shape \(1,\), .* \(1000000000,\)"),
        ({"num_channels": 4}, r"needs \(7, 7, 7, 4, 1\)"),
        ({"class_names": ["a", "b"]}, "class_names must be 1 different names"),
        ({"final_endpoint": "Mixed_9z"}, "final_endpoint must be one of"),
        ({"width": "wide"}, "truncated or corrupt|str"),
        ({"unknown": 1}, "no argument 'unknown'"),
    ],
    ids=str,
)
def test_configurations_that_cannot_be(members, tmp_path, change, message):
    config = json.loads(members[CONFIG])
    config["config"] |= change
    changed = {**members, CONFIG: json.dumps(config).encode()}
    path = write(tmp_path / "x.keras", changed)
    with pytest.raises(ValueError, match=message) as caught:
        load_model(path)
    assert str(caught.value).startswith(str(path))


def check(members, path, seeds):
    refused = 0
    for seed in seeds:
        rng = random.Random(seed)
        name = rng.choice([CONFIG, CONFIG, WEIGHTS])
        content = bytearray(members[name])
        for _ in range(rng.randrange(1, 8)):
            end = len(content) if name == CONFIG else min(len(content), 8192)
            content[rng.randrange(end)] = rng.choice((34, 48, 57, rng.randrange(256)))
        write(path, {**members, name: bytes(content)})
        try:
            load_model(path)
        except (ValueError, OSError) as error:
            assert str(path) in str(error), error
            refused += 1
    return refused


def test_a_dozen_damaged_files(members, tmp_path):
    assert check(members, tmp_path / "damaged.keras", range(12)) > 2


@pytest.mark.slow
def test_two_dozen_damaged_files(members, tmp_path):
    assert check(members, tmp_path / "damaged.keras", range(12, 36)) > 5
