"""gs:// against an emulator: pip install gcsfs gcp-storage-emulator."""

import numpy as np
import pytest
from conftest import ROOT

from kinetics_i3d_tf2 import read_video
from kinetics_i3d_tf2.utils import files


@pytest.fixture
def bucket(monkeypatch):
    pytest.importorskip("gcsfs", reason="the extra gcs is not installed")
    emulator = pytest.importorskip(
        "gcp_storage_emulator.server", reason="gcp-storage-emulator is not installed"
    )
    server = emulator.create_server("127.0.0.1", 9024, True, default_bucket="bucket")
    server.start()
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:9024")
    monkeypatch.setenv("FSSPEC_GS_TOKEN", "anon")
    # It asks for the kind of bucket by gRPC, which the emulator does not have.
    monkeypatch.setenv("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")
    yield "gs://bucket"
    server.stop()


def test_files_are_written_listed_and_read(bucket):
    with files.atomic_writer(f"{bucket}/a/text") as path:
        path.write_text("content")
    assert files.open_file(f"{bucket}/a/text").read() == "content"
    assert files.files_below(f"{bucket}/a") == [f"{bucket}/a/text"]
    assert files.matching(f"{bucket}/a/t*") == [f"{bucket}/a/text"]
    with pytest.raises(FileNotFoundError, match="gs://none/a: there is no such bucket"):
        files.check_writable("gs://none/a")
    clip = ROOT / "data" / "demo_picking_up.mp4"
    with files.atomic_writer(f"{bucket}/a/clip.mp4") as path:
        path.write_bytes(clip.read_bytes())
    np.testing.assert_array_equal(read_video(f"{bucket}/a/clip.mp4"), read_video(clip))
