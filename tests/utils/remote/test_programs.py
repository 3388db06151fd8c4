"""The commands, from addresses and to addresses."""

import csv
import json

import numpy as np
import programs
import pytest
from videos import brightness_frames, write_folder, write_video

from kinetics_i3d_tf2.utils import files
from kinetics_i3d_tf2.utils.remote import cache


@pytest.fixture(scope="module")
def root(s3, tmp_path_factory):
    """A bucket's folder with a model of two classes, and videos of both."""
    import built_models

    from kinetics_i3d_tf2 import save_checkpoint
    from kinetics_i3d_tf2.data import labels

    root = f"{s3}/programs"
    model = built_models.narrow_i3d(2)
    save_checkpoint(model, f"{root}/model/model.ckpt")
    labels.write_label_map(f"{root}/model/label_map.txt", ["a", "b"])
    local = write_folder(tmp_path_factory.mktemp("videos"), 4)
    for path in sorted(local.rglob("*.*")):
        name = path.relative_to(local)
        with files.atomic_writer(f"{root}/videos/{name}") as copy:
            copy.write_bytes(path.read_bytes())
    return root


@pytest.fixture(autouse=True)
def cache_folder(monkeypatch, tmp_path):
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "cache"))


def read_json(path):
    with files.open_file(path) as file:
        return json.load(file)


def read_csv(path):
    with files.open_file(path) as file:
        return list(csv.DictReader(file))


def test_checkpoint(root):
    import s3fs

    s3fs.S3FileSystem.clear_instance_cache()  # Connecting may log, too.
    done = programs.run("checkpoint", f"{root}/model")
    assert done.returncode == 0, done.stderr
    assert "InceptionI3d of 3 channels and 2 classes" in done.stdout
    assert "credentials" not in done.stderr
    done = programs.run("checkpoint", f"{root}/no.ckpt")
    assert done.returncode == 2
    assert "there is no such checkpoint file" in done.stderr


def test_prepare_from_s3_to_s3(root):
    """Records in another place; then nothing is left to do."""
    pytest.importorskip("apache_beam", reason="the extra beam is not installed")
    from kinetics_i3d_tf2.data.records import tfrecord

    out = f"{root}/records"
    flags = ["--dataset=folder", f"--videos={root}/videos", f"--out={out}"]
    flags += ["--short_side=36", "--num_shards=2"]
    done = programs.run("prepare", *flags)
    assert done.returncode == 0, done.stderr
    assert f"4 clips in 2 record files in {out}; 0 failed" in done.stdout
    assert len(tfrecord.find_records(f"{out}/folder_train_*")) == 4
    (report,) = read_json(f"{out}/report.json")["records"].values()
    assert report["written"] == 4
    done = programs.run("prepare", *flags)
    assert "All 2 record files exist" in done.stderr


def test_features_resume_at_an_address(root):
    out = f"{root}/features"
    flags = [f"--rgb_checkpoint={root}/model", f"--out={out}", "--window=4"]
    flags += ["--eval_type=rgb"]
    first, *_ = files.files_below(f"{root}/videos")
    done = programs.run("features", first, *flags)
    assert done.returncode == 0, done.stderr
    done = programs.run("features", f"{root}/videos", *flags)
    assert done.returncode == 0, done.stderr
    assert "4 of 4 videos are done; 0 could not be read" in done.stdout
    rows = read_csv(f"{out}/index.csv")
    assert len(rows) == 4
    for row in rows:
        with files.open_file(f"{out}/{row['file']}", "rb") as file:
            assert np.load(file)["features"].shape[1:] == (64,)
    done = programs.run("features", f"{root}/videos", *flags)
    assert "4 of 4 videos were done before" in done.stderr
    done = programs.run("features", first, *programs.overridden(flags, ["--window=8"]))
    assert done.returncode == 2
    assert "Use the same settings to resume" in done.stderr
    done = programs.run("features", first, *flags, "--format=h5")
    assert done.returncode == 2
    assert "an HDF5 file cannot be extended there" in done.stderr


def test_evaluation_resumes_at_an_address(root):
    out = f"{root}/evaluation"
    flags = ["--dataset=folder", f"--videos={root}/videos", f"--out={out}"]
    flags += [f"--rgb_checkpoint={root}/model", "--eval_type=rgb"]
    flags += ["--split=train"]
    done = programs.run("evaluate", *flags)
    assert done.returncode == 0, done.stderr
    assert "4 clips; 0 could not be read" in done.stdout
    rows = read_csv(f"{out}/predictions.csv")
    assert [row["label"] for row in rows] == ["a", "a", "b", "b"]
    done = programs.run("evaluate", *flags)
    assert "All 4 clips were done before" in done.stderr
    assert read_csv(f"{out}/predictions.csv") == rows


