"""A live video on the command line, in a process of its own."""

import csv
import json
import os
import signal

import live_servers
import programs
import pytest
from conftest import ROOT

RGB = ("--eval_type=rgb", f"--rgb_checkpoint={ROOT}/checkpoints/demo_rgb")


def start(source, *arguments, **options):
    return programs.start("classify", source, *RGB, "--top=1", *arguments, **options)


def test_answers_come_until_it_is_interrupted():
    with live_servers.serve(120.0) as address:
        process = start(address, "--window=0.4", "--every=0.2")
        process.wait_until(lambda: process.stdout.count("\n") >= 4)
        process.send_signal(signal.SIGINT)
        process.wait()
    error = process.stderr
    rows = list(csv.DictReader(process.stdout.splitlines()))
    assert len(rows) >= 3
    assert all(row["path"] == address and row["frames"] == "10" for row in rows)
    assert all(float(row["delay"]) > 0 and int(row["skipped"]) >= 0 for row in rows)
    assert process.returncode == 0, error
    assert "windows were answered" in error.splitlines()[-1]
    assert "Traceback" not in error


def test_standard_input_as_json():
    content, _ = live_servers.mpegts(1.0)
    read, write = os.pipe()
    process = start("-", "--every=10", "--window=2", "--live_format=json", stdin=read)
    with open(write, "wb") as file:
        file.write(content)
    assert process.wait() == 0, process.stderr
    os.close(read)
    (row,) = map(json.loads, process.stdout.splitlines())
    assert row["frames"] in (25, 26)
    assert row["labels"][0]["label"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a", "b", "--every=1"], "--every is for one live video. Received: 2"),
        (["-", "--every=1", "--out=a.csv"], "--out is not for live videos"),
        (["-", "--every=1", "--end=3"], "--end is not for live videos"),
        (["none", "--every=1"], "none: there is no such file or device"),
        ([f"{ROOT}/setup.py", "--every=1"], "is a file, not a live video"),
        (["rtsp://127.0.0.1:9/x"], "cannot be read as a live video (Connection refus"),
    ],
    ids=str,
)
def test_mistakes(arguments, message):
    done = programs.run("classify", *RGB, *arguments)
    assert done.returncode == 2
    assert message in done.stderr.splitlines()[-1]
