"""The page of a video over time, looked at in a real browser."""

import html
import json
import re

import numpy as np
import pytest
from conftest import ROOT

from kinetics_i3d_tf2.inference.captions import write_captions
from kinetics_i3d_tf2.inference.scores import Scores
from kinetics_i3d_tf2.inference.segments import find_segments
from kinetics_i3d_tf2.visualization import timeline

pytest.importorskip("jinja2", reason="the extra plot is not installed")

NAMES = ("rest", "<script>alert(1)</script>", 'c "d" \x1b[31m', "e" * 90)

# Looks at a page at a width, moves its slider as the keyboard does, presses a button.
LOOK = """<!DOCTYPE html><body>
<iframe id=frame width={width} height=900 srcdoc="{page}"></iframe><script>
addEventListener("load", () => {{
  const page = document.getElementById("frame").contentDocument;
  const find = id => page.getElementById(id);
  const seen = {{
    width: page.documentElement.scrollWidth,
    lanes: page.querySelectorAll(".lane svg").length,
    broken: [...page.images].filter(image => !image.naturalWidth).length,
    images: page.images.length,
  }};
  find("time").focus();
  seen.focused = page.activeElement === find("time");
  find("time").value = 5;
  find("time").dispatchEvent(new Event("input"));
  seen.at5 = find("what").textContent;
  page.querySelector("[data-second]").click();
  seen.pressed = find("what").textContent;
  seen.value = find("time").value;
  seen.cursor = find("now").style.left;
  document.body.dataset.seen = JSON.stringify(seen);
}});
</script>"""

TRACK = """<!DOCTYPE html><body><video><track default src="{url}"></video><script>
const track = document.querySelector("track");
track.track.mode = "hidden";
track.addEventListener("load", () => {{
  const cues = [...track.track.cues].map(
    cue => [cue.startTime, cue.endTime, cue.getCueAsHTML().textContent]);
  document.body.dataset.seen = JSON.stringify(cues);
}});
</script>"""


@pytest.fixture(scope="module")
def scores():
    """Ten windows of two seconds; the second class from 4.5 to 8.5 seconds."""
    found = []
    for number in range(10):
        logits = np.array([2.0, 0.0, 0.0, 0.0])
        if 4 <= number < 8:
            logits[1] = 6.0
        seconds = (number, number + 2.0)
        found.append(Scores(logits, NAMES, {}, seconds))
    return found


@pytest.fixture(scope="module")
def page(scores, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "film.html"
    thumbnails = timeline.read_thumbnails(
        ROOT / "data" / "demo_picking_up.mp4", 0.0, 0.6, 5
    )
    segments = find_segments(scores)
    timeline.write_timeline(
        path, "<b>film</b>.mp4", scores, segments, thumbnails, ["<i>facts</i>"]
    )
    return path.read_text(encoding="utf-8")


def seen(browser, path):
    dom, error = browser(path)
    assert "CONSOLE" not in error, error
    return json.loads(html.unescape(re.search(r'data-seen="([^"]*)"', dom)[1]))


@pytest.mark.parametrize("width", [1000, 390])
def test_a_browser_shows_it(browser, page, tmp_path, width):
    path = tmp_path / "look.html"
    path.write_text(LOOK.format(page=html.escape(page), width=width), encoding="utf-8")
    found = seen(browser, path)
    assert found["width"] <= width
    assert (found["lanes"], found["broken"], found["images"]) == (4, 0, 5)
    assert found["focused"]
    assert found["at5"].startswith("0:05.0: <script>alert(1)</script> 98%, rest 2%")
    # The first segment is that of the class that begins first.
    assert found["pressed"].startswith("0:00.0: rest")
    assert float(found["value"]) == 0
    assert found["cursor"] == "0%"


def test_the_page_needs_nothing_else(page):
    assert not re.findall(r'(?:src|href)="(?!data:|#)', page)
    assert not re.search(r"url\(|@import|<script src|<link(?! rel=\"icon\")", page)


def test_names_are_no_markup(page):
    body = page[page.index("<body>") :]
    assert "<b>film" not in body and "<i>facts" not in body
    assert len(re.findall("<script", page)) == 2  # The data, and the page's own.
    assert "\x1b" not in page


def test_a_browser_shows_the_captions(browser, scores, tmp_path):
    write_captions(tmp_path / "film.vtt", find_segments(scores))
    path = tmp_path / "track.html"
    path.write_text(TRACK.format(url=(tmp_path / "film.vtt").as_uri()))
    cues = seen(browser, path)
    (middle,) = [cue for cue in cues if cue[2].startswith("<script>")]
    assert middle == [4.5, 8.5, "<script>alert(1)</script> (98%)"]


def test_thumbnails_of_damaged_places_are_left_out(tmp_path):
    (tmp_path / "bad.mp4").write_bytes(b"no video")
    assert timeline.read_thumbnails(tmp_path / "bad.mp4", 0, 1) == []


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00.0"), (59.96, "1:00.0"), (125.04, "2:05.0"), (3725.5, "1:02:05.5")],
)
def test_clock(seconds, text):
    assert timeline.clock(seconds) == text


def test_classes_that_are_never_seen_have_no_lane(tmp_path):
    names = ("seen", "never", "rare")
    found = [
        Scores(np.array([9.0, -9.0, rare]), names, {}, (number, number + 1.0))
        for number, rare in enumerate((0.0, 5.0))
    ]
    timeline.write_timeline(tmp_path / "a.html", "film", found, [])
    page = (tmp_path / "a.html").read_text()
    lanes = re.findall(r'<div class="lane"><div><span>(.*?)</span>', page)
    assert lanes == ["seen", "rare"]
    assert "<p>1 of 3 classes stay below 1%.</p>" in page


def test_no_windows(tmp_path):
    with pytest.raises(ValueError, match="film: there are no windows to show"):
        timeline.write_timeline(tmp_path / "a.html", "film", [], [])