def test_labels_resume_at_an_address(root):
    out = f"{root}/labels.csv"
    flags = [f"--rgb_checkpoint={root}/model", "--eval_type=rgb", f"--out={out}"]
    first, *_ = files.files_below(f"{root}/videos")
    done = programs.run("classify", first, *flags)
    assert done.returncode == 0, done.stderr
    done = programs.run("classify", f"{root}/videos", *flags)
    assert done.returncode == 0, done.stderr
    videos = files.files_below(f"{root}/videos")
    assert [row["path"] for row in read_csv(out)] == videos
    done = programs.run("classify", f"{root}/videos", *flags)
    assert "4 of 4 videos were done before" in done.stderr


@pytest.mark.parametrize(
    ("command", "flags", "message"),
    [
        ("features", ["a.mp4", "--out=s3://no-bucket/a"], "there is no such bucket"),
        ("evaluate", ["--out=s3://no-bucket/a"], "there is no such bucket"),
        ("train", ["--out=s3://bucket/a"], "must be a folder on this machine"),
        ("export", ["--out=s3://bucket/a"], "name a folder on this machine"),
    ],
    ids=["features", "evaluate", "train", "export"],
)
def test_outputs_are_checked_before_the_work(s3, command, flags, message):
    if command in ("train", "evaluate"):
        flags = [*flags, "--dataset=folder", "--videos=no"]
    if command == "train":
        flags = [*flags, "--recipe=finetune_full"]
    done = programs.run(command, *flags)
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_classify_a_signed_video(server, root, tmp_path):
    """The signature is in no message and no result."""
    pytest.importorskip("matplotlib", reason="the extra plot is not installed")
    frames = brightness_frames(20, (48, 36))
    path = write_video(tmp_path / "clip.mp4", frames)
    server.content["clip.mp4"] = path.read_bytes()
    host = server.address.removeprefix("http://")
    query = "X-Amz-Credential=AKIA/2026/s3&X-Amz-Signature=open%2Fsesame"
    video = f"http://me:secret@{host}/private/clip.mp4?{query}"
    outputs = [f"--json={tmp_path}/a.json", f"--report={tmp_path}/a.html"]
    flags = ["--eval_type=rgb", f"--rgb_checkpoint={root}/model"]
    done = programs.run("classify", *flags, f"--video={video}", *outputs)
    assert done.returncode == 0, done.stderr
    missing = video.replace("clip.mp4", "no.mp4")
    failed = programs.run("classify", *flags, f"--video={missing}")
    assert failed.returncode == 2
    assert f"http://***@{host}/private/no.mp4?X-Amz-Credential=***" in failed.stderr
    texts = [done.stdout, done.stderr, failed.stderr]
    texts += [(tmp_path / name).read_text() for name in ("a.json", "a.html")]
    for text in texts:
        assert "sesame" not in text
        assert "secret" not in text
        assert "AKIA" not in text


def test_prepare_signed_videos(server, tmp_path):
    """The signatures are nowhere in the folder of records."""
    pytest.importorskip("apache_beam", reason="the extra beam is not installed")
    frames = brightness_frames(20, (48, 36))
    path = write_video(tmp_path / "clip.mp4", frames)
    query = "X-Amz-Credential=AKIA/2026/s3&X-Amz-Signature=open%2Fsesame"
    lines = ["path,label"]
    for name in ("a", "b", "missing"):
        if name != "missing":
            server.content[f"{name}.mp4"] = path.read_bytes()
        lines.append(f"{server.address}/private/{name}.mp4?{query},{name}")
    (tmp_path / "list.csv").write_text("\n".join(lines) + "\n")
    out = tmp_path / "records"
    flags = ["--dataset=csv", f"--annotations={tmp_path / 'list.csv'}", "--flow=none"]
    flags += [f"--out={out}", "--short_side=36", "--num_shards=1"]
    done = programs.run("prepare", *flags)
    assert done.returncode == 0, done.stderr
    assert "2 clips in 1 record files" in done.stdout
    assert "private/missing.mp4?X-Amz-Credential=***" in done.stderr
    contents = [p.read_bytes() for p in out.rglob("*") if p.is_file()]
    assert len(contents) > 3
    for content in (done.stdout.encode(), done.stderr.encode(), *contents):
        assert b"sesame" not in content
        assert b"AKIA" not in content
    done = programs.run("prepare", *[f.replace("AKIA", "AKIB") for f in flags])
    assert "All 1 record files exist" in done.stderr
