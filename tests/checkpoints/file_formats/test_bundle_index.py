"""Index files that a checkpoint of TensorFlow would not have: each is a ValueError."""

import bundle_tables as tables
import pytest
from bundle_tables import block, entry, field, header, index, table, varint

from kinetics_i3d_tf2.checkpoints.file_formats.bundle_index import parse_index
from kinetics_i3d_tf2.checkpoints.file_formats.tensor_bundle import BundleReader

BIG = 1 << 62


def test_a_right_index():
    found = parse_index(index((b"a", entry()), (b"b", entry((2, 2), offset=12))))
    assert list(found.entries) == ["a", "b"]
    assert found.entries["b"][:5] == ((2, 2), "float32", 0, 12, 16)
    assert found.shard_sizes() == {0: 28}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (index((b"a", entry((-5,)))), r"'a': it has a negative dimension: \(-5,\)"),
        (index((b"a", entry((-1, -3), size=12))), "negative dimension"),
        (index((b"a", entry((BIG, 4), size=0))), "it has 0 bytes, and the shape"),
        (index((b"a", entry((1 << 32, 1 << 32), size=0))), "it has 0 bytes"),
        (index((b"a", entry((3,), size=16))), "it has 16 bytes, and the shape"),
        (index((b"a", entry((1,) * 255))), "it has 255 dimensions"),
        (index((b"a", entry((3,), dtype=99))), "there is no type 99"),
        (index((b"a", entry((3,), dtype=0))), "there is no type 0"),
        (index((b"a", entry((9,), dtype=7, size=8))), "it has 8 bytes"),
        (index((b"a", entry(offset=-8))), "it has 12 bytes at byte -8"),
        (index((b"a", entry((), size=-4))), "it has -4 bytes"),
        (index((b"a", entry(shard=1))), "it is in data file 1 of 1"),
        (index((b"a", entry(shard=-1))), "it is in data file -1 of 1"),
        (index((b"a", entry(more=field(7, b"")))), "it is partitioned"),
        (index((b"a", b"\x0a")), "'a': it ends within a number"),
        (index((b"a", b"\x12\x7f")), "'a': a value is malformed"),
        (index((b"a", b"\x13\x00")), "'a': a value is malformed"),
        (index((b"a", field(1, b"x"))), "'a': field 1 is no number"),
        (index((b"a", entry()), (b"a", entry())), "key b'a' is not after"),
        (index((b"b", entry()), (b"a", entry(offset=12))), "key b'a' is not after"),
        (index((b"a", entry()), (b"b", entry(offset=8))), "'b' and 'a' overlap"),
        (index((b"\xff", entry())), "is not UTF-8"),
        (index((b"a" * 5000, entry())), "a key has 5000 bytes"),
        (index(head=header(0)), "claims to have 0 data files"),
        (index(head=header(-1)), "claims to have -1 data files"),
        (index(head=header(BIG)), "data files"),
        (index(head=header(endianness=1)), "is big-endian"),
        (index(head=field(1, 1) + field(3, field(2, 9))), "newer format, of version 9"),
        (table(block([(b"a", entry())])), "it has no header"),
        (table(), "it has no header"),
        (b"", "there is no table in it"),
        (bytes(100), "there is no table in it"),
    ],
)
def test_wrong_entries(content, message):
    with pytest.raises(ValueError, match=message):
        parse_index(content)


