"""What is read at addresses is what is read of local files."""

import numpy as np
import pytest
from videos import brightness_frames, write_video

from kinetics_i3d_tf2 import read_video
from kinetics_i3d_tf2.data.clip_recipe import ClipRecipe
from kinetics_i3d_tf2.data.clips import Clip
from kinetics_i3d_tf2.utils import files
from kinetics_i3d_tf2.utils.remote import cache


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A video, a checkpoint, records and a CSV."""
    import built_models
    import tensorflow as tf

    from kinetics_i3d_tf2 import save_checkpoint
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
    model = built_models.narrow_i3d(7)
    save_checkpoint(model, folder / "model.ckpt")
    return folder


@pytest.fixture(scope="module")
def s3_address(s3, folder):
    for path in folder.iterdir():
        with files.atomic_writer(f"{s3}/reading/{path.name}") as copy:
            copy.write_bytes(path.read_bytes())
    return f"{s3}/reading"


@pytest.fixture
def http_address(server, folder):
    server.content.update((path.name, path.read_bytes()) for path in folder.iterdir())
    return f"{server.address}/plain"


@pytest.fixture(autouse=True)
def cache_folder(monkeypatch, tmp_path):
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "cache"))


@pytest.fixture(params=["http", "s3"])
def address(request):
    return request.getfixturevalue(f"{request.param}_address")


@pytest.mark.parametrize("name", ["clip.mkv", "clip.mp4"])
def test_video(address, folder, name):
    received = read_video(f"{address}/{name}", start=0.2)
    np.testing.assert_array_equal(received, read_video(folder / name, start=0.2))


@pytest.mark.parametrize("fault", ["cut", "stall"])
def test_a_failing_server_is_no_damaged_video(server, impatient, http_address, fault):
    address = f"{server.address}/{fault}/clip.mp4"
    with pytest.raises(OSError, match=f"^{address}: the (server|connection)"):
        read_video(address)


def test_a_server_that_fails_in_the_middle(server, tmp_path):
    """The header arrives, and the rest does not."""
    noise = np.random.default_rng(0).integers(0, 256, (40, 120, 160, 3), np.uint8)
    path = write_video(tmp_path / "long.mkv", noise, codec="ffv1")
    server.content["long.mkv"] = path.read_bytes()
    address = f"{server.address}/lies_later/long.mkv"
    with pytest.raises(OSError, match=f"^{address}: asked for byte"):
        read_video(address)


def test_an_empty_video(server):
    server.content["a.mp4"] = b""
    with pytest.raises(ValueError, match="a.mp4: is an empty file, not a video"):
        read_video(f"{server.address}/plain/a.mp4")


def test_a_part_of_a_video_is_not_the_whole_of_it(server, tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (500, 120, 160, 3), np.uint8)
    path = write_video(tmp_path / "long.mkv", noise, codec="ffv1")
    server.content["long.mkv"] = path.read_bytes()
    read_video(f"{server.address}/plain/long.mkv", start=16.0, max_frames=2)
    assert sum(server.sent) < path.stat().st_size / 2


@pytest.mark.parametrize("kind", ["video", "records"])
def test_pipeline(address, folder, kind):
    import kinetics_i3d_tf2 as i3d

    recipe = ClipRecipe("joint", num_frames=4, short_side=36, crop_size=24)

    def batch(place):
        if kind == "video":
            sources = [Clip(f"{place}/clip.mkv", "a", 0)]
        else:
            sources = i3d.find_records([f"{place}/train-00000-of-00001"])
        dataset = i3d.for_training(sources, recipe, batch_size=2, seed=0)
        return next(iter(dataset))[0]

    local, remote = batch(folder), batch(address)
    for name, clip in local.items():
        np.testing.assert_array_equal(clip, remote[name])


def test_a_list_names_videos_next_to_it(s3_address):
    import kinetics_i3d_tf2 as i3d

    with files.atomic_writer(f"{s3_address}/list.csv") as path:
        path.write_text(f"path,label\nclip.mp4,a\n{s3_address}/clip.mkv,b\n")
    table = i3d.read_csv(f"{s3_address}/list.csv")
    names = ["clip.mp4", "clip.mkv"]
    assert [clip.path for clip in table] == [f"{s3_address}/{n}" for n in names]


def test_records_are_found_once_and_read_with_one_request_each(server, http_address):
    from kinetics_i3d_tf2.data.records import tfrecord

    address = f"{http_address}/train-00000-of-00001"
    records = tfrecord.find_records([address])
    assert len(records) == 3
    server.reset()
    assert tfrecord.find_records([address]) == records
    assert len(server.requests) == 1
    assert tfrecord.read_record(records[1])
    assert len(server.requests) == 2
    assert sum(server.sent) < 100 + records[1].length


def test_checkpoint_is_fetched_once(server, http_address, folder):
    from kinetics_i3d_tf2 import InceptionI3d, load_checkpoint

    models = []
    for place in (http_address, http_address, folder):
        models.append(InceptionI3d(num_classes=7, width=1 / 16))
        load_checkpoint(models[-1], f"{place}/model.ckpt")
    for values in zip(*(model.get_weights() for model in models), strict=True):
        np.testing.assert_array_equal(values[0], values[2])
        np.testing.assert_array_equal(values[1], values[2])
    fetched = [r for r in server.requests if "data" in r[1] and r[2] != "bytes=0-0"]
    assert len(fetched) == 1


def test_a_checkpoint_in_a_bucket(s3_address):
    from kinetics_i3d_tf2 import InceptionI3d, load_checkpoint, save_checkpoint

    model = InceptionI3d(num_classes=7, width=1 / 16)
    load_checkpoint(model, s3_address)
    prefix = save_checkpoint(model, "s3://bucket/new/")
    assert prefix == "s3://bucket/new/model.ckpt"
    load_checkpoint(model, "s3://bucket/new")
    with pytest.raises(FileNotFoundError, match="no.ckpt.index: there is no such"):
        load_checkpoint(model, f"{s3_address}/no.ckpt")
