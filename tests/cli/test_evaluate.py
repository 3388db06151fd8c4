"""The evaluation program on small real videos and records of them."""

import csv
import json
import os
import re
import signal

import built_models
import numpy as np
import programs
import pytest
import recipe as weights
import tensorflow as tf
from videos import write_video

from kinetics_i3d_tf2 import InceptionI3d, read_video, save_checkpoint
from kinetics_i3d_tf2.data import clip_reader, labels
from kinetics_i3d_tf2.data.clip_recipe import ClipRecipe
from kinetics_i3d_tf2.data.clips import Clip
from kinetics_i3d_tf2.data.records import shards, tfrecord
from kinetics_i3d_tf2.data.records.image_coding import Coding
from kinetics_i3d_tf2.models.two_stream import TwoStream
from kinetics_i3d_tf2.utils.file_system import exclusive
from kinetics_i3d_tf2.video import optical_flow, transforms

DATASET_NAMES = ("jump", "run", "wave")
NAMES = ("wave", "jump", "run")  # in the checkpoints' own order
SIDE, CROP = 200, 193
SIZES = (f"--short_side={SIDE}", f"--crop_size={CROP}")


@pytest.fixture(scope="module")
def run():
    """Runs the program; returns its exit status, output and standard error."""
    with programs.running("evaluate") as send:
        yield send


@pytest.fixture(scope="module")
def networks():
    return {
        name: built_models.narrow_i3d(3, channels, seed)
        for seed, (name, channels) in enumerate({"rgb": 3, "flow": 2}.items())
    }


@pytest.fixture(scope="module")
def checkpoints(networks, tmp_path_factory):
    """Flags that name the checkpoints, by stream."""
    folder = tmp_path_factory.mktemp("checkpoints")
    scopes = {"rgb": "RGB", "flow": "Flow"}
    for name, network in networks.items():
        prefix = folder / name / "model.ckpt"
        save_checkpoint(network, prefix, scope=scopes[name])
        labels.write_label_map(folder / name / "label_map.txt", NAMES)
    return {name: f"--{name}_checkpoint={folder / name}" for name in networks}


