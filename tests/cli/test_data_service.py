"""A dispatcher and two workers in processes of their own, on loopback."""

import re

import numpy as np
import programs
import pytest
from videos import brightness_frames, write_video

from kinetics_i3d_tf2.data.clip_recipe import ClipRecipe
from kinetics_i3d_tf2.data.clips import Clip
from kinetics_i3d_tf2.data.tf_data import pipeline


def start(*flags):
    """Starts a server; returns it and what it says when it is ready."""
    process = programs.start("data-service", *flags)
    process.wait_until(lambda: re.search("Ready: .*\n", process.stderr))
    return process, re.search("Ready: (.*)\n", process.stderr)[1]


@pytest.fixture(scope="module")
def service():
    dispatcher, address = start("--role=dispatcher")
    worker_flags = ("--role=worker", f"--dispatcher={address}")
    workers = [start(*worker_flags)[0] for _ in range(2)]
    yield address
    for process in (dispatcher, *workers):
        process.kill()


def test_batches_of_two_workers(service, tmp_path):
    """What comes is what comes without the service, in another order."""
    clips = []
    for number in range(6):
        frames = brightness_frames(12, (48, 36))
        path = write_video(tmp_path / f"{number}.mkv", frames, codec="ffv1")
        clips.append(Clip(str(path), "", number))
    recipe = ClipRecipe(num_frames=4, short_side=36, crop_size=24)

    def samples(count, **options):
        dataset = pipeline.for_training(clips, recipe, batch_size=2, seed=5, **options)
        return [
            (int(label), clip.tobytes())
            for batch in dataset.take(count).as_numpy_iterator()
            for clip, label in zip(*batch, strict=True)
        ]

    served = samples(12, data_service=service)
    assert np.bincount([label for label, _ in served], minlength=6).min() > 0
    # Workers run ahead of each other, so a place may come much later than here.
    assert set(served) <= set(samples(200))


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--role=worker",), "--dispatcher=host:port is for --role=worker"),
        (("--role=dispatcher", "--dispatcher=a:1"), "is for --role=worker"),
        (("--role=dispatcher", "--port=70000"), "not an integer in the range"),
    ],
    ids=["no-dispatcher", "dispatcher", "port"],
)
def test_wrong_flags(flags, message):
    done = programs.run("data-service", *flags)
    assert done.returncode == 2
    assert message in done.stderr


def test_a_worker_without_its_dispatcher():
    flags = ("--role=worker", "--dispatcher=localhost:1")
    done = programs.run("data-service", *flags)
    assert done.returncode == 2
    assert "error: grpc://localhost:1: nothing answers there" in done.stderr


def test_a_port_in_use(service):
    port = re.search(r"\d+$", service)[0]
    flags = ("--role=dispatcher", f"--port={port}")
    done = programs.run("data-service", *flags)
    assert done.returncode == 2
    assert f"error: --port={port}: Address already in use" in done.stderr
