import pytest

from kinetics_i3d_tf2.utils.names import OutputNames, safe_part, safe_path


@pytest.mark.parametrize("name", ["a", "jumping jacks", "Übung (1)", "a.b", "x_1.5_4"])
def test_what_is_safe_stays(name):
    assert safe_part(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        ".lock",
        "a/b",
        "a\\b",
        "a\0b",
        "a\nb",
        "\x1b[2J",
        "\ud800",
        500 * "ü",
    ],
    ids=lambda name: ascii(name)[:20],
)
def test_what_is_not_safe_is_changed_and_keeps_a_name_of_its_own(name):
    safe = safe_part(name)
    assert safe != name and safe == safe_part(name)
    assert safe != safe_part(name + "x")
    assert not set("/\\\0\n\x1b") & set(safe) and safe[0] != "."
    assert len(safe.encode()) <= 200


def test_paths():
    assert safe_path("train//jump/a") == "train/jump/a"
    assert "/" not in safe_path("a/" * 800)
    assert all(part not in ("..", "") for part in safe_path("../../a").split("/"))


def of_npy(name):
    return f"{name}.npy", f"{name}_times.npy"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("x", "x"), ("x", "X"), ("é", "e\u0301"), ("x", "x_times"), ("x_times", "x"),
        ("a", "a.npy/b"), ("a.npy/b", "a"),
    ],
    ids=ascii,
)  # fmt: skip
def test_no_two_names_share_a_file(first, second):
    names = OutputNames(of_npy)
    assert names.claim(first, owner="1") == first
    found = names.claim(second, owner="2")
    assert found.startswith((f"{second}-", f"{second.replace('/', '_')}-"))
    # It depends on the owner alone.
    assert found == OutputNames(of_npy, reserved=of_npy(first)).claim(second, owner="2")


def test_reserved_files_and_later_candidates():
    names = OutputNames(lambda name: (f"{name}.csv",), reserved=["index.csv"])
    assert names.claim("index", "index.mp4", owner="1") == "index.mp4"
    assert names.claim("index/a", owner="2") == "index/a"
    assert names.claim("index.csv/a", owner="3") != "index.csv/a"


def test_one_owner_gets_one_name():
    names = OutputNames()
    for _ in range(4):
        names.claim("a", owner="1")
    with pytest.raises(ValueError, match="two inputs are the same: '1'"):
        names.claim("a", owner="1")
