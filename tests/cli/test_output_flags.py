"""Standard output in place of a file, and flags that are given twice."""

import json

import programs
import pytest
from conftest import ROOT

VIDEO = ROOT / "data" / "demo_picking_up.mp4"
RGB = ("--weights=demo", "--eval_type=rgb")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_json_of_classify_is_all_that_is_printed(folder):
    done = programs.run("classify", *RGB, f"--video={VIDEO}", "--top=1", "--json=-")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["top"][0]["class"] == "picking up"
    assert not list(folder.iterdir())


def test_json_of_evaluate_and_fvd(folder):
    clip = folder / "clips" / "val" / "picking up" / "a.mp4"
    clip.parent.mkdir(parents=True)
    clip.write_bytes(VIDEO.read_bytes())
    done = programs.run("evaluate", *RGB, "--dataset=folder", "--videos=clips",
                        "--out=results", "--json=-")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["clips"] == 1
    assert "1 clips; 0 could not be read" in done.stderr
    sets = (VIDEO.parent, VIDEO.parent)
    done = programs.run("fvd", *sets, "--weights=demo", "--num_frames=14", "--json=-")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["fvd"] == pytest.approx(0, abs=1e-6)


def test_a_table_and_captions(folder):
    shown = programs.run("classify", VIDEO, *RGB, "--top=1", "--out=-")
    assert shown.returncode == 0, shown.stderr
    assert [line.split(",")[4] for line in shown.stdout.splitlines()] == [
        "label_1",
        "picking up",
    ]
    windows = ("classify", VIDEO, *RGB, "--window=0.4", "--captions=-")
    done = programs.run(*windows, "--out=table.csv")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("WEBVTT\n")
    assert not (folder / "-").exists()
    done = programs.run(*windows)
    assert done.returncode == 2
    assert "--captions=-: the table is on standard output too" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("classify", VIDEO, *RGB, "--window=0.4", "--timeline=-"),
        ("classify", *RGB, f"--video={VIDEO}", "--report=-"),
        ("evaluate", *RGB, "--dataset=folder", "--videos=clips", "--out=-"),
        ("features", VIDEO, *RGB, "--out=-"),
        ("fvd", "a", "b", "--save_real=-.npz", "--save_fake=-"),
        ("export", *RGB, "--out=-"),
        ("train", "--recipe=demo_rgb", "--dataset=folder", "--videos=a", "--out=-"),
        ("prepare", "--dataset=folder", "--videos=a", "--out=-"),
        ("inflate", "--from=a", "--out=-"),
        ("checkpoint", "demo_rgb", "--copy_to=-"),
        ("visualize", "filters", "demo_rgb", "--out=-"),
        ("demo", "make", "-"),
    ],
    ids=lambda arguments: arguments[0] + arguments[-1].partition("=")[0],
)
def test_what_is_no_text_needs_a_name(folder, arguments):
    done = programs.run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    message = "-: standard output takes a single text; name a file or folder"
    assert message in done.stderr or "name a .npz file" in done.stderr
    assert not list(folder.iterdir())


def test_a_page_is_html(folder):
    done = programs.run("classify", f"--video={VIDEO}", "--report=x.pdf")
    assert done.returncode == 2
    assert "--report=x.pdf: the page is HTML; name a file that ends in" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--video=a.mp4", "--video=b.mp4"), "--video=a.mp4 and --video=b.mp4"),
        (("--video", "a.mp4", "--video", "a.mp4"), "--video=a.mp4 and --video=a.mp4"),
        (("--top=1", "--top=2"), "--top=1 and --top=2"),
        (
            ("--imagenet_pretrained", "--noimagenet_pretrained"),
            "--imagenet_pretrained=True and --imagenet_pretrained=false",
        ),
    ],
    ids=str,
)
def test_a_value_that_is_given_twice(arguments, message):
    done = programs.run("classify", *arguments)
    assert done.returncode == 2
    assert done.stderr == f"i3d classify: error: given twice: {message}\n"
