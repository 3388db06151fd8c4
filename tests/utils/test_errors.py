import pytest

from kinetics_i3d_tf2.utils.errors import DetailedError, reason


@pytest.mark.parametrize(
    ("error", "path", "expected"),
    [
        (ValueError("a.mp4: is empty"), "a.mp4", "is empty"),
        (ValueError("a.mp4: is empty"), "", "a.mp4: is empty"),
        (OSError("b.mp4: is\n  empty"), "a.mp4", "b.mp4: is empty"),
        (ValueError("a.mp4: "), "a.mp4", "ValueError"),
        (MemoryError(), "a.mp4", "MemoryError"),
    ],
    ids=["own path", "no path", "another path, two lines", "nothing left", "no text"],
)
def test_reason(error, path, expected):
    assert reason(error, path) == expected


@pytest.mark.parametrize("count", [1, 4, 5, 230])
def test_long_lists_are_cut(count):
    details = [f"line {number}" for number in range(count)]
    error = DetailedError("wrong", details)
    lines = str(error).split("\n  ")
    assert lines[: 1 + min(count, 4)] == ["wrong", *details[:4]]
    assert (lines[5:] == []) == (count <= 4)
    if count > 4:
        assert lines[5].startswith(f"and {count - 4} more (--verbosity=1")
    assert error.details == tuple(details)
