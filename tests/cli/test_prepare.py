"""Preparation of real video files by the real program, in processes of its own."""

import json
import signal
import subprocess
import sys

import filelock
import numpy as np
import programs
import pytest
import tensorflow as tf
from conftest import ROOT
from videos import brightness_frames, write_video

from kinetics_i3d_tf2.data import mediasequence, shards, tfrecord
from kinetics_i3d_tf2.data.clips import Clip
from kinetics_i3d_tf2.data.report import Report
from kinetics_i3d_tf2.video import optical_flow

pytest.importorskip("apache_beam", reason="the extra beam is not installed")

# Small images, so that TV-L1 takes milliseconds.
COMMON = ("--dataset=folder", "--short_side=36")


@pytest.fixture
def prepare():
    return lambda *flags: programs.run("prepare", *COMMON, *flags)


def make_videos(folder, count, num_frames=4):
    """Videos of two classes; brightness tells the frame."""
    for number in range(count):
        path = folder / "ab"[number % 2] / f"{number}.mkv"
        path.parent.mkdir(parents=True, exist_ok=True)
        frames = brightness_frames(num_frames, (48, 36))
        write_video(path, frames, codec="ffv1")
    return folder


def examples(folder, pattern="*_train_*"):
    records = tfrecord.find_records(sorted(folder.glob(pattern)))
    return [mediasequence.parse_example(tfrecord.read_record(r)) for r in records]


def test_a_folder_with_bad_videos(prepare, tmp_path):
    videos = make_videos(tmp_path / "videos", 6)
    (videos / "a" / "text.mp4").write_text("no video")
    (videos / "b" / "empty.mp4").touch()
    write_video(videos / "b" / "one.mkv", brightness_frames(1, (48, 36)), codec="ffv1")
    done = prepare(f"--videos={videos}", f"--out={tmp_path / 'out'}", "--num_shards=2")
    assert done.returncode == 0, done.stderr
    assert "6 clips in 2 record files in " in done.stdout
    assert "; 3 failed (--retry_failed tries them again), 0 missing" in done.stdout
    assert "Preparing: 100%" in done.stderr
    assert "clip/s" in done.stderr
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    stem = "folder_train_25fps_rgb_flow"
    assert names == [
        *(f"{stem}-00000-of-00002", f"{stem}-00001-of-00002"),
        *("label_map.txt", "report.json", "work"),
    ]
    assert (tmp_path / "out" / "label_map.txt").read_text() == "a\nb\n"
    found = examples(tmp_path / "out")
    assert sorted(e.example_id for e in found) == [f"{n}_0" for n in range(6)]
    for example in found:
        number = int(example.media_id)
        assert (example.index, example.labels) == (number % 2, ("ab"[number % 2],))
        assert (len(example.rgb), len(example.flow)) == (4, 3)
        images = mediasequence.decode_images(example.rgb)
        wanted = brightness_frames(4, (48, 36))
        np.testing.assert_allclose(images.astype(int), wanted, atol=3)
    report = json.loads((tmp_path / "out" / "report.json").read_text())["records"][stem]
    assert (report["clips"], report["written"], report["failed"]) == (9, 6, 3)
    assert report["frames"] == 24
    assert report["settings"]["coding"]["rgb_quality"] == 95
    assert {path.rsplit("/", 1)[1]: reason.split(" ")[:3] for reason, paths in
            report["failures"].items() for path in paths} == {
        "text.mp4": ["is", "not", "a"],
        "empty.mp4": ["is", "an", "empty"],
        "one.mkv": ["Optical", "flow", "needs"],
    }  # fmt: skip


def test_splits_share_a_label_map(prepare, tmp_path):
    """A split that lacks a class has the indices of the one before."""
    videos = make_videos(tmp_path / "train", 2)
    frames = brightness_frames(3, (48, 36))
    write_video(tmp_path / "9.mkv", frames, codec="ffv1", pixel_format="bgr0")
    text = "path,label,split\n9.mkv,b,val\n"
    (tmp_path / "val.csv").write_text(text)
    out = f"--out={tmp_path / 'out'}"
    assert prepare(f"--videos={videos}", out, "--flow=none").returncode == 0
    csv = ("--dataset=csv", f"--annotations={tmp_path / 'val.csv'}")
    done = prepare(*csv, out, "--flow=none", "--rgb_format=png")
    assert done.returncode == 0, done.stderr
    (example,) = examples(tmp_path / "out", "csv_val_25fps_rgb-*")
    assert (example.index, example.split, example.flow) == (1, "val", [])
    images = mediasequence.decode_images(example.rgb)
    np.testing.assert_array_equal(images, frames)
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert set(report["records"]) == {
        "folder_train_25fps_rgb",
        "csv_val_25fps_rgb",
    }
    (tmp_path / "val.csv").write_text("path,label\n9.mkv,c\n")
    done = prepare(*csv, out, "--name=other")
    assert done.returncode == 2
    assert "label_map.txt: 1 classes are not among the 2 that there " in done.stderr
    assert "Name another --out for these clips" in done.stderr


