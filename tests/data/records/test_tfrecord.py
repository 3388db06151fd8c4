import gzip

import pytest
import tensorflow as tf

from kinetics_i3d_tf2.data.records import tfrecord

CONTENTS = [b"one", b"", b"three" * 1000]


@pytest.fixture
def file(tmp_path):
    """A file that TensorFlow wrote."""
    path = tmp_path / "records"
    with tf.io.TFRecordWriter(str(path)) as writer:
        for content in CONTENTS:
            writer.write(content)
    return path


def contents(records):
    return [tfrecord.read_record(record) for record in records]


def test_records_are_those_tensorflow_wrote(file):
    records = tfrecord.find_records([file, file])
    assert contents(records) == CONTENTS * 2
    assert contents(reversed(records)) == CONTENTS[::-1] * 2


@pytest.mark.parametrize("cut", [1, 10, 5010], ids=str)
def test_a_file_that_is_cut_off(file, cut, caplog):
    """What is whole is read; the record that is cut says so."""
    content = file.read_bytes()
    file.write_bytes(content[:-cut])
    records = tfrecord.find_records([file])
    assert contents(records[:2]) == CONTENTS[:2]
    if len(records) == 3:
        with pytest.raises(
            ValueError, match="records: the record at byte .* truncated"
        ):
            tfrecord.read_record(records[2])
    else:
        assert "records: is damaged at byte" in caplog.text


@pytest.mark.parametrize("place", range(0, 35))
def test_every_changed_byte_is_noticed(file, place, caplog):
    changed = bytearray(file.read_bytes())
    changed[place] ^= 1
    file.write_bytes(changed)
    problems = 0
    try:
        for record in tfrecord.find_records([file]):
            try:
                assert tfrecord.read_record(record) in CONTENTS
            except ValueError:
                problems += 1
    except ValueError as error:
        assert "There are no records in" in str(error)
    assert problems == 1 or "is damaged at byte" in caplog.text


def test_compressed(tmp_path):
    (tmp_path / "records").write_bytes(gzip.compress(b"content"))
    with pytest.raises(ValueError, match="is compressed; .*gunzip"):
        tfrecord.find_records([tmp_path / "records"])


def test_no_records(tmp_path):
    (tmp_path / "records").touch()
    with pytest.raises(ValueError, match="no records in: .*records"):
        tfrecord.find_records([tmp_path / "records"])
    with pytest.raises(OSError, match="nowhere"):
        tfrecord.find_records([tmp_path / "nowhere"])


def test_a_pattern(file):
    other = file.with_name("other")
    other.write_bytes(file.read_bytes())
    assert len(tfrecord.find_records(file.with_name("rec*"))) == 3
    for name in ("a_rgb-00000-of-00001", "a_rgb_flow-00000-of-00001"):
        file.with_name(name).write_bytes(file.read_bytes())
    with pytest.raises(ValueError, match="matches 2 sets of record files, which may"):
        tfrecord.find_records(file.with_name("a_*"))
    with pytest.raises(ValueError, match="is a folder; pass the record files in it"):
        tfrecord.find_records([file.parent])
    with pytest.raises(FileNotFoundError, match="val-.*: there are no such record"):
        tfrecord.find_records(str(file.with_name("val-*")))
