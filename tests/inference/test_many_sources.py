"""Many videos of all containers, and on servers that fail."""

import csv

import numpy as np
import pytest
from videos import FORMATS, brightness_frames, write_video

from kinetics_i3d_tf2 import Classifier
from kinetics_i3d_tf2.data import sources
from kinetics_i3d_tf2.inference.label_tables.steps import TableOptions
from kinetics_i3d_tf2.inference.label_tables.table import write_labels

CONTAINERS = FORMATS | {
    "3gp": {},
    "apng": {"codec": "apng", "pixel_format": "rgb24"},
    "flv": {},
    "m4v": {},
    "mpg": {"codec": "mpeg2video"},
    "mts": {},
    "mxf": {"codec": "mpeg2video"},
    "ogv": {"codec": "libvpx"},
    "ts": {},
    "vob": {"codec": "mpeg2video"},
    "wmv": {"codec": "wmv2"},
    "y4m": {"codec": "rawvideo"},
}
FRAMES = brightness_frames(12, (256, 256), 20)


@pytest.fixture(scope="module")
def classifier(small_model):
    return Classifier.of_models({"rgb": small_model}, tuple("abcdefg"))


@pytest.fixture(scope="module")
def results(classifier, tmp_path_factory):
    folder = tmp_path_factory.mktemp("containers")
    for suffix, options in CONTAINERS.items():
        write_video(folder / f"{suffix}.{suffix}", FRAMES, **options)
    found = classifier.classify_many([folder])
    return {each.input.name: each for each in found}


def test_a_folder_gives_them_all(results):
    assert results.keys() == CONTAINERS.keys()


@pytest.mark.parametrize("suffix", CONTAINERS)
def test_containers(classifier, results, suffix):
    found = results[suffix]
    assert found.error == "" and found.damage is None and not found.is_cut
    assert (found.scores.frames, found.scores.seconds) == (12, (0.0, 0.48))
    expected = classifier.score(found.input.source.path)
    np.testing.assert_allclose(found.scores.logits, expected.logits, atol=1e-3)
    # Codecs move brightness, and so probabilities, a little.
    of_frames = classifier.score(FRAMES).probabilities
    np.testing.assert_allclose(found.scores.probabilities, of_frames, atol=0.1)


@pytest.mark.parametrize("window", [None, 0.4])
def test_servers_that_fail(classifier, server, impatient, tmp_path, window):
    write_video(tmp_path / "a.mp4", FRAMES)
    content = (tmp_path / "a.mp4").read_bytes()
    faults = ("plain", "cut", "busy", "stall", "missing", "whole", "denied", "plain")
    names = [f"{number}.mp4" for number in range(len(faults))]
    server.content |= dict.fromkeys(names, content)
    addresses = [
        f"{server.address}/{fault}/{name}"
        for fault, name in zip(faults, names, strict=True)
    ]
    (tmp_path / "list.csv").write_text("\n".join(["path", *addresses]))
    found = sources.find([str(tmp_path / "list.csv")])
    out = tmp_path / "l.csv"
    options = TableOptions(top=1, window=window)
    report = write_labels(classifier, found, out, options)
    with open(out, newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(dict.fromkeys(row["path"] for row in rows)) == addresses
    errors = {row["path"]: row["error"] for row in rows if row["error"]}
    reasons = {
        addresses[1]: "the connection broke off",
        addresses[3]: "the server did not answer in time",
        addresses[4]: "there is no such file",
        addresses[6]: "access denied",
    }
    assert errors.keys() == reasons.keys()
    for address, reason in reasons.items():
        assert reason in errors[address]
        assert "\n" not in errors[address]
    assert report.num_failed == 4
    good = [row for row in rows if not row["error"]]
    assert len(good) == 4 * (1 if window is None else 2)
    assert len({row["probability_1"] for row in good if row["start"] == "0.0"}) == 1


@pytest.mark.parametrize("fault", ["denied", "stall"])
def test_an_address_that_fails_stops_no_other(
    classifier, server, impatient, tmp_path, fault
):
    path = tmp_path / "a.mp4"
    write_video(path, FRAMES)
    server.content["b.mp4"] = path.read_bytes()
    address = f"{server.address}/{fault}/b.mp4"
    first, second = classifier.classify_many([address, path])
    assert first.error and first.input.source.path == address
    assert second.scores.frames == 12
