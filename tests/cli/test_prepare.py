"""Preparation of real video files by the command."""

import functools
import json
import signal

import processes
import programs
import pytest
from videos import write_folder

from kinetics_i3d_tf2.data.records import mediasequence, tfrecord

pytest.importorskip("apache_beam", reason="the extra beam is not installed")

# Small images, so that TV-L1 takes milliseconds.
COMMON = ("--dataset=folder", "--short_side=36")


@pytest.fixture
def prepare():
    return lambda *flags: programs.run("prepare", *COMMON, *flags)


def examples(folder, pattern="*_train_*"):
    records = tfrecord.find_records(sorted(folder.glob(pattern)))
    return [mediasequence.parse_example(tfrecord.read_record(r)) for r in records]


def test_flags_reach_the_records(prepare, tmp_path):
    videos = write_folder(tmp_path / "videos", 3)
    (videos / "b" / "empty.mp4").touch()
    flags = ("--flow=none", "--rgb_format=png", "--splits=train", "--name=small")
    done = prepare(f"--videos={videos}", f"--out={tmp_path / 'out'}", *flags)
    assert done.returncode == 0, done.stderr
    assert f"3 clips in 4 record files in {tmp_path / 'out'}; 1 failed " in done.stdout
    assert " (--retry_failed tries them again), 0 missing; see " in done.stdout
    assert "Preparing: 100%" in done.stderr
    assert "clip/s" in done.stderr
    found = examples(tmp_path / "out", "small_train_25fps_rgb-*")
    assert all(example.rgb[0][1:4] == b"PNG" for example in found)
    assert [len(example.flow) for example in found] == [0, 0, 0]


def finished(folder):
    return {
        path.name: (path.stat().st_ino, path.stat().st_mtime_ns, path.read_bytes())
        for path in folder.glob("folder_*")
    }


def test_interrupted_and_started_again(prepare, tmp_path):
    """Finished files are kept as they are; no clip is lost or there twice."""
    videos = write_folder(tmp_path / "videos", 24, num_frames=40)
    out = tmp_path / "out"
    flags = (f"--videos={videos}", f"--out={out}", "--num_shards=12")
    programs.stop_halfway(
        signal.SIGINT,
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
    assert "All 12 record files exist" in prepare(*flags).stderr
    assert finished(out) == after


@pytest.fixture(scope="module")
def one_video(tmp_path_factory):
    return write_folder(tmp_path_factory.mktemp("one"), 1)


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


def test_a_full_disk_ends_the_run_with_one_line(tmp_path):
    """A limit on file sizes stands for the disk; other threads are at work then."""
    videos = write_folder(tmp_path / "videos", 8, num_frames=30)
    flags = [f"--videos={videos}", f"--out={tmp_path / 'out'}", "--rgb_format=png"]
    limit = functools.partial(processes.limit_files, 8 << 10)
    done = programs.start("prepare", *COMMON, *flags, setup=limit)
    assert done.wait() == 2
    last = done.stderr.splitlines()[-1]
    assert last.endswith("the same command goes on where this one ended")
    assert "Fatal Python error" not in done.stderr
    assert not list((tmp_path / "out").glob("folder_*"))


@pytest.mark.slow
def test_processes_instead_of_threads(prepare, tmp_path):
    """Beam's other local mode, in which functions travel to other processes."""
    videos = write_folder(tmp_path / "videos", 4)
    modes = ("--direct_running_mode=multi_processing", "--direct_num_workers=2")
    done = prepare(f"--videos={videos}", f"--out={tmp_path / 'out'}", *modes)
    assert done.returncode == 0, done.stderr
    assert len(examples(tmp_path / "out")) == 4
