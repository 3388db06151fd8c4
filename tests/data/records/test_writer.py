"""Records written by the function, in this process."""

import json
import os
import sys

import numpy as np
import pytest
from videos import brightness_frames, write_folder, write_video

from kinetics_i3d_tf2 import read_csv, read_folder, write_records
from kinetics_i3d_tf2.data.records import (
    image_coding,
    mediasequence,
    shards,
    tfrecord,
    writer,
)
from kinetics_i3d_tf2.data.records.folder import RecordFolder
from kinetics_i3d_tf2.utils.beam_errors import PipelineError
from kinetics_i3d_tf2.utils.file_system import exclusive

pytest.importorskip("apache_beam", reason="the extra beam is not installed")

RGB = shards.Settings(has_flow=False, short_side=36)


def examples(folder, pattern="*_train_*"):
    found = tfrecord.find_records(sorted(folder.glob(pattern)))
    return [mediasequence.parse_example(tfrecord.read_record(r)) for r in found]


@pytest.fixture(scope="module")
def one_video(tmp_path_factory):
    return read_folder(write_folder(tmp_path_factory.mktemp("one"), 1))


def test_a_folder_with_bad_videos(tmp_path, capfd):
    videos = write_folder(tmp_path / "videos", 6)
    (videos / "a" / "text.mp4").write_text("no video")
    (videos / "b" / "empty.mp4").touch()
    write_video(videos / "b" / "one.mkv", brightness_frames(1, (48, 36)), codec="ffv1")
    out = tmp_path / "out"
    settings = shards.Settings(short_side=36)
    options = {"name": "folder", "settings": settings, "num_shards": 2}
    written = write_records(read_folder(videos), out, **options)
    assert written == (6, 3, 0, 2, f"{out}/report.json", 0)
    assert "Preparing: 100%" in capfd.readouterr().err
    stem = "folder_train_25fps_rgb_flow"
    assert sorted(path.name for path in out.iterdir()) == [
        *(f"{stem}-00000-of-00002", f"{stem}-00001-of-00002"),
        *("label_map.txt", "report.json", "work"),
    ]
    assert (out / "label_map.txt").read_text() == "a\nb\n"
    found = examples(out)
    assert sorted(e.example_id for e in found) == [f"{n}_0" for n in range(6)]
    for example in found:
        number = int(example.media_id)
        assert (example.index, example.labels) == (number % 2, ("ab"[number % 2],))
        assert (len(example.rgb), len(example.flow)) == (4, 3)
        images = image_coding.decode_images(example.rgb)
        wanted = brightness_frames(4, (48, 36))
        np.testing.assert_allclose(images.astype(int), wanted, atol=3)
    report = json.loads((out / "report.json").read_text())["records"][stem]
    assert (report["clips"], report["written"], report["failed"]) == (9, 6, 3)
    assert report["frames"] == 24
    assert report["settings"]["coding"]["rgb_quality"] == 95
    assert {path.rsplit("/", 1)[1]: reason.split(" ")[:3] for reason, paths in
            report["failures"].items() for path in paths} == {
        "text.mp4": ["is", "not", "a"],
        "empty.mp4": ["is", "an", "empty"],
        "one.mkv": ["Optical", "flow", "needs"],
    }  # fmt: skip


def test_finished_record_files_are_kept(tmp_path, caplog):
    table = read_folder(write_folder(tmp_path / "videos", 6))
    options = {"settings": RGB, "num_shards": 3}
    write_records(table, tmp_path / "out", **options)
    first, *others = sorted((tmp_path / "out").glob("dataset_*"))
    content, before = first.read_bytes(), [path.stat() for path in others]
    first.unlink()
    assert write_records(table, tmp_path / "out", **options).clips == 6
    assert first.read_bytes() == content
    assert [path.stat().st_mtime_ns for path in others] == [
        state.st_mtime_ns for state in before
    ]
    caplog.set_level("INFO", logger="absl")
    assert write_records(table, tmp_path / "out", **options).clips == 6
    assert "All 3 record files exist" in caplog.text


def test_record_files_of_changed_videos_are_written_again(tmp_path, caplog):
    caplog.set_level("INFO", logger="absl")
    table = read_folder(write_folder(tmp_path / "videos", 4))
    options = {"settings": RGB, "num_shards": 2}
    out = tmp_path / "out"
    write_records(table, out, **options)
    before = {path: path.stat().st_mtime_ns for path in out.glob("dataset_*")}
    path = tmp_path / "videos/a/0.mkv"
    write_video(path, brightness_frames(3, (48, 36)), codec="ffv1")
    write_records(table, out, **options)
    assert "1 videos have changed since; their record files are" in caplog.text
    assert str(path) in caplog.text
    changed = [p for p, time in before.items() if p.stat().st_mtime_ns != time]
    assert len(changed) == 1
    lengths = {e.media_id: len(e.rgb) for e in examples(out)}
    assert lengths == {"0": 3, "1": 4, "2": 4, "3": 4}
    # Lists of an earlier version have no fingerprints.
    for done in out.glob("work/*.done.jsonl"):
        rows = [json.loads(line)[:6] for line in done.read_text().splitlines()]
        done.write_text("".join(json.dumps(row) + "\n" for row in rows))
    later = max(p.stat().st_mtime_ns for p in before) + 10**9
    os.utime(path, ns=(later, later))
    caplog.clear()
    write_records(table, out, **options)
    assert "1 videos have changed since" in caplog.text
    caplog.clear()
    write_records(table, out, **options)
    assert "All 2 record files exist" in caplog.text


