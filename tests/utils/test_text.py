import pytest

from kinetics_i3d_tf2.utils import text


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a\nÄ\n".encode("latin-1"), r"a\.txt, line 2: is not UTF-8 \(byte 0xc4\)"),
        (b"\xef\xbb\xbfa\nb\n\xff", r"line 3: is not UTF-8 \(byte 0xff\)"),
        ("a\n".encode("utf-16"), "line 1: is UTF-16; save it as UTF-8"),
    ],
    ids=["latin-1", "bom", "utf-16"],
)
def test_other_encodings(tmp_path, content, message):
    (tmp_path / "a.txt").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        text.read_text(tmp_path / "a.txt")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a\x1b[2Jb", "a\\x1b[2Jb"),
        ("a\nb\tc\r", "a\\nb\\tc\\r"),
        ("\u202eexe.mp4", "\\u202eexe.mp4"),
        ("\x9b31m\x7f", "\\x9b31m\\x7f"),
        ("caf\udce9.mp4", "caf\\udce9.mp4"),
        ("Übung 跳 🏃 \\n", "Übung 跳 🏃 \\n"),
    ],
)
def test_printable(name, shown):
    assert text.printable(name) == shown


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("playing_cricket", "playing cricket"),
        ("Playing-Cricket", "playing cricket"),
        ("PlayingCricket", "playing cricket"),
        ("playing criket", "playing cricket"),
        ("zumba", None),
        ("", None),
    ],
)
def test_near_match(name, meant):
    assert text.near_match(name, ["playing cricket", "air drumming"]) == meant