def frames_of(number, count=10):
    """Sine waves, other ones for each number."""
    clip = weights.clip(count, 3, size=64, seed=number)[0, :, :48]
    return ((clip + 1) * 127.5).clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    """Two videos of each class, in val; losslessly coded."""
    folder = tmp_path_factory.mktemp("videos")
    for number in range(6):
        path = folder / "val" / DATASET_NAMES[number // 2] / f"{number}.mkv"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_video(path, frames_of(number), codec="ffv1", pixel_format="bgr0")
    return folder


@pytest.fixture(scope="module")
def records(videos, tmp_path_factory):
    """The same, with flow, in another order; classes in an order of their own too."""
    folder = tmp_path_factory.mktemp("records")
    names = DATASET_NAMES[::-1]
    labels.write_label_map(folder / "label_map.txt", names)
    settings = shards.Settings(short_side=48, coding=Coding("png"))
    path = folder / "folder_val_25fps_rgb_flow-00000-of-00001"
    with tf.io.TFRecordWriter(str(path)) as writer:
        for video in sorted(videos.rglob("*.mkv"), reverse=True):
            label = video.parent.name
            clip = Clip(str(video), label, names.index(label), split="val")
            writer.write(shards.encode_clip(clip, settings)[0])
    return folder


def rows_of(folder, key="path"):
    with open(folder / "predictions.csv", newline="") as file:
        return {row[key]: row for row in csv.DictReader(file)}


def of_folder(videos):
    return ("--dataset=folder", f"--videos={videos}", "--eval_type=rgb")


def plain_logits(network, path, flip=False):
    frames = transforms.resize_short_side(read_video(path), SIDE)
    clip = transforms.normalize_rgb(transforms.center_crop(frames, CROP))
    clips = [clip, transforms.flip(clip)] if flip else [clip]
    return np.mean(network(np.stack(clips)), axis=0)


def assert_error(error, message):
    """The last line is the error, and fits."""
    line = error.strip().splitlines()[-1]
    assert re.search(f"^i3d evaluate: error: .*{message}", line), error


@pytest.fixture(scope="module")
def whole_run(run, videos, checkpoints, tmp_path_factory):
    """The folder, the figures and the output of one run."""
    out = tmp_path_factory.mktemp("runs") / "deep" / "out"
    figures = out.parent.parent / "figures.json"
    flags = (*of_folder(videos), checkpoints["rgb"], *SIZES)
    status, printed, error = run(*flags, f"--out={out}", f"--json={figures}")
    assert status == 0, error
    return out, json.loads(figures.read_text()), printed


def test_a_finished_run_needs_no_tensorflow(whole_run, videos, checkpoints, python):
    """It answers at once."""
    out, _, printed = whole_run
    code = (
        "import atexit, sys\n"
        "from kinetics_i3d_tf2.cli import main\n"
        "atexit.register(lambda: print({'keras', 'tensorflow'} & {*sys.modules}))\n"
        "main.main(['evaluate', *sys.argv[1:]])"
    )
    flags = (*of_folder(videos), checkpoints["rgb"], *SIZES, f"--out={out}")
    done = python("-c", code, *flags)
    assert (done.returncode, done.stdout) == (0, f"{printed}set()\n"), done.stderr


def test_predictions_are_those_of_the_model(whole_run, networks):
    rows = rows_of(whole_run[0])
    assert len(rows) == 6
    for path, row in rows.items():
        logits = plain_logits(networks["rgb"], path)
        probabilities = np.exp(logits) / np.exp(logits).sum()
        order = np.argsort(-logits)
        label = os.path.basename(os.path.dirname(path))
        assert row["label"] == label
        assert row["rgb_class"] == row["top_1"] == NAMES[order[0]]
        assert row["top_3"] == NAMES[order[2]]
        assert row["top_4"] == row["error"] == ""
        assert int(row["rgb_rank"]) == order.tolist().index(NAMES.index(label)) + 1
        best = float(row["rgb_probability"])
        assert best == pytest.approx(probabilities.max(), rel=1e-4)


def test_figures_are_counted_from_the_predictions(whole_run):
    out, figures, printed = whole_run
    rows = rows_of(out).values()
    right = [row["label"] == row["rgb_class"] for row in rows]
    top_1 = sum(right) / 6
    assert figures["clips"] == 6 and figures["unread"] == 0
    assert figures["figures"]["rgb"]["top_1"] == pytest.approx(top_1)
    assert figures["figures"]["rgb"]["top_5"] == 1
    assert f"rgb {100 * top_1:12.2f}  100.00" in printed
    assert f"6 clips; 0 could not be read; see {out}" in printed
    with open(out / "confusion.csv", newline="") as file:
        header, *lines = csv.reader(file)
    assert header == ["true \\ predicted", *NAMES]
    counts = {name: dict(zip(NAMES, map(int, n), strict=True)) for name, *n in lines}
    for row in rows:
        counts[row["label"]][row["rgb_class"]] -= 1
    assert not any(any(line.values()) for line in counts.values())
    with open(out / "per_class.csv", newline="") as file:
        per_class = {row["class"]: row for row in csv.DictReader(file)}
    assert list(per_class) == list(NAMES)
    for name in NAMES:
        here = [r for r, row in zip(right, rows, strict=True) if row["label"] == name]
        assert per_class[name]["clips"] == "2"
        assert float(per_class[name]["rgb_top_1"]) == sum(here) / 2
        assert figures["per_class"][name] == {"clips": 2, "rgb": sum(here) / 2}


def test_the_picture(whole_run):
    pytest.importorskip("matplotlib", reason="the extra plot is not installed")
    picture = (whole_run[0] / "confusion.png").read_bytes()
    assert picture.startswith(b"\x89PNG")


def test_flip(run, videos, checkpoints, networks, tmp_path):
    flags = (*of_folder(videos), checkpoints["rgb"], *SIZES, "--flip")
    status, _, error = run(*flags, f"--out={tmp_path / 'out'}")
    assert status == 0, error
    for path, row in rows_of(tmp_path / "out").items():
        logits = plain_logits(networks["rgb"], path, flip=True)
        probability = (np.exp(logits) / np.exp(logits).sum()).max()
        assert float(row["rgb_probability"]) == pytest.approx(probability, rel=1e-4)


def test_videos_and_records_agree(run, records, checkpoints, tmp_path, whole_run):
    """Records of the videos' own pixels, in another order of clips and classes."""
    flags = (f"--records={records}", "--eval_type=rgb", checkpoints["rgb"], *SIZES)
    status, _, error = run(*flags, f"--out={tmp_path / 'out'}")
    assert status == 0, error
    of_videos, of_records = rows_of(whole_run[0], "id"), rows_of(tmp_path / "out", "id")
    assert of_videos.keys() == of_records.keys()
    assert [*of_videos] == [*of_records][::-1]
    for name, row in of_videos.items():
        drop = ("number", "path", "fingerprint")
        other = {k: v for k, v in of_records[name].items() if k not in drop}
        assert {k: v for k, v in row.items() if k not in drop} == other
    confusion = [f / "confusion.csv" for f in (whole_run[0], tmp_path / "out")]
    assert confusion[0].read_text() == confusion[1].read_text()


PROTOCOLS = {
    "whole": SIZES,
    "views": ("--views=2x3", "--num_frames=9", "--batch_size=2", *SIZES),
    "convolutional": SIZES[:1],
}


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_joint(run, records, checkpoints, tmp_path, protocol):
    flags = (f"--records={records}", f"--protocol={protocol}", *PROTOCOLS[protocol])
    status, printed, error = run(*flags, *checkpoints.values(), f"--out={tmp_path}")
    assert status == 0, error
    rows = rows_of(tmp_path, "id")
    assert len(rows) == 6
    for row in rows.values():
        assert row["top_1"] == row["joint_class"]
        assert row["rgb_rank"] and row["flow_rank"] and row["joint_rank"]
    assert [line.split()[0] for line in printed.splitlines()[1:4]] == [
        "rgb", "flow", "joint"
    ]  # fmt: skip
    settings = json.loads((tmp_path / "settings.json").read_text())["settings"]
    assert settings["crop_size"] == (SIDE if protocol == "convolutional" else CROP)
    assert settings.get("views") == ("2x3" if protocol == "views" else None)


@pytest.fixture(scope="module")
def two_stream(tmp_path_factory):
    """A model of one frame and four of flow, and its folder."""
    folder = tmp_path_factory.mktemp("two_stream")
    model = weights.assign(TwoStream(3, snippet=4, width=1 / 16))
    save_checkpoint(model, folder / "model.ckpt")
    labels.write_label_map(folder / "label_map.txt", NAMES)
    return model, folder


SAMPLING = ("--num_frames=4", "--rgb_stride=4")


def test_windows_of_another_architecture(run, records, two_stream, tmp_path):
    """The mean of the predictions of windows, with a row for each stream."""
    model, folder = two_stream
    flags = (f"--records={records}", "--model=two_stream", *SAMPLING)
    status, printed, error = run(
        *flags, f"--joint_checkpoint={folder}", f"--out={tmp_path}"
    )
    assert status == 0, error
    assert [line.split()[0] for line in printed.splitlines()[1:4]] == [
        "rgb", "flow", "joint"
    ]  # fmt: skip
    record = tfrecord.find_records([*records.glob("folder_val*")])[0]
    recipe = ClipRecipe("joint", num_frames=4, rgb_stride=4, windowed=True)
    clip, _ = clip_reader.whole_clip(record, recipe)
    predictions = []
    for first in (0, 5):  # Of 10 frames there are 9 of flow.
        frames = transforms.center_crop(clip["rgb"][first : first + 1])
        motion = transforms.center_crop(clip["flow"][first : first + 4])
        views = {"rgb": frames[None] / 127.5 - 1, "flow": motion[None] / 127.5 - 1}
        views = {name: view.astype("float32") for name, view in views.items()}
        predictions.append(tf.nn.softmax(model(views))[0])
    row = rows_of(tmp_path, "number")["0"]
    expected = np.mean(predictions, axis=0)
    assert row["joint_class"] == NAMES[expected.argmax()]
    probability = float(row["joint_probability"])
    assert probability == pytest.approx(expected.max(), rel=1e-3)


def test_a_model_of_images_alone(run, videos, tmp_path):
    model = weights.assign(TwoStream(3, stream="rgb", width=1 / 16))
    save_checkpoint(model, tmp_path / "model.ckpt")
    labels.write_label_map(tmp_path / "label_map.txt", NAMES)
    flags = (*of_folder(videos), "--model=two_stream", f"--rgb_checkpoint={tmp_path}")
    status, printed, error = run(*flags, f"--out={tmp_path / 'out'}")
    assert status == 0, error
    assert [line.split()[0] for line in printed.splitlines()[1:2]] == ["rgb"]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--model=c3d"], "c3d has no released weights; .* --rgb_checkpoint"),
        (
            ["--model=c3d", "--eval_type=joint", "--joint_checkpoint=a"],
            "--eval_type=joint is not for --model=c3d, which is of: rgb",
        ),
        (["--model=fused", "--rgb_checkpoint=a"], "takes --joint_checkpoint and no"),
        (
            ["--model=fused", "--joint_checkpoint={}"],
            "is a checkpoint of two_stream, not of fused",
        ),
        (
            ["--model=two_stream", "--joint_checkpoint={}", "--crop_size=200"],
            "--crop_size is for --model=i3d",
        ),
        (["--rgb_stride=2"], "--rgb_stride is not for --model=i3d"),
        (["--num_frames=12"], "--num_frames is for --protocol=views"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else "",
)
def test_bad_flags_of_architectures(run, records, two_stream, tmp_path, flags, message):
    flags = [flag.format(two_stream[1]) for flag in flags]
    status, _, error = run(f"--records={records}", *flags, f"--out={tmp_path / 'out'}")
    assert status == 2
    assert_error(error, message)


def test_a_stream_of_a_joint_run_is_that_of_its_own_run(
    run, records, checkpoints, tmp_path
):
    common = (f"--records={records}", *SIZES, checkpoints["flow"])
    for kind, extra in {"flow": (), "joint": (checkpoints["rgb"],)}.items():
        flags = (*common, *extra, f"--eval_type={kind}", f"--out={tmp_path / kind}")
        assert run(*flags)[0] == 0
    joint = rows_of(tmp_path / "joint", "number")
    for number, row in rows_of(tmp_path / "flow", "number").items():
        for column in ("flow_class", "flow_probability", "flow_rank"):
            assert row[column] == joint[number][column]


def test_flow_of_videos(run, videos, checkpoints, networks, tmp_path):
    """Flow is computed after the resize; joint logits are the sum of both streams'."""
    path = tmp_path / "videos" / "val" / "wave" / "a.mkv"
    path.parent.mkdir(parents=True)
    still = np.repeat(frames_of(0, 1), 9, axis=0)  # TV-L1 soon has it.
    still[4:] = np.roll(still[4:], 1, axis=2)
    write_video(path, still, codec="ffv1", pixel_format="bgr0")
    flags = ("--dataset=folder", f"--videos={tmp_path / 'videos'}", *SIZES)
    out = tmp_path / "out"
    status, printed, error = run(*flags, *checkpoints.values(), f"--out={out}")
    assert status == 0, error
    frames = transforms.resize_short_side(read_video(path), SIDE)
    motion = transforms.loop(
        optical_flow.normalize_flow(optical_flow.optical_flow(frames)), 9
    )
    clip = transforms.center_crop(motion, CROP)
    logits = plain_logits(networks["rgb"], path) + networks["flow"](clip[None])[0]
    probability = (np.exp(logits) / np.exp(logits).sum()).max()
    (row,) = rows_of(out).values()
    assert float(row["joint_probability"]) == pytest.approx(probability, rel=1e-4)


def test_going_on_after_sigkill(run, videos, checkpoints, tmp_path, whole_run):
    out = tmp_path / "out"
    flags = (*of_folder(videos), checkpoints["rgb"], *SIZES, f"--out={out}")
    predictions = out / "predictions.csv"

    def count():
        lines = predictions.read_bytes().count(b"\n") if predictions.exists() else 0
        return max(0, lines - 1)

    programs.stop_halfway(signal.SIGKILL, out, count, 6, "evaluate", *flags, least=2)
    done = count()
    with open(predictions, "ab") as file:
        file.write(b"5,half a ro")
    before = predictions.read_bytes()[:-11]
    status, _, error = run(*flags)
    assert status == 0, error
    assert f"{done}/6" in error
    assert predictions.read_bytes().startswith(before)
    for path in whole_run[0].glob("[!.]*"):
        if path.name != "settings.json":  # It names the folders.
            assert (out / path.name).read_bytes() == path.read_bytes(), path


def test_a_finished_run_is_only_counted_again(run, videos, checkpoints, whole_run):
    flags = (*of_folder(videos), checkpoints["rgb"], *SIZES, f"--out={whole_run[0]}")
    (whole_run[0] / "confusion.csv").unlink()
    status, printed, error = run(*flags)
    assert (status, printed) == (0, whole_run[2])
    assert "All 6 clips were done before" in error
    assert (whole_run[0] / "confusion.csv").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["--flip"], r"settings.json: .* begun with flip False, now True. .*--out"),
        (["--protocol=views"], "begun with protocol whole, now views"),
        (["--crop_size=195"], "begun with crop_size 193, now 195"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_other_settings_are_refused(
    run, videos, checkpoints, whole_run, changes, message
):
    flags = (*of_folder(videos), checkpoints["rgb"], *SIZES, f"--out={whole_run[0]}")
    status, printed, error = run(*programs.overridden(flags, changes))
    assert (status, printed) == (2, "")
    assert_error(error, message)


def test_another_checkpoint_and_dataset_are_refused(
    run, videos, checkpoints, networks, whole_run, tmp_path
):
    other = weights.assign(InceptionI3d(3, width=1 / 16), seed=9)
    save_checkpoint(other, tmp_path / "model.ckpt")
    labels.write_label_map(tmp_path / "label_map.txt", NAMES)
    out = f"--out={whole_run[0]}"
    flags = (*of_folder(videos), *SIZES, out, f"--rgb_checkpoint={tmp_path}")
    assert_error(run(*flags)[2], "begun with rgb_checkpoint [0-9a-f]{16}, now")
    path = tmp_path / "videos" / "val" / "jump" / "a.mkv"
    path.parent.mkdir(parents=True)
    path.touch()
    flags = (*of_folder(tmp_path / "videos"), *SIZES, out, checkpoints["rgb"])
    assert_error(run(*flags)[2], "begun with clips 6, now 1")


def test_a_run_beside_another_is_refused(run, videos, checkpoints, whole_run):
    flags = (*of_folder(videos), checkpoints["rgb"], *SIZES, f"--out={whole_run[0]}")
    with exclusive(whole_run[0] / ".lock"):
        assert_error(run(*flags)[2], "out: another run is writing there")


def test_clips_that_cannot_be_read(run, videos, checkpoints, tmp_path, whole_run):
    folder = tmp_path / "videos" / "val"
    for video in videos.rglob("*.mkv"):
        target = folder / video.parent.name / video.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(video)
    bad = folder / "run" / "2.mkv"
    bad.unlink()
    bad.write_text("no video")
    out = tmp_path / "out"
    flags = (*of_folder(tmp_path / "videos"), checkpoints["rgb"], *SIZES)
    flags += (f"--out={out}", f"--json={tmp_path / 'figures.json'}")
    status, printed, error = run(*flags)
    assert status == 2
    assert_error(error, r"1 of 6 clips cannot be read, more than max_damaged=0\.1; ")
    assert_error(error, r"2\.mkv: .* Once that is fixed, --retry_failed tries again")
    assert_error(run(*flags)[2], "1 of 6 clips cannot be read")
    status, printed, error = run(*flags, "--max_damaged=0.2")
    assert status == 0, error
    assert "5 clips; 1 could not be read (--retry_failed tries them again)" in printed
    row = rows_of(out)[str(bad)]
    assert row["label"] == "run" and row["error"] and not row["rgb_class"]
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert (figures["clips"], figures["unread"]) == (5, 1)
    assert figures["per_class"]["run"]["clips"] == 1
    bad.unlink()
    bad.symlink_to(videos / "val" / "run" / "2.mkv")
    status, printed, error = run(*flags, "--retry_failed")
    assert status == 0, error
    assert "6 clips; 0 could not be read; " in printed
    before, now = rows_of(whole_run[0], "number"), rows_of(out, "number")
    for row in [*before.values(), *now.values()]:
        del row["path"]
    assert list(now) == list(before) and now == before


def test_clips_without_a_label(run, videos, checkpoints, tmp_path):
    lines = [f"{video},,val" for video in videos.rglob("*.mkv")]
    (tmp_path / "list.csv").write_text("\n".join(["path,label,split", *lines]))
    out = tmp_path / "out"
    flags = ("--dataset=csv", f"--annotations={tmp_path / 'list.csv'}", *SIZES)
    flags += ("--eval_type=rgb", checkpoints["rgb"], f"--out={out}")
    status, printed, error = run(*flags, f"--json={tmp_path / 'figures.json'}")
    assert status == 0, error
    assert printed.startswith("0 clips, 6 without a label; 0 could not be read; see ")
    assert "None of the 6 clips has a label" in error
    assert "i3d classify VIDEOS --out=labels.csv" in error
    assert not (out / "confusion.csv").exists()
    for row in rows_of(out).values():
        assert row["label"] == row["rgb_rank"] == ""
        assert row["rgb_class"] in NAMES
    assert json.loads((tmp_path / "figures.json").read_text())["figures"] == {}


def test_other_classes_leave_no_run_behind(run, videos, checkpoints, tmp_path):
    path = tmp_path / "videos" / "val" / "ski" / "a.mkv"
    path.parent.mkdir(parents=True)
    path.symlink_to(videos / "val" / "jump" / "0.mkv")
    flags = (*of_folder(tmp_path / "videos"), checkpoints["rgb"], *SIZES)
    status, _, error = run(*flags, f"--out={tmp_path / 'out'}")
    assert status == 2
    assert_error(error, "1 of the dataset's 1 classes are not among the 3 of .*'ski'")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--split=test"], "There is no split 'test' in the dataset, only: val"),
        (["--views=3x3"], "--views is for --protocol=views"),
        (["--protocol=views", "--views=3"], "--views=3: type temporal clips x spatial"),
        (
            ["--flow_checkpoint=a"],
            "--eval_type=rgb of i3d takes --rgb_checkpoint and no",
        ),
        (["--crop_size=256"], r"at most short_side \(200\). Received: 256"),
        (["--crop_size=100"], "flag --crop_size=100: 100 is not integer >= 193"),
        (["--json=nowhere/a.json"], "--json=nowhere/a.json: there is no such folder"),
        (["--out=http://host/a"], "http://host/a: files at http:// can only be read"),
        (["--rgb_checkpoint=nowhere"], "nowhere: there is no such file, checkpoint"),
        (["stray"], "Unknown argument 'stray'"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else "",
)
def test_bad_flags(run, videos, checkpoints, tmp_path, flags, message):
    out = f"--out={tmp_path / 'out'}"
    common = (*of_folder(videos), checkpoints["rgb"], *SIZES, out)
    status, printed, error = run(*programs.overridden(common, flags))
    assert (status, printed) == (2, "")
    assert_error(error, message)
    assert not (tmp_path / "out").exists()


def test_a_split_must_be_named_where_none_is_for_testing(run, checkpoints, tmp_path):
    path = tmp_path / "jump" / "a.mkv"
    path.parent.mkdir()
    path.touch()
    error = run(*of_folder(tmp_path), checkpoints["rgb"], f"--out={tmp_path}/o")[2]
    assert_error(error, "name the split to evaluate on with --split; there are: train")


def test_no_videos_at_all(run, checkpoints, tmp_path):
    (tmp_path / "val" / "jump").mkdir(parents=True)
    status, _, error = run(
        *of_folder(tmp_path), checkpoints["rgb"], f"--out={tmp_path / 'out'}"
    )
    assert status == 2
    assert_error(error, str(tmp_path))


def test_records_without_flow(run, videos, checkpoints, tmp_path):
    labels.write_label_map(tmp_path / "label_map.txt", DATASET_NAMES)
    settings = shards.Settings(False, 48, Coding("png"))
    clip = Clip(str(next(videos.rglob("*.mkv"))), "jump", 0)
    path = tmp_path / "folder_val_25fps_rgb-00000-of-00001"
    with tf.io.TFRecordWriter(str(path)) as writer:
        writer.write(shards.encode_clip(clip, settings)[0])
    out = f"--out={tmp_path / 'out'}"
    error = run(f"--records={tmp_path}", *checkpoints.values(), out)[2]
    assert_error(error, "'._0' has no optical flow; prepare it with flow, or use the")
    assert not (tmp_path / "out").exists()
