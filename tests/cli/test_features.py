"""Features of real videos: against the model's own endpoints, and the program."""

import csv
import json
import os
import signal

import built_models
import numpy as np
import programs
import pytest
import recipe as weights
import tensorflow as tf
from keras import ops
from record_files import write_records
from videos import write_video

from kinetics_i3d_tf2 import (
    InceptionI3d,
    Windows,
    center_crop,
    extract_features,
    find_records,
    normalize_flow,
    normalize_rgb,
    optical_flow,
    read_video,
    resize_short_side,
    save_checkpoint,
)
from kinetics_i3d_tf2.data import clip_reader, labels
from kinetics_i3d_tf2.data.clip_recipe import ClipRecipe
from kinetics_i3d_tf2.data.clips import Clip
from kinetics_i3d_tf2.data.frame_reader import FrameReader
from kinetics_i3d_tf2.data.records import shards
from kinetics_i3d_tf2.data.records.image_coding import Coding
from kinetics_i3d_tf2.features import window_features
from kinetics_i3d_tf2.features.extractor import make_extractor
from kinetics_i3d_tf2.inference import videos

FRAMES = 21


def frames_of(number, count=FRAMES, size=64):
    """Sine waves, other ones for each number."""
    clip = weights.clip(count, 3, size=size, seed=number)[0, :, : size * 3 // 4]
    return ((clip + 1) * 127.5).clip(0, 255).astype(np.uint8)


def write(path, frames, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    write_video(path, frames, codec="ffv1", pixel_format="bgr0", **options)


@pytest.fixture(scope="module")
def models():
    return {
        stream: built_models.narrow_i3d(7, channels)
        for stream, channels in (("rgb", 3), ("flow", 2))
    }


@pytest.fixture(scope="module")
def checkpoints(models, tmp_path_factory):
    """Flags that name the checkpoints."""
    folder = tmp_path_factory.mktemp("checkpoints")
    for stream, model in models.items():
        save_checkpoint(model, folder / stream / "model.ckpt")
    return [f"--{stream}_checkpoint={folder / stream}" for stream in models]


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    path = tmp_path_factory.mktemp("video") / "waves.mkv"
    write(path, frames_of(0))
    return path


@pytest.fixture(scope="module")
def clips(video):
    """All that the models see of the video, by stream."""
    frames = resize_short_side(read_video(video))
    return {
        "rgb": normalize_rgb(center_crop(frames)),
        "flow": normalize_flow(center_crop(optical_flow(frames))),
    }


@pytest.fixture(scope="module")
def run():
    """Runs the program; returns its exit status, output and standard error."""
    with programs.running("features") as send:
        yield send


def endpoint_of(model, clip, endpoint="Mixed_5c"):
    return np.asarray(model.endpoint_model([endpoint])(clip[None])[endpoint])[0]


def assert_close(actual, expected):
    """Within 1e-5 of the largest value."""
    np.testing.assert_allclose(actual, expected, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize(
    ("endpoint", "pool", "axes"),
    [
        ("Mixed_5c", "both", (0, 1, 2)),
        ("Mixed_3b", "space", (1, 2)),
        ("Mixed_3b", "time", 0),
        ("Mixed_3b", "none", ()),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_features_are_the_endpoint_of_their_window(
    models, video, clips, endpoint, pool, axes
):
    found = extract_features(
        video,
        models["rgb"],
        windows=Windows(9, 4),
        endpoint=endpoint,
        pool=pool,
        batch_size=3,
    )
    assert found.values.dtype == np.float32
    # The last begins where its frames fill no window.
    np.testing.assert_allclose(
        found.times, np.array([[0, 9], [4, 13], [8, 17], [12, 21]]) / 25
    )
    for (start, end), values in zip(found.times, found.values, strict=True):
        window = clips["rgb"][round(start * 25) : round(end * 25)]
        assert_close(values, endpoint_of(models["rgb"], window, endpoint).mean(axes))


def test_both_streams_see_the_same_frames(models, video, clips):
    found = extract_features(video, models, windows=Windows(10))
    np.testing.assert_allclose(found.times, [[0, 0.4], [0.4, 0.8]])
    width = models["rgb"].get_layer("Mixed_5c").output.shape[-1]
    for number, values in enumerate(found.values):
        assert values.shape == (2 * width,)
        span = slice(10 * number, 10 * number + 10)
        for stream, part in (("rgb", values[:width]), ("flow", values[width:])):
            expected = endpoint_of(models[stream], clips[stream][span])
            assert_close(part, expected.mean((0, 1, 2)))


@pytest.mark.parametrize("endpoint", ["Logits", "Predictions"])
def test_logits_of_a_whole_short_video(models, endpoint):
    model = models["rgb"]
    frames = frames_of(1, 4)
    found = extract_features(
        frames, model, windows=Windows(0, least=9), endpoint=endpoint
    )
    clip = normalize_rgb(center_crop(resize_short_side(frames)))
    looped = clip[[0, 1, 2, 3, 0, 1, 2, 3, 0]][None]
    expected = model(looped)
    if endpoint == "Predictions":
        expected = ops.softmax(expected)
    assert found.values.shape == (1, 7)
    assert_close(found.values, np.asarray(expected))
    np.testing.assert_allclose(found.times, [[0, 4 / 25]])


@pytest.mark.parametrize("endpoint", ["Logits", "Predictions"])
def test_logits_at_each_place_are_those_of_the_dense_model(models, endpoint):
    frames, config = frames_of(1, 33), models["rgb"].get_config()
    clip = normalize_rgb(center_crop(resize_short_side(frames)))[None]
    changes = {"temporal": "dense", "final_endpoint": endpoint}
    dense = InceptionI3d.from_config(config | changes | {"activation": "sigmoid"})
    dense.set_weights(models["rgb"].get_weights())
    options = {"windows": Windows(0, least=9), "endpoint": endpoint}
    found = extract_features(frames, dense, pool="space", **options)
    expected = np.asarray(dense(clip))
    assert found.values.shape == (1, 4, 7)
    np.testing.assert_allclose(found.values, expected, atol=1e-4)
    if endpoint == "Logits":
        mean = extract_features(frames, dense, **options).values
        np.testing.assert_allclose(mean, found.values.mean(1), atol=1e-5)
        np.testing.assert_allclose(mean, models["rgb"](clip), atol=1e-4)


def test_another_rate(models, video):
    found = extract_features(video, models["rgb"], windows=Windows(8), fps=12.5)
    np.testing.assert_allclose(found.times, [[0, 0.64], [0.64, 0.88]])
    same = extract_features(video, models["rgb"], windows=Windows(8), fps=25)
    assert not np.allclose(found.values[0], same.values[0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"endpoint": "Mixed_6a"}, "endpoint is one of Conv3d_1a_7x7"),
        ({"pool": "all"}, "pool one of both, space, time, none"),
        ({"endpoint": "Logits", "windows": Windows(8)}, "at least 9 frames"),
        ({"endpoint": "Logits", "windows": Windows(0)}, "at least 9 frames"),
        ({"windows": Windows(64, tail="drop")}, "has fewer frames than the 64 of a"),
    ],
    ids=lambda value: "" if isinstance(value, str) else "-".join(value),
)
def test_wrong_arguments(models, video, arguments, message):
    with pytest.raises(ValueError, match=message):
        extract_features(video, models["rgb"], **arguments)


def test_wrong_streams():
    with pytest.raises(ValueError, match="by stream, rgb, flow or both. Received: rbg"):
        make_extractor({"rbg": None})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Ten videos, three of them bad."""
    folder = tmp_path_factory.mktemp("videos")
    for number in range(10):
        path = folder / ("train", "val")[number % 2] / f"{number}.mkv"
        write(path, frames_of(number, 12 + 3 * number))
    (folder / "val/1.mkv").write_bytes(b"")
    (folder / "train/4.mkv").write_bytes(b"not a video" * 100)
    whole = (folder / "val/9.mkv").read_bytes()
    (folder / "val/9.mkv").write_bytes(whole[: len(whole) // 2])
    return folder


BAD = {"val/1", "train/4", "val/9"}


def index_of(folder):
    with open(folder / "index.csv", newline="") as file:
        return {row["name"]: row for row in csv.DictReader(file)}


def features_in(folder):
    return {
        str(path.relative_to(folder))[:-4]: dict(np.load(path))
        for path in folder.rglob("*.npz")
    }


@pytest.fixture(scope="module")
def whole_run(run, folder, checkpoints, tmp_path_factory):
    """Folder and output of a run that nothing interrupted."""
    out = tmp_path_factory.mktemp("features")
    status, printed, error = run(
        folder, "--eval_type=rgb", checkpoints[0], "--window=9", f"--out={out}"
    )
    assert status == 0, error
    return out, printed, error


def test_bad_videos_are_listed_and_the_others_done(whole_run, folder, models):
    out, printed, error = whole_run
    assert printed == (
        f"7 of 10 videos are done; 3 could not be read; see {out}/index.csv\n"
    )
    rows = index_of(out)
    assert len(rows) == 10
    assert {name for name, row in rows.items() if row["error"]} == BAD
    assert rows["val/1"]["error"] == "is an empty file, not a video"
    assert "truncated" in rows["val/9"]["error"]
    for name in BAD:
        assert f"{folder}/{name}.mkv: {rows[name]['error']}" in error
    found = features_in(out)
    assert set(found) == set(rows) - BAD
    for name, arrays in found.items():
        expected = extract_features(
            folder / f"{name}.mkv", models["rgb"], windows=Windows(9)
        )
        assert_close(arrays["features"], expected.values)
        np.testing.assert_allclose(arrays["times"], expected.times)
        settings = json.loads(str(arrays["settings"]))
        assert (settings["window"], settings["endpoint"]) == (9, "Mixed_5c")


def test_a_finished_run_does_nothing_but_try_the_bad_again(
    run, folder, checkpoints, whole_run
):
    out, printed, _ = whole_run
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.npz")}
    again = run(folder, "--eval_type=rgb", checkpoints[0], "--window=9", f"--out={out}")
    assert again[:2] == (0, printed)
    assert "7 of 10 videos were done before" in again[2]
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*.npz")} == before


def test_a_finished_run_needs_no_tensorflow(run, video, checkpoints, tmp_path, python):
    """It answers at once."""
    arguments = (video, "--eval_type=rgb", checkpoints[0], f"--out={tmp_path}/out")
    status, printed, error = run(*arguments)
    assert status == 0, error
    code = (
        "import atexit, sys\n"
        "from kinetics_i3d_tf2.cli import main\n"
        "atexit.register(lambda: print({'keras', 'tensorflow'} & {*sys.modules}))\n"
        "main.main(['features', *sys.argv[1:]])"
    )
    done = python("-c", code, *arguments)
    assert (done.returncode, done.stdout) == (0, f"{printed}set()\n"), done.stderr


def test_truncated_checkpoints_leave_no_folder(run, video, models, tmp_path):
    save_checkpoint(models["rgb"], tmp_path / "model.ckpt")
    (data,) = tmp_path.glob("*.data-*")
    data.write_bytes(data.read_bytes()[:-1])
    rgb = ("--eval_type=rgb", f"--rgb_checkpoint={tmp_path}")
    status, _, error = run(video, *rgb, f"--out={tmp_path}/out")
    assert status == 2 and "is truncated or corrupt: it has" in error
    assert not (tmp_path / "out").exists()


def test_other_settings_want_another_folder(run, folder, checkpoints, whole_run):
    arguments = (folder, "--eval_type=rgb", checkpoints[0], f"--out={whole_run[0]}")
    status, _, error = run(*arguments, "--window=10")
    assert status == 2
    assert "was begun with window 9, now 10" in error


def test_interrupted_and_resumed(run, folder, checkpoints, tmp_path, whole_run):
    out = tmp_path / "out"
    flags = (folder, "--eval_type=rgb", checkpoints[0], "--window=9", f"--out={out}")
    status, output = programs.stop_halfway(
        signal.SIGINT,
        out,
        lambda: len([*out.rglob("[!.]*.npz")]),
        7,
        "features",
        *flags,
        "--batch_size=1",
    )
    assert status == 130, output
    assert "the same command resumes after the videos that are done" in output
    assert "not done yet" in (out / "index.csv").read_text()
    done = len(features_in(out))
    status, printed, error = run(*flags, "--batch_size=1")
    assert status == 0, error
    assert f"{done} of 10 videos were done before" in error
    expected, found = features_in(whole_run[0]), features_in(out)
    assert set(found) == set(expected)
    for name, arrays in expected.items():
        assert_close(found[name]["features"], arrays["features"])
    hidden = [path.name for path in out.rglob(".*")]
    assert hidden == [".lock"]  # Nothing half-written is left.


def test_spans_of_a_list_are_in_seconds_of_their_video(
    run, video, checkpoints, tmp_path
):
    (tmp_path / "list.csv").write_text(f"path,label,start,end\n{video},wave,0.2,0.6\n")
    out = tmp_path / "features"
    flags = ("--format=npy", "--window=5", "--eval_type=rgb", checkpoints[0])
    status, _, error = run(tmp_path / "list.csv", *flags, f"--out={out}")
    assert status == 0, error
    times = np.load(out / "waves_0.2_0.6_times.npy")
    np.testing.assert_allclose(times, [[0.2, 0.4], [0.4, 0.6]])
    assert np.load(out / "waves_0.2_0.6.npy").shape[0] == 2
    assert index_of(out)["waves_0.2_0.6"]["label"] == "wave"


@pytest.mark.parametrize("named", ["input", "dataset"])
def test_records(run, video, checkpoints, tmp_path, models, named):
    labels.write_label_map(tmp_path / "label_map.txt", ["wave"])
    record = tmp_path / "folder_val_25fps_rgb_flow-00000-of-00001"
    settings = shards.Settings(short_side=48, coding=Coding("png"))
    with tf.io.TFRecordWriter(str(record)) as writer:
        writer.write(shards.encode_clip(Clip(str(video), "wave", 0), settings)[0])
    out = tmp_path / "features"
    where = f"--records={tmp_path}" if named == "dataset" else tmp_path
    status, _, error = run(where, *checkpoints, "--window=10", f"--out={out}")
    assert status == 0, error
    clip, _ = clip_reader.whole_clip(find_records([record])[0], ClipRecipe("joint"))
    arrays = np.load(out / "waves_0.npz")
    assert len(arrays["features"]) == 2
    half = arrays["features"].shape[1] // 2
    for stream, part in (("rgb", np.s_[:half]), ("flow", np.s_[half:])):
        window = center_crop(clip[stream][10:20]).astype(np.float32) / 127.5 - 1
        expected = endpoint_of(models[stream], window).mean((0, 1, 2))
        assert_close(arrays["features"][1, part], expected)


def test_records_without_flow(run, video, checkpoints, tmp_path):
    clip, out = Clip(str(video)), tmp_path / "out"
    write_records(tmp_path / "rgb-00000-of-00001", [clip], has_flow=False)
    status, _, error = run(tmp_path, *checkpoints, f"--out={out}")
    message = "the record 'waves_0' has no optical flow; prepare it with flow, or use"
    assert (status, message in error) == (2, True)
    assert not out.exists()
    write_records(tmp_path / "flow-00000-of-00001", [clip])
    status, printed, error = run(tmp_path, *checkpoints, f"--out={out}")
    assert status == 0, error
    assert "1 of 2 videos are done; 1 could not be read" in printed
    with open(out / "index.csv", newline="") as file:
        errors = {row["name"]: row["error"] for row in csv.DictReader(file)}
    assert sorted(map(bool, errors.values())) == [False, True]
    assert message in "".join(errors.values())


def test_both_streams_as_one_file(run, video, checkpoints, tmp_path, models):
    import h5py

    status, _, error = run(
        f"--inputs={video}", *checkpoints, "--window=10", "--format=h5",
        "--endpoint=Mixed_3b", "--pool=space", f"--out={tmp_path}",
    )  # fmt: skip
    assert status == 0, error
    expected = extract_features(
        video, models, windows=Windows(10), endpoint="Mixed_3b", pool="space"
    )
    with h5py.File(tmp_path / "features.h5") as file:
        assert_close(file["waves/features"][:], expected.values)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--inputs=absent.mp4"], "absent.mp4: there is no such file or folder"),
        ([], "name the videos: files, folders, patterns, CSVs or records"),
        (["a.mp4", "--dataset=folder"], "name videos or a --dataset, not both"),
        (["a.mp4", "--split=val"], "--split is for --dataset and --records"),
        (["a.mp4", "--window=0", "--stride=4"], "--window=0 is the whole video"),
        (["a.mp4", "--endpoint=Logits", "--window=8"], "takes at least 9 frames"),
        (["a.mp4", "--flow_epsilon=0.1"], "--flow_epsilon is for optical flow"),
        (["a.mp4", "--model=c3d"], "features are of i3d"),
        (["a.mp4", "--out=http://b/c"], "files at http:// can only be read"),
        (["a.mp4", "--out="], "--out is empty; name a folder"),
    ],
    ids=lambda value: "_".join(value) if isinstance(value, list) else "",
)
def test_wrong_flags(run, checkpoints, tmp_path, flags, message):
    common = (f"--out={tmp_path}", "--eval_type=rgb", checkpoints[0])
    status, printed, error = run(*programs.overridden(common, flags))
    assert (status, printed) == (2, "")
    assert message in error
    assert error.count("\n") == 1


def test_nothing_can_be_read(run, checkpoints, tmp_path):
    (tmp_path / "bad.mp4").write_bytes(b"no video")
    out = tmp_path / "features"
    flags = ("--eval_type=rgb", checkpoints[0], f"--out={out}")
    status, printed, error = run(tmp_path / "bad.mp4", *flags)
    assert status == 2
    assert "no video could be read; the first: is not a video" in error


def test_what_changed_is_done_again(run, checkpoints, tmp_path, models):
    """The same name, another video: the features are of today's."""
    videos, out = tmp_path / "videos", tmp_path / "out"
    for number in range(3):
        write(videos / f"{number}.mkv", frames_of(number, 12))
    flags = (videos, "--eval_type=rgb", checkpoints[0], "--window=9", f"--out={out}")
    assert run(*flags)[0] == 0
    before = features_in(out)
    write(videos / "1.mkv", frames_of(7, 12))
    (videos / "2.mkv").write_bytes(b"no video")
    status, printed, error = run(*flags)
    assert status == 0, error
    assert "1 of 3 videos were done before" in error
    assert "2 videos have changed since and are done again: " in error
    assert printed.startswith("2 of 3 videos are done; 1 could not be read")
    found = features_in(out)
    assert set(found) == {"0", "1"}  # Nothing is left of what cannot be read now.
    np.testing.assert_array_equal(found["0"]["features"], before["0"]["features"])
    expected = extract_features(videos / "1.mkv", models["rgb"], windows=Windows(9))
    assert_close(found["1"]["features"], expected.values)
    assert "video" in index_of(out)["2"]["error"]


def test_names_stay_whatever_is_added(run, checkpoints, tmp_path):
    videos, out = tmp_path / "videos", tmp_path / "out"
    write(videos / "c.mkv", frames_of(0, 12))
    flags = ("--eval_type=rgb", checkpoints[0], "--window=9", f"--out={out}")
    assert run(videos, *flags)[0] == 0
    before = (out / "c.npz").stat().st_mtime_ns
    write(videos / "c.avi", frames_of(1, 12))
    write(tmp_path / "others/c.mkv", frames_of(2, 12))
    (tmp_path / "list.csv").write_text("path\nvideos/c.mkv\nothers/c.mkv\n")
    for names in ([videos], [videos, tmp_path / "others"], [tmp_path / "list.csv"]):
        status, _, error = run(*names, *flags)
        assert status == 0, error
        assert (out / "c.npz").stat().st_mtime_ns == before
    rows = index_of(out)
    assert rows["c"]["path"] == f"{videos}/c.mkv"
    assert sorted(row["path"] for row in rows.values()) == sorted(
        [f"{videos}/c.mkv", f"{videos}/c.avi", f"{tmp_path}/others/c.mkv"]
    )
    files = [row["file"] for row in rows.values()]
    assert len(set(files)) == 3 == len(features_in(out))
    assert all((out / name).exists() for name in files)


def test_nothing_is_written_outside_of_the_folder(run, checkpoints, tmp_path):
    write(tmp_path / "a/b/videos/x.mkv", frames_of(0, 12))
    write(tmp_path / "a/b/videos/x_times.mkv", frames_of(1, 12))
    write(tmp_path / "secret/s.mkv", frames_of(2, 12))
    listed = tmp_path / "a/b/videos/list.csv"
    listed.write_text("path\n../../../secret/s.mkv\nx.mkv\nx_times.mkv\n")
    before = {path for path in tmp_path.rglob("*") if path.is_file()}
    out = tmp_path / "a/b/out"
    flags = ("--eval_type=rgb", checkpoints[0], "--window=9", "--format=npy")
    status, _, error = run(listed.parent, listed, *flags, f"--out={out}")
    assert status == 0, error
    written = {path for path in tmp_path.rglob("*") if path.is_file()} - before
    assert all(path.is_relative_to(out) for path in written)
    rows = index_of(out)
    assert len(rows) == 3
    for row in rows.values():  # Each has values and times of its own.
        values = np.load(out / row["file"])
        times = np.load(out / row["file"].replace(".npy", "_times.npy"))
        assert values.ndim == 2 and times.shape == (len(values), 2)


def test_features_of_an_earlier_version_are_kept(run, checkpoints, tmp_path):
    videos, out = tmp_path / "videos", tmp_path / "out"
    for number in range(2):
        write(videos / f"{number}.mkv", frames_of(number, 12))
    flags = (videos, "--eval_type=rgb", checkpoints[0], "--window=9", f"--out={out}")
    assert run(*flags)[0] == 0
    with open(out / "index.csv", newline="") as file:
        rows = [row[:-1] for row in csv.reader(file)]  # Without fingerprints.
    with open(out / "index.csv", "w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
    later = (out / "1.npz").stat().st_mtime_ns + 1000
    os.utime(videos / "1.mkv", ns=(later, later))
    assert "1 of 2 videos were done before" in run(*flags)[2]
    (out / "index.csv").unlink()  # As after kill -9.
    assert "2 of 2 videos were done before" in run(*flags)[2]


@pytest.mark.parametrize(
    ("endpoint", "pool"),
    [
        ("Mixed_5c", "both"),
        ("Mixed_5c", "time"),
        ("Mixed_4d", "space"),
        ("Conv3d_2c_3x3", "none"),
        ("Logits", "space"),
        ("Predictions", "both"),
    ],
)
def test_long_videos_have_the_features_of_the_whole(
    models, video, monkeypatch, endpoint, pool
):
    options = {"windows": Windows(0, least=9), "endpoint": endpoint, "pool": pool}
    if endpoint != "Mixed_4d":  # Flow takes long.
        models = {"rgb": models["rgb"]}
    whole = extract_features(video, models, **options)
    monkeypatch.setattr(window_features, "MAX_WHOLE", 10)
    found = extract_features(video, models, **options)
    assert found.values.shape == whole.values.shape
    np.testing.assert_allclose(found.values, whole.values, atol=1e-4)
    np.testing.assert_array_equal(found.times, whole.times)


def test_long_videos_among_others(models, video, monkeypatch, tmp_path):
    (tmp_path / "text.mp4").write_text("no video")
    short = tmp_path / "short.mkv"
    write(short, frames_of(1, count=8))
    monkeypatch.setattr(videos, "MAX_WHOLE", 10)
    paths = [video, tmp_path / "text.mp4", short, video]
    clips = [Clip(str(path)) for path in paths]
    records = write_records(tmp_path / "records", [clips[0]], short_side=256)
    found = list(
        window_features.extract_all(
            [*clips, *records],
            make_extractor({"rgb": models["rgb"]}),
            Windows(0),
            FrameReader(),
            threads=2,
        )
    )
    assert "is not a video that FFmpeg can read" in found[1]
    assert [found[n].times.tolist() for n in (0, 2, 3)] == [
        [[0.0, 0.84]], [[0.0, 0.32]], [[0.0, 0.84]],
    ]  # fmt: skip
    np.testing.assert_array_equal(found[0].values, found[3].values)
    np.testing.assert_array_equal(found[0].values, found[4].values)