whole = block([(b"", header()), (b"a", entry())])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (table(whole, handles=[(0, BIG, 0)]), "is not within the file"),
        (table(whole, handles=[(1 << 40, 8, 0)]), "is not within the file"),
        (table(whole, handles=[(0, 7, 0)]), "the checksum of the block at 0 is wrong"),
        (table(whole, handles=[(0, len(whole), n) for n in (0, 1)]), "blocks overlap"),
        (table(whole, kind=7), "an unknown compression, 7"),
        (table(b"\0"), "a block is truncated"),
        (table(b"\xff\xff\xff\xff"), "restarts of a block are not within it"),
        (table(block([(9, b"", header())])), "key or a value is not within its block"),
        (table(varint(0) + varint(BIG) + varint(0) + bytes(8)), "not within its block"),
        (table(b"\xff" * 11 + bytes(8)), "more than 64 bits|malformed"),
        # Snappy: a bomb, a literal and a copy that are not there, a wrong length.
        (table(varint(1 << 30), kind=1), "claims to unpack to 1073741824 bytes"),
        (table(varint(8) + b"\xf0\xff", kind=1), "compressed block is truncated"),
        (table(varint(8) + b"\x01\x01", kind=1), "refers to bytes before its first"),
        (table(varint(8) + b"\x00a\x01\x00", kind=1), "bytes before its first"),
        (table(varint(8) + b"\x00a\x02", kind=1), "compressed block is truncated"),
        (table(varint(8) + b"\x00a", kind=1), "unpacks to other than 8 bytes"),
        (table(varint(2) + b"\x00a\xfe\x01\x00", kind=1), "other than 2 bytes"),
    ],
)
def test_wrong_tables(content, message):
    with pytest.raises(ValueError, match=message):
        parse_index(content)


def test_copies_of_snappy_may_overlap_what_they_add():
    pairs = block([(b"", header()), (b"a", entry((12,)))])
    packed = varint(len(pairs)) + bytes([(len(pairs) - 1) << 2]) + pairs
    assert list(parse_index(table(packed, kind=1)).entries) == ["a"]
    from kinetics_i3d_tf2.checkpoints.file_formats import sorted_table

    assert sorted_table._unpack_snappy(b"\x09\x04ab\x0d\x02", [99]) == b"ababababa"


@pytest.mark.parametrize("length", [*range(0, 60, 7), 100])
def test_every_truncation_is_a_value_error(length):
    content = index((b"a", entry()))
    with pytest.raises(ValueError):
        parse_index(content[:length])
    with pytest.raises(ValueError):
        parse_index(content[length + 1 :][: len(content) - 9])


@pytest.mark.parametrize(
    ("entries", "size", "message"),
    [
        ([(b"a", entry(offset=100))], 50, "has 50 bytes, and its index refers to 112"),
        ([(b"a", entry(offset=1 << 60))], 50, "its index refers to"),
    ],
)
def test_a_data_file_that_is_too_short_is_found_when_opened(
    tmp_path, entries, size, message
):
    (tmp_path / "model.ckpt.index").write_bytes(index(*entries))
    (tmp_path / "model.ckpt.data-00000-of-00001").write_bytes(bytes(size))
    with pytest.raises(ValueError, match=message):
        BundleReader(tmp_path)


def test_a_released_index_is_read(shared):
    for path in sorted((shared / "release" / "checkpoints").glob("*/*.index")):
        found = parse_index(path.read_bytes())
        assert len(found.entries) in (230, 346)
        assert sum(e.size for e in found.entries.values()) == found.shard_sizes()[0]


def test_the_index_that_ended_the_process(shared):
    with pytest.raises(ValueError, match=r"negative dimension: \(-5,\)"):
        BundleReader(shared / "trials" / "ckpt_neg")


def test_a_sharded_checkpoint(tmp_path):
    import numpy as np

    path = tmp_path / "model.ckpt"
    values = np.arange(3, dtype=np.float32)
    crc = tables.crc(values.tobytes())
    second = entry(shard=1).replace(
        tables.varint(6 << 3 | 5) + bytes(4),
        tables.varint(6 << 3 | 5) + crc.to_bytes(4, "little"),
    )
    content = table(block([(b"", header(2)), (b"a", second)]))
    path.with_suffix(".ckpt.index").write_bytes(content)
    (tmp_path / "model.ckpt.data-00001-of-00002").write_bytes(values.tobytes())
    assert BundleReader(tmp_path).read("a").tolist() == [0, 1, 2]
