"""Records that lack a stream, among others."""

import re

import pytest
import record_files

from kinetics_i3d_tf2.data import clip_streams
from kinetics_i3d_tf2.data.records.tfrecord import Record


@pytest.fixture(scope="module")
def mixed(videos, tmp_path_factory):
    """Records with flow ("f"), without ("r") and of no content ("x"), and a video."""
    folder = tmp_path_factory.mktemp("mixed")
    flow = record_files.write_records(folder / "flow", videos[:1])
    rgb = record_files.write_records(folder / "rgb", videos[:3], has_flow=False)
    (folder / "damaged").write_bytes(bytes(100))
    damaged = Record(str(folder / "damaged"), 12, 50)
    return {"f": flow, "r": rgb, "x": [damaged], "v": videos[:1]}


@pytest.mark.parametrize("kinds", ["f", "fr", "rf", "rxf", "rv", "v", "x", ""])
def test_sets_that_are_read(mixed, kinds):
    sources = [source for kind in kinds for source in mixed[kind]]
    clip_streams.check_flow(sources)


@pytest.mark.parametrize("kinds", ["r", "rx", "xr"])
def test_sets_without_flow(mixed, kinds):
    sources = [source for kind in kinds for source in mixed[kind]]
    path = mixed["r"][0].path
    message = (
        f"{path}: the record '0_0' has no optical flow, nor have the 2 others looked "
        "at; prepare it with flow, or use the RGB stream"
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        clip_streams.check_flow(sources)


def test_of_large_sets_some_of_each_file_are_looked_at(mixed, monkeypatch):
    content = clip_streams.read_record(mixed["r"][0])
    looked_at = []

    def read(record):
        looked_at.append(record)
        return content

    monkeypatch.setattr(clip_streams, "read_record", read)
    sources = [Record(f"{n // 100}", n % 100, 0) for n in range(5000)]
    with pytest.raises(ValueError, match="nor have the 99 others looked at"):
        clip_streams.check_flow(sources)
    assert looked_at[:50] == sources[::100]
    assert looked_at[50:] == [s for s in sources[::50] if s not in sources[::100]]
