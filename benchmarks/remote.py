"""Measures reading from an HTTP server and an S3 server against local files.

  python benchmarks/remote.py                # a few minutes
  python benchmarks/remote.py --latency=20   # of every reply of the HTTP server

Both servers run on this machine (S3 is moto's, from the extra test), so the figures
show what the reading costs here, and not a network.
"""

import contextlib
import functools
import http.server
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
from absl import app, flags
from batches import FRAMES, clip_rate, write_records
from made_videos import make_videos
from tqdm import tqdm

from kinetics_i3d_tf2.data.clip_recipe import ClipRecipe
from kinetics_i3d_tf2.data.clips import Clip
from kinetics_i3d_tf2.data.records import tfrecord
from kinetics_i3d_tf2.utils import files
from kinetics_i3d_tf2.utils.remote import cache
from kinetics_i3d_tf2.video import reader

CLIPS = flags.DEFINE_integer("clips", 8, "Videos to make.", 1)
REPEATS = flags.DEFINE_integer("repeats", 3, "Runs of each.", 1)
LATENCY = flags.DEFINE_float("latency", 0.0, "Milliseconds that HTTP waits.", 0)
SERVE = flags.DEFINE_string("serve", None, "Only serve a folder: used by itself.")

BATCHES = 10
CHECKPOINT_MIB = 50


def main(_):
    """Prints the figures."""
    if SERVE.value:
        serve(SERVE.value)
        return
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        os.environ[cache.VARIABLE] = f"{folder}/cache"
        data = Path(folder, "data")
        data.mkdir()
        videos = make_videos(data, CLIPS.value)
        write_records(data / "records", [Clip(v, "", 0) for v in videos], "jpeg")
        (data / "weights").write_bytes(
            np.random.default_rng(0).bytes(CHECKPOINT_MIB << 20)
        )
        places = {"local": str(data), "http": stack.enter_context(http_server(data))}
        places["s3"] = stack.enter_context(s3_server(data))
        size = sum(map(os.path.getsize, videos)) / len(videos) / 1024
        print(
            f"{len(videos)} videos of {size:.0f} KiB, {os.cpu_count()} processors; "
            f"HTTP waits {LATENCY.value:g} ms"
        )
        measure_clips(places)
        measure_copies(places, Path(folder))


def measure_clips(places):
    """Training batches of videos and of records."""
    cases = {}
    for name, place in places.items():
        clips = [Clip(f"{place}/{n}.mp4", "", n) for n in range(CLIPS.value)]
        cases["video", name] = clips, "rgb"
        records = tfrecord.find_records([f"{place}/records"])
        cases["records", name] = records, "rgb"
    rates = {case: [] for case in cases}
    for _ in tqdm(range(REPEATS.value), "Clips", leave=False):
        for case, (sources, stream) in cases.items():
            recipe = ClipRecipe(stream, num_frames=FRAMES)
            rates[case].append(clip_rate(sources, recipe, BATCHES))
    for (kind, name), values in rates.items():
        ratio = statistics.median(np.divide(values, rates[kind, "local"]))
        rate = statistics.median(values)
        print(f"{kind}, {name}: {rate:.1f} clips/s, {ratio:.2f} times local")


def measure_copies(places, folder):
    """One clip of a video, whole videos, and a checkpoint the first and second time."""
    for name, place in places.items():
        path = f"{place}/0.mp4"
        first = seconds(functools.partial(reader.read_video, path, max_frames=1))
        whole = seconds(functools.partial(reader.read_video, path))
        line = f"{name}: first frame {first * 1e3:.0f} ms, whole video {whole:.2f} s"
        if name != "local":
            copy = functools.partial(
                files.copy_to_local, f"{place}/weights", folder / "weights"
            )
            fetch = [seconds(copy), seconds(copy)]
            rate = CHECKPOINT_MIB / fetch[0]
            line += (
                f"; {CHECKPOINT_MIB} MiB of weights {rate:.0f} MiB/s, again "
                f"{fetch[1] * 1e3:.0f} ms"
            )
        print(line)


def seconds(function):
    """Seconds of a call."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves files in ranges."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        """Sends a file or a range of it."""
        time.sleep(LATENCY.value / 1e3)
        path = Path(self.translate_path(self.path))
        size = path.stat().st_size
        found = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        first, last = map(int, found.groups()) if found else (0, size - 1)
        last = min(last, size - 1)
        self.send_response(206 if found else 200)
        if found:
            self.send_header("Content-Range", f"bytes {first}-{last}/{size}")
        self.send_header("ETag", f'"{path.stat().st_mtime_ns}"')
        self.send_header("Content-Length", str(last - first + 1))
        self.end_headers()
        with open(path, "rb") as file:
            file.seek(first)
            self.wfile.write(file.read(last - first + 1))

    def log_message(self, *args):
        """Writes nothing."""


def serve(folder):
    """Serves a folder until the process is ended."""
    with http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), lambda *args: Handler(*args, directory=folder)
    ) as server:
        print(f"Running on http://127.0.0.1:{server.server_port}", flush=True)
        server.serve_forever()


@contextlib.contextmanager
def http_server(folder):
    """Yields the address of a server of a folder, in a process of its own."""
    command = [sys.executable, __file__, f"--serve={folder}"]
    with running([*command, f"--latency={LATENCY.value}"]) as address:
        yield address


@contextlib.contextmanager
def s3_server(folder):
    """Yields the address of a folder of an S3 server that has the files."""
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
    with running(command) as endpoint:
        os.environ.update(AWS_ENDPOINT_URL=endpoint, AWS_DEFAULT_REGION="us-east-1")
        os.environ.update(AWS_ACCESS_KEY_ID="nobody", AWS_SECRET_ACCESS_KEY="nothing")
        import s3fs

        s3fs.S3FileSystem(use_listings_cache=False).mkdir("bucket")
        for path in folder.iterdir():
            with files.atomic_writer(f"s3://bucket/{path.name}") as copy:
                copy.write_bytes(path.read_bytes())
        yield "s3://bucket"


@contextlib.contextmanager
def running(command):
    """Runs a server; yields the address that it prints."""
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as server:
        for line in server.stdout:
            if found := re.search(r"Running on (http://127\.0\.0\.1:\d+)", line):
                break
        # What it prints later must not fill the pipe.
        threading.Thread(target=server.stdout.read, daemon=True).start()
        try:
            yield found[1]
        finally:
            server.kill()


if __name__ == "__main__":
    app.run(main)