def finished(folder):
    return {
        path.name: (path.stat().st_ino, path.stat().st_mtime_ns, path.read_bytes())
        for path in folder.glob("folder_*")
    }


@pytest.mark.parametrize("kind", [signal.SIGKILL, signal.SIGINT], ids=lambda s: s.name)
def test_killed_and_started_again(prepare, tmp_path, kind):
    """Finished files are kept as they are; no clip is lost or there twice."""
    videos = make_videos(tmp_path / "videos", 24, num_frames=75)
    out = tmp_path / "out"
    flags = (f"--videos={videos}", f"--out={out}", "--num_shards=12")
    programs.stop_halfway(
        kind,
        out,
        lambda: len([*out.glob("folder_*")]),
        12,
        "prepare",
        *COMMON,
        *flags,
        least=2,
    )
    before = finished(out)
    done = prepare(*flags)
    assert done.returncode == 0, done.stderr
    after = finished(out)
    assert len(after) == 12
    for name, state in before.items():
        assert after[name] == state
    found = examples(out)
    assert sorted(int(e.media_id) for e in found) == list(range(24))
    assert not list(out.glob(".*")), "unfinished files are left"
    (report,) = json.loads((out / "report.json").read_text())["records"].values()
    assert (report["written"], report["failed"]) == (24, 0)
    # Once more: there is nothing to do.
    assert "All 12 record files are there" in prepare(*flags).stderr
    assert finished(out) == after


@pytest.fixture(scope="module")
def one_video(tmp_path_factory):
    return make_videos(tmp_path_factory.mktemp("one"), 1)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ((), "A dataset of kind folder needs its folder (--videos)"),
        (("--videos=/nowhere",), "/nowhere: there is no such folder of videos"),
        (("--videos={one}", "--workers=2"), "Unknown flag '--workers'"),
        (("--videos={one}", "false"), "Unknown argument 'false'; flags are typed"),
        (("--videos={one}", "--splits=val"), "There is no split 'val' in the dataset"),
        (
            ("--videos={one}", "--jpeg_quality=0"),
            "not an integer in the range [1, 100]",
        ),
    ],
    ids=["no-videos", "no-folder", "flag", "stray", "split", "quality"],
)
def test_wrong_flags(prepare, one_video, tmp_path, flags, message):
    flags = [flag.format(one=one_video) for flag in flags]
    done = prepare(*flags, f"--out={tmp_path}")
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_other_settings_in_the_same_folder_are_refused(prepare, one_video, tmp_path):
    flags = (f"--videos={one_video}", f"--out={tmp_path}", "--flow=none")
    assert prepare(*flags).returncode == 0
    done = prepare(*flags, "--jpeg_quality=80")
    assert done.returncode == 2
    assert "was begun with rgb_quality 95, now 80. Use the same settings" in done.stderr
    more = make_videos(tmp_path / "more", 1)
    write_video(more / "a" / "7.mkv", brightness_frames(2, (48, 36)), codec="ffv1")
    done = prepare(f"--videos={more}", *flags[1:])
    assert "was begun with clips 1, now 2. Use" in done.stderr


def test_videos_that_moved_are_the_same_clips(tmp_path):
    """Else a run that was begun with a relative path could not go on."""
    settings = shards.Settings()
    for root in ("videos", "/data/videos", "s3://bucket/videos"):
        clips = [Clip(f"{root}/{name}.mp4", "a", 0) for name in "abc"]
        report = Report(tmp_path)
        report.begin("train", shards.plan("out", "train", clips, 2), settings)
        report.write()
    clips[0] = Clip(f"{root}/d.mp4", "a", 0)
    with pytest.raises(ValueError, match="train in this folder was begun with other c"):
        report.begin("train", shards.plan("out", "train", clips, 2), settings)


def test_a_report_of_something_else(tmp_path):
    (tmp_path / "report.json").write_text("[]")
    with pytest.raises(ValueError, match=r"report\.json: is not a report"):
        Report(tmp_path)


def test_no_clip_could_be_prepared_until_it_is_mended(prepare, tmp_path):
    path = tmp_path / "videos" / "a" / "bad.mp4"
    path.parent.mkdir(parents=True)
    path.write_text("no video")
    flags = (f"--videos={tmp_path / 'videos'}", f"--out={tmp_path / 'out'}")
    done = prepare(*flags)
    assert done.returncode == 2
    assert "no clip could be prepared" in done.stderr
    assert "--retry_failed tries again" in done.stderr
    write_video(path, brightness_frames(4, (48, 36)))
    done = prepare(*flags, "--retry_failed")
    assert done.returncode == 0, done.stderr
    assert len(examples(tmp_path / "out")) == 1


