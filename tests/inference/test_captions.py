"""Captions, read by a public library."""

import pytest

from kinetics_i3d_tf2.inference.captions import write_captions
from kinetics_i3d_tf2.inference.segments import Segment

webvtt = pytest.importorskip("webvtt")


def test_cues(tmp_path):
    path = tmp_path / "clip.vtt"
    segments = [
        Segment(0.0, 1.5, "jumping", 1, 0.876),
        Segment(3599.9996, 36000.25, "waving", 2, 0.5),
    ]
    write_captions(path, segments)
    first, second = webvtt.read(path)
    assert (first.start, first.end) == ("00:00:00.000", "00:00:01.500")
    assert first.text == "jumping (88%)"
    assert (second.start, second.end) == ("01:00:00.000", "10:00:00.250")


@pytest.mark.parametrize(
    ("label", "text"),
    [
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("a --> b", "a --&gt; b"),
        ("a\n\n00:00:00.000 --> 00:00:09.000\nb", "a\\n\\n00:00:00.000 --&gt;"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a & b", "a &amp; b"),
    ],
    ids=repr,
)
def test_labels_are_no_markup(tmp_path, label, text):
    path = tmp_path / "clip.vtt"
    write_captions(path, [Segment(0.0, 1.0, label, 0, 1.0)])
    (cue,) = webvtt.read(path)
    assert cue.raw_text.startswith(text)
    assert "<script" not in path.read_text()


def test_no_segments(tmp_path):
    write_captions(tmp_path / "clip.vtt", [])
    assert list(webvtt.read(tmp_path / "clip.vtt")) == []
