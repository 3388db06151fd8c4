"""Folders of record files, named as MediaPipe names them too."""

import pytest
import tensorflow as tf

from kinetics_i3d_tf2.data.records.folder import RecordFolder


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "label_map.txt").write_text("jump\nwave\n")
    for name, count in {"train": 3, "validate": 2}.items():
        for shard in range(2):
            path = tmp_path / f"kinetics_700_{name}_25fps_rgb_flow-{shard:05d}-of-00002"
            with tf.io.TFRecordWriter(str(path)) as writer:
                for _ in range(count):
                    writer.write(b"anything")
    (tmp_path / "report.json").touch()
    return tmp_path


def test_splits(folder):
    records = RecordFolder(folder)
    assert records.class_names == ("jump", "wave")
    assert records.splits() == ("train", "validate")
    assert [len(records.split(name)) for name in records.splits()] == [6, 4]
    with pytest.raises(ValueError, match=f"split 'test' in {folder}, only: train, val"):
        records.split("test")


def test_folders_without_records(folder):
    for path in folder.glob("kinetics_*"):
        path.unlink()
    with pytest.raises(FileNotFoundError, match="has no record files; expected names"):
        RecordFolder(folder)
    (folder / "label_map.txt").unlink()
    with pytest.raises(FileNotFoundError, match="label_map.txt: is missing; i3d prep"):
        RecordFolder(folder)
    with pytest.raises(FileNotFoundError, match="none: there is no such folder of rec"):
        RecordFolder(folder / "none")