def test_a_full_disk_ends_the_run_with_one_line(tmp_path):
    """A limit on file sizes stands for the disk; other threads are at work then."""
    videos = make_videos(tmp_path / "videos", 8, num_frames=30)
    command = [sys.executable, "-m", "kinetics_i3d_tf2", "prepare", *COMMON]
    command += [f"--videos={videos}", f"--out={tmp_path / 'out'}", "--rgb_format=png"]
    done = subprocess.run(
        ["bash", "-c", 'ulimit -f 8; exec "$@"', "bash", *command],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 2
    last = done.stderr.splitlines()[-1]
    assert last.endswith("the same command goes on where this one ended")
    assert "Fatal Python error" not in done.stderr
    assert not list((tmp_path / "out").glob("folder_*"))


def test_a_second_run_at_the_same_time_is_refused(prepare, one_video, tmp_path):
    (tmp_path / "work").mkdir()
    with filelock.FileLock(tmp_path / "work" / "lock"):
        done = prepare(f"--videos={one_video}", f"--out={tmp_path}")
    assert done.returncode == 2
    assert f"{tmp_path}: another run is writing there" in done.stderr


def test_a_report_is_not_made_of_nothing(tmp_path):
    """Without the lists of outcomes, a report must not say that nothing was written."""
    plan = shards.plan("out", "train", [Clip("a.mp4"), Clip("b.mp4")], 1)
    report = Report(tmp_path)
    report.begin("train", plan, shards.Settings())
    with pytest.raises(ValueError, match="folder work beside it, are gone"):
        report.end("train", [shards.Outcome("a.mp4", "a_0", 4, "", 1.0)])


def test_a_single_clip_of_another_name_is_another_clip(tmp_path):
    report = Report(tmp_path)
    for name in ("a", "b"):
        plan = shards.plan("out", "train", [Clip(f"videos/{name}.mp4")], 1)
        if name == "b":
            with pytest.raises(ValueError, match="begun with other clips"):
                report.begin("train", plan, shards.Settings())
        else:
            report.begin("train", plan, shards.Settings())


def test_a_span_is_cut_out_and_resampled(tmp_path):
    frames = brightness_frames(60, (48, 36), step=4)
    path = write_video(
        tmp_path / "a.mkv", frames, rate=50, codec="ffv1", pixel_format="bgr0"
    )
    clip = Clip(str(path), "a", 0, start=0.2, end=0.6)
    settings = shards.Settings(False, 36, mediasequence.Coding("png"))
    serialized, num_frames = shards.encode_clip(clip, settings)
    images = mediasequence.decode_images(mediasequence.parse_example(serialized).rgb)
    assert num_frames == len(images) == 10
    np.testing.assert_array_equal(images, frames[10:30:2])


def test_flow_is_that_of_the_resized_frames(tmp_path):
    """More frames than are worked on at a time, against one call over all."""
    rng = np.random.default_rng(0)
    texture = rng.integers(0, 255, (20, 36, 120, 3), dtype=np.uint8)[0]
    frames = np.stack([texture[:, i : i + 48] for i in range(40)])
    path = write_video(tmp_path / "a.mkv", frames, codec="ffv1", pixel_format="bgr0")
    settings = shards.Settings(True, 36, mediasequence.Coding("png"))
    serialized, _ = shards.encode_clip(Clip(str(path), "a", 0), settings)
    example = mediasequence.parse_example(serialized)
    received = mediasequence.decode_images(example.flow)
    wanted = optical_flow.encode_flow(optical_flow.optical_flow(frames))
    np.testing.assert_array_equal(received, wanted)


def test_shards_hold_every_clip_once():
    clips = [Clip(f"{n}.mp4") for n in range(23)]
    plan = shards.plan("out", "train", clips, 5)
    assert list(plan) == [f"out/train-{n:05d}-of-00005" for n in range(5)]
    assert sorted(clip for part in plan.values() for clip in part) == sorted(clips)
    assert max(map(len, plan.values())) - min(map(len, plan.values())) <= 1
    assert plan == shards.plan("out", "train", clips, 5)


@pytest.mark.slow
def test_processes_instead_of_threads(prepare, tmp_path):
    """Beam's other local mode, in which functions travel to other processes."""
    videos = make_videos(tmp_path / "videos", 4)
    modes = ("--direct_running_mode=multi_processing", "--direct_num_workers=2")
    done = prepare(f"--videos={videos}", f"--out={tmp_path / 'out'}", *modes)
    assert done.returncode == 0, done.stderr
    assert len(examples(tmp_path / "out")) == 4


def test_without_beam(python, one_video, tmp_path):
    """The error names the extra."""
    code = (
        "import sys; sys.modules['apache_beam'] = None; "
        "from kinetics_i3d_tf2.cli.main import main; "
        f"main(['prepare', '--dataset=folder', '--videos={one_video}', "
        f"'--out={tmp_path}'])"
    )
    done = python("-c", code)
    assert done.returncode == 2
    assert "pip install 'kinetics-i3d-tf2[beam]'" in done.stderr


def test_tensorflows_own_reader_reads_the_files(tmp_path, one_video):
    clips = [Clip(str(one_video / "a" / "0.mkv"), "a", 0)]
    plan = shards.plan(str(tmp_path), "train", clips, 1)
    shards.write_plan(plan)
    for path in plan:
        shards.write_shard(path, shards.Settings(short_side=36))
    (serialized,) = tf.data.TFRecordDataset(list(plan))
    example = tf.train.SequenceExample.FromString(serialized.numpy())
    assert len(example.feature_lists.feature_list["image/encoded"].feature) == 4