def test_names_of_splits_stay_below_the_folder(tmp_path):
    write_folder(tmp_path / "videos", 3)
    csv = tmp_path / "videos" / "clips.csv"
    csv.write_text("path,label,split\na/0.mkv,a,../../x\nb/1.mkv,b,my_split\n"
                   "a/2.mkv,a,my-split\n")  # fmt: skip
    out = tmp_path / "a" / "out"
    before = {path for path in tmp_path.rglob("*") if path.is_file()}
    assert write_records(read_csv(csv), out, settings=RGB).clips == 3
    written = {path for path in tmp_path.rglob("*") if path.is_file()} - before
    assert all(path.is_relative_to(out) for path in written)
    folder = RecordFolder(out)
    assert len(folder.splits()) == 3
    assert len(folder.split("my_split")) == len(folder.split("my-split")) == 1
    with pytest.raises(ValueError, match=r"name is a part of file names.*'\.\./x'"):
        write_records(read_csv(csv), out, settings=RGB, name="../x")


def test_splits_share_a_label_map(tmp_path):
    """A split that lacks a class has the indices of the one before."""
    out = tmp_path / "out"
    videos = write_folder(tmp_path / "train", 2)
    write_records(read_folder(videos), out, name="folder", settings=RGB)
    frames = brightness_frames(3, (48, 36))
    write_video(tmp_path / "9.mkv", frames, codec="ffv1", pixel_format="bgr0")
    csv = tmp_path / "val.csv"
    csv.write_text("path,label,split\n9.mkv,b,val\n8.mkv,b,val\n")
    png = RGB._replace(coding=image_coding.Coding("png"))
    written = write_records(read_csv(csv), out, name="csv", settings=png)
    assert written.missing == 1
    (example,) = examples(out, "csv_val_25fps_rgb-*")
    assert (example.index, example.split, example.flow) == (1, "val", [])
    images = image_coding.decode_images(example.rgb)
    np.testing.assert_array_equal(images, frames)
    report = json.loads((out / "report.json").read_text())
    assert set(report["records"]) == {"folder_train_25fps_rgb", "csv_val_25fps_rgb"}
    assert report["missing"] == {str(videos): [], str(csv): [f"{tmp_path}/8.mkv"]}
    csv.write_text("path,label\n9.mkv,c\n")
    message = (
        "label_map.txt: 1 classes are not among the 2 .* Choose another output folder"
    )
    with pytest.raises(ValueError, match=message):
        write_records(read_csv(csv), out, name="other")


def test_some_splits(tmp_path):
    for split in ("train", "val", "test"):
        write_folder(tmp_path / "videos" / split, 1)
    table = read_folder(tmp_path / "videos").with_splits(["test", "train"])
    assert write_records(table, tmp_path / "out", settings=RGB).record_files == 2
    names = sorted(path.name for path in (tmp_path / "out").glob("dataset_*"))
    stems = [name.partition("-")[0] for name in names]
    assert stems == ["dataset_test_25fps_rgb", "dataset_train_25fps_rgb"]


def test_other_settings_in_the_same_folder_are_an_error(one_video, tmp_path):
    write_records(one_video, tmp_path / "out", settings=RGB)
    other = RGB._replace(coding=image_coding.Coding(rgb_quality=80))
    with pytest.raises(ValueError, match="begun with rgb_quality 95, now 80. Use the"):
        write_records(one_video, tmp_path / "out", settings=other)
    videos = write_folder(tmp_path / "more", 1)
    write_video(videos / "a" / "7.mkv", brightness_frames(2, (48, 36)), codec="ffv1")
    more = read_folder(videos)
    with pytest.raises(ValueError, match="begun with clips 1, now 2. Use the same"):
        write_records(more, tmp_path / "out", settings=RGB)


def test_no_clip_can_be_prepared_until_it_is_fixed(tmp_path):
    path = tmp_path / "videos" / "a" / "bad.mp4"
    path.parent.mkdir(parents=True)
    path.write_text("no video")
    table = read_folder(tmp_path / "videos")
    message = "no clip could be prepared; .*report.json has the reasons.*--retry_failed"
    with pytest.raises(ValueError, match=message):
        write_records(table, tmp_path / "out", settings=RGB)
    write_video(path, brightness_frames(4, (48, 36)))
    written = write_records(table, tmp_path / "out", settings=RGB, retry_failed=True)
    assert written.clips == len(examples(tmp_path / "out")) == 1


def test_a_second_run_at_the_same_time_is_an_error(one_video, tmp_path):
    (tmp_path / "work").mkdir()
    with exclusive(tmp_path / "work" / "lock"):
        with pytest.raises(ValueError, match=f"{tmp_path}: another run is writing"):
            write_records(one_video, tmp_path, settings=RGB)


def test_a_record_file_that_cannot_be_written(one_video, tmp_path, monkeypatch):
    """Beam's error has the traceback of a worker; the last line is the reason."""

    def write_shard(shard, settings, *, folder):
        raise OSError(f"{shard}: no space left")

    monkeypatch.setattr(shards, "write_shard", write_shard)
    with pytest.raises(PipelineError, match="-00000-of-00001: no space left"):
        write_records(one_video, tmp_path, settings=RGB)


def test_flags_that_beam_does_not_know():
    with pytest.raises(ValueError, match="Unknown flag '--workers', here and in Apach"):
        writer.beam_options(["--workers=2"])


def test_without_beam(monkeypatch):
    for name in ("apache_beam", "apache_beam.options.pipeline_options"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ValueError, match=r"pip install 'kinetics-i3d-tf2\[beam\]'"):
        writer.beam_options()
