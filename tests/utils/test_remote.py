"""Addresses: an HTTP server and an S3 server on loopback. Needs the extra `io`."""

import contextlib
import http.server
import json
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import programs
import pytest
from videos import brightness_frames, write_video

pytest.importorskip("tensorflow_io", reason="the extra io is not installed")
pytest.importorskip("moto", reason="moto is not installed")

KEYS = {
    "AWS_ACCESS_KEY_ID": "nobody",
    "AWS_SECRET_ACCESS_KEY": "nothing",
    "AWS_REGION": "us-east-1",
    "S3_USE_HTTPS": "0",
    "S3_VERIFY_SSL": "0",
}


class RangeHandler(http.server.SimpleHTTPRequestHandler):
    """Serves files whole or in ranges, as web servers do."""

    def do_GET(self):
        path = Path(self.translate_path(self.path))
        if not path.is_file():
            self.send_error(404)
            return
        content = path.read_bytes()
        wanted = re.match(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if wanted:
            first = int(wanted[1])
            last = min(int(wanted[2] or len(content)), len(content) - 1)
            if first >= len(content):
                self.send_error(416)
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(content)}")
            content = content[first : last + 1]
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    do_HEAD = do_GET

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A video, a checkpoint, records and a CSV, local."""
    import recipe
    import tensorflow as tf

    from kinetics_i3d_tf2 import InceptionI3d, save_checkpoint
    from kinetics_i3d_tf2.data.clips import Clip
    from kinetics_i3d_tf2.data.records import shards
    from kinetics_i3d_tf2.data.records.image_coding import Coding

    folder = tmp_path_factory.mktemp("files")
    frames = brightness_frames(20, (48, 36))
    path = write_video(folder / "clip.mkv", frames, codec="ffv1")
    write_video(folder / "clip.mp4", frames)
    settings = shards.Settings(True, 36, Coding("png"))
    with tf.io.TFRecordWriter(str(folder / "train-00000-of-00001")) as writer:
        for number in range(3):
            clip = Clip(str(path), "a", number)
            writer.write(shards.encode_clip(clip, settings)[0])
    model = recipe.assign(InceptionI3d(num_classes=7, width=1 / 16))
    save_checkpoint(model, folder / "model.ckpt")
    return folder


@pytest.fixture(scope="module")
def http_address(files):
    def handler(*args):
        return RangeHandler(*args, directory=str(files))

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def s3_address(files):
    """A bucket with the files in it; its server is what the process's S3 is."""
    boto3 = pytest.importorskip("boto3")
    with subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"],
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        for line in server.stderr:
            found = re.search(r"Running on (http://127\.0\.0\.1:\d+)", line)
            if found:
                break
        # What it says later must not fill the pipe.
        threading.Thread(target=server.stderr.read, daemon=True).start()
        os.environ.update(KEYS, S3_ENDPOINT=found[1])
        client = boto3.client(
            "s3", endpoint_url=found[1], region_name=KEYS["AWS_REGION"]
        )
        client.create_bucket(Bucket="bucket")
        for path in files.iterdir():
            client.upload_file(str(path), "bucket", f"data/{path.name}")
        yield "s3://bucket/data"
        server.kill()


@pytest.fixture(scope="module", params=["http", "s3"])
def address(request):
    return request.getfixturevalue(f"{request.param}_address")


@pytest.mark.parametrize("name", ["clip.mkv", "clip.mp4"])
def test_video(address, files, name):
    from kinetics_i3d_tf2 import read_video

    received = read_video(f"{address}/{name}", start=0.2)
    np.testing.assert_array_equal(received, read_video(files / name, start=0.2))


@pytest.mark.parametrize("kind", ["video", "records"])
def test_pipeline(address, files, kind):
    from kinetics_i3d_tf2.data.clip_recipe import ClipRecipe
    from kinetics_i3d_tf2.data.clips import Clip
    from kinetics_i3d_tf2.data.records import tfrecord
    from kinetics_i3d_tf2.data.tf_data import pipeline

    recipe = ClipRecipe("joint", num_frames=4, short_side=36, crop_size=24)

    def batch(place):
        if kind == "video":
            sources = [Clip(f"{place}/clip.mkv", "a", 0)]
        else:
            sources = tfrecord.find_records([f"{place}/train-00000-of-00001"])
        dataset = pipeline.for_training(sources, recipe, batch_size=2, seed=0)
        return next(iter(dataset))[0]

    local, remote = batch(files), batch(address)
    for name, clip in local.items():
        np.testing.assert_array_equal(clip, remote[name])


