"""The page of a clip, written by the script and looked at in a real browser."""

import html
import json
import re

import numpy as np
import programs
import pytest
from conftest import ROOT

from kinetics_i3d_tf2.visualization import clip_page

pytest.importorskip("matplotlib", reason="the extra plot is not installed")

# What a phone shows of a page, as numbers: scripts may look into a frame of their own.
PHONE = """<!DOCTYPE html><body><iframe id=phone width=390 height=844 srcdoc="{page}">
</iframe><script>
addEventListener("load", () => {{
  const page = document.getElementById("phone").contentDocument;
  const shown = () => [...page.querySelectorAll("figure .map")].filter(
    image => getComputedStyle(image).display !== "none").map(image => image.className);
  const seen = {{
    width: page.documentElement.scrollWidth,
    broken: [...page.images].filter(image => !image.naturalWidth).length,
    images: page.images.length,
    none: shown(),
    letters: Math.min(99, ...[...page.querySelectorAll(".chart text")].map(
      text => text.getBoundingClientRect().height)),
  }};
  page.querySelector("label[for=m1]").click();
  seen.second = shown();
  page.querySelector("label[for=m0]").click();
  seen.first = shown();
  document.body.dataset.seen = JSON.stringify(seen);
}});
</script>"""


def seen_on_a_phone(browser, page, tmp_path):
    """What a phone shows of a page; fails on messages in the browser's console."""
    wrapper = tmp_path / "phone.html"
    wrapper.write_text(PHONE.format(page=html.escape(page)), encoding="utf-8")
    dom, error = browser(wrapper)
    assert "CONSOLE" not in error, error
    return json.loads(html.unescape(re.search(r'data-seen="([^"]*)"', dom)[1]))


@pytest.fixture(scope="module", params=["demonstration", "release"])
def page(request, tmp_path_factory):
    """Pages of the demonstration and of the release's clip, by the demonstration."""
    path = tmp_path_factory.mktemp("page") / "clip.html"
    flags = ["--weights=demo", f"--report={path}"]
    if request.param == "release":
        folder = request.getfixturevalue("shared") / "release" / "sample"
        video = folder / "v_CricketShot_g04_c01_rgb.gif"
        flags += [f"--video={video}", "--eval_type=rgb"]
    done = programs.run("classify", *flags)
    assert done.returncode == 0, done.stderr
    assert f"The page is {path}" in done.stderr
    return request.param, path.read_text(encoding="utf-8"), done.stdout


def test_the_page_says_what_the_script_prints(page):
    name, text, printed = page
    best = printed.splitlines()[3].split(" ", 2)
    assert f">{best[2]}<" in text
    assert f"{100 * float(best[0]):.2f}%" in text
    assert f"{float(best[1]):.2f}" in text
    assert ("Optical flow" in text) == (name == "demonstration")


def test_the_page_needs_nothing_else(page):
    text = page[1]
    assert not re.findall(r'(?:src|href)="(?!data:|#)', text)
    assert not re.search(r"url\((?!#)|@import|<script|<link(?! rel=\"icon\")", text)
    # Nothing of the machine that made it.
    assert str(ROOT) not in text


def test_a_browser_shows_it_at_the_width_of_a_phone(page, browser, tmp_path):
    name, text, _ = page
    seen = seen_on_a_phone(browser, text, tmp_path)
    frames = 16 if name == "demonstration" else 8
    assert seen["width"] <= 390
    assert (seen["broken"], seen["images"]) == (0, 6 * frames)
    assert seen["first"] == ["map m0"] * frames
    assert seen["second"] == ["map m1"] * frames
    assert seen["none"] == []
    assert seen["letters"] >= 9  # pixels


def test_names_are_no_markup(browser, tmp_path):
    rng = np.random.default_rng(0)
    stream = clip_page.Stream(
        np.arange(8),
        rng.uniform(-1, 1, (8, 224, 224, 3)).astype(np.float32),
        9,
        rng.normal(size=(2, 7, 7, 3)).astype(np.float32),
        rng.normal(size=(1, 3)).astype(np.float32),
    )
    names = ["<b>a</b> & b", 'c "d" $x_1$', "e" * 100]
    verdict = clip_page.Verdict(
        "<script>alert(1)</script>\x1b[2J\udce9.mp4",
        ["x < y"],
        names,
        np.arange(3.0),
        np.full(3, 1 / 3),
        [2, 1, 0],
    )
    path = tmp_path / "page.html"
    clip_page.write(path, verdict, {"rgb": stream})
    text = path.read_text(encoding="utf-8")
    assert "Uncertain: e" in text and "seconds 0.00 to 0.36" in text
    assert "Over time" not in text  # There is a single window.
    assert "<script" not in text and "<b>a" not in text
    assert r"\x1b[2J\udce9.mp4" in text and "\x1b" not in text
    seen = seen_on_a_phone(browser, text, tmp_path)
    assert seen["width"] <= 390
    assert seen["broken"] == 0


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        ("--report=", "--report=: name a file to write"),
        ("--report=/absent/a.html", "there is no such folder"),
        ("--report=x.pdf", "--report=x.pdf: the page is HTML; name a file that ends"),
    ],
)
def test_wrong_flags(flag, message):
    done = programs.run("classify", "--weights=demo", flag)
    assert done.returncode == 2
    assert message in done.stderr
