import pytest

from kinetics_i3d_tf2.utils.errors import reason


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