def test_checkpoint(address, files):
    from kinetics_i3d_tf2 import InceptionI3d, load_checkpoint

    models = []
    for place in (address, files):
        models.append(InceptionI3d(num_classes=7, width=1 / 16))
        load_checkpoint(models[-1], f"{place}/model.ckpt")
    for one, other in zip(*(model.get_weights() for model in models), strict=True):
        np.testing.assert_array_equal(one, other)


def test_what_is_not_there(address):
    from kinetics_i3d_tf2 import load_checkpoint, read_video

    with pytest.raises(FileNotFoundError, match=f"{address}/no.mp4: there is no such"):
        read_video(f"{address}/no.mp4")
    with pytest.raises(FileNotFoundError, match="no.ckpt.index: there is no such"):
        load_checkpoint(None, f"{address}/no.ckpt")


def test_a_bucket_is_a_folder(s3_address):
    from kinetics_i3d_tf2 import InceptionI3d, load_checkpoint, save_checkpoint
    from kinetics_i3d_tf2.utils import files as storage

    names = ["clip.mkv", "clip.mp4", "model.ckpt.data-00000-of-00001"]
    names += ["model.ckpt.index", "train-00000-of-00001"]
    found = storage.files_below("s3://bucket")
    assert found == [f"{s3_address}/{name}" for name in names]
    clips = storage.matching(f"{s3_address}/clip.*")
    assert clips == [f"{s3_address}/{name}" for name in names[:2]]
    assert storage.is_dir("s3://bucket") and storage.is_dir(s3_address)
    assert not storage.is_dir(f"{s3_address}/clip.mp4")
    model = InceptionI3d(num_classes=7, width=1 / 16)
    prefix = save_checkpoint(model, "s3://bucket/new/")
    assert prefix == "s3://bucket/new/model.ckpt"
    load_checkpoint(model, "s3://bucket/new")


def test_atomic_writer(s3_address):
    from kinetics_i3d_tf2.utils import files as storage

    path = "s3://bucket/written.txt"
    with storage.atomic_writer(path) as temporary:
        temporary.write_text("first")
        assert not storage.exists(path)
    with contextlib.suppress(KeyError), storage.atomic_writer(path) as temporary:
        temporary.write_text("half of the sec")
        raise KeyError
    with storage.open_file(path) as file:
        assert file.read() == "first"
    with storage.open_file(path, "w") as file:
        file.write("second")
    with storage.open_file(path) as file:
        assert file.read() == "second"


def test_a_program_that_used_s3_ends_with_its_own_status(s3_address, python):
    """tensorflow-io 0.37.1 itself aborts at exit: status 134."""
    checkpoint = ("-m", "kinetics_i3d_tf2", "checkpoint")
    done = python(*checkpoint, f"{s3_address}/model.ckpt")
    assert done.returncode == 0, done.stderr
    assert "230 variables; InceptionI3d of 3 channels and 7 classes" in done.stdout
    done = python(*checkpoint, f"{s3_address}/no.ckpt")
    assert done.returncode == 2
    assert "there is no such checkpoint file" in done.stderr


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (
            ["--checkpoint_dir={s3}"],
            "{s3}/rgb_imagenet/model.ckpt.index: is missing; --checkpoint_dir holds",
        ),
        (
            ["--checkpoint_dir={s3}", "--video={s3}/no.mp4"],
            "{s3}/no.mp4: there is no such video file",
        ),
    ],
    ids=["sample", "video"],
)
def test_evaluate_sample_takes_addresses(s3_address, python, flags, message):
    flags = [flag.format(s3=s3_address) for flag in flags]
    done = python("evaluate_sample.py", "--eval_type=rgb", *flags)
    assert done.returncode == 2
    assert message.format(s3=s3_address) in done.stderr


def test_preparation_from_s3_to_s3(s3_address):
    """A folder a class in one place, records in another; then nothing is left to do."""
    pytest.importorskip("apache_beam")
    from kinetics_i3d_tf2.data.records import tfrecord
    from kinetics_i3d_tf2.utils import files as storage

    flags = ["--dataset=folder", "--videos=s3://bucket", "--out=s3://bucket/records"]
    flags += ["--short_side=36", "--num_shards=2"]
    done = programs.run("prepare", *flags)
    assert done.returncode == 0, done.stderr
    assert "2 clips in 2 record files in s3://bucket/records; 0 failed" in done.stdout
    paths = storage.matching("s3://bucket/records/folder_train_*")
    assert len(paths) == 2
    assert len(tfrecord.find_records(paths)) == 2
    with storage.open_file("s3://bucket/records/report.json") as file:
        (report,) = json.load(file)["records"].values()
    assert report["written"] == 2
    done = programs.run("prepare", *flags)
    assert "All 2 record files exist" in done.stderr
