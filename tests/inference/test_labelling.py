"""Many videos and long ones give what each window gives on its own."""

import dataclasses
import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import recipe
from record_files import write_records
from videos import write_video

from kinetics_i3d_tf2 import Classifier, InceptionI3d, LabellingOptions
from kinetics_i3d_tf2.data import frame_reader
from kinetics_i3d_tf2.data.clips import Clip
from kinetics_i3d_tf2.data.records import image_coding
from kinetics_i3d_tf2.inference import dense_scores, over_time, runner, whole_clips
from kinetics_i3d_tf2.inference import frames as frames_module

NAMES = tuple("abcdefg")
CUT = LabellingOptions(max_frames=16)


@pytest.fixture(scope="module")
def classifier():
    models = {
        stream: recipe.assign(
            InceptionI3d(7, num_channels=channels, width=1 / 16), channels
        )
        for stream, channels in {"rgb": 3, "flow": 2}.items()
    }
    return Classifier.of_models(models, NAMES)


@pytest.fixture(scope="module")
def frames():
    noise = np.random.default_rng(0).integers(0, 256, (9, 10, 3), np.uint8)
    large = np.kron(noise, np.ones((40, 40, 1), np.uint8))
    return np.stack([large[n : n + 256, n : n + 256] for n in range(40)])


@pytest.fixture(scope="module")
def folder(frames, tmp_path_factory):
    """Five files: whole, short, of one frame, of no video, and longer than is seen."""
    folder = tmp_path_factory.mktemp("videos")
    for name, count in {"a": 16, "b": 5, "d": 1, "e": 40}.items():
        lossless(folder / f"{name}.mkv", frames[:count])
    (folder / "c.mp4").write_bytes(b"no video")
    return folder


def lossless(path, frames):
    return write_video(path, frames, codec="ffv1", pixel_format="bgr0")


@pytest.fixture(scope="module")
def results(classifier, folder):
    return list(classifier.classify_many([folder], CUT))


def test_scores_are_those_of_each_video(classifier, frames, results):
    assert [result.input.name for result in results] == list("abcde")
    for result, count in zip(results, (16, 5, 0, 0, 16), strict=True):
        assert (result.scores is None) == (not count)
        if count:
            expected = classifier.score(frames[:count])
            np.testing.assert_allclose(result.scores.logits, expected.logits, atol=1e-4)
            assert result.scores.streams.keys() == {"rgb", "flow"}
            assert result.scores.class_names == NAMES
            assert result.scores.frames == count
            assert result.scores.seconds == (0.0, count / 25)


def test_bad_videos_have_reasons(results):
    assert "FFmpeg" in results[2].error
    assert results[3].error == "gives one frame, and optical flow needs two"
    assert not results[0].error


def test_what_is_left_out_is_told(results):
    assert [result.is_cut for result in results] == [False] * 4 + [True]


@pytest.mark.parametrize(("batch_size", "num_readers"), [(3, 1), (1, 3)])
def test_neither_batches_nor_threads_change_it(
    classifier, folder, results, batch_size, num_readers
):
    options = dataclasses.replace(CUT, batch_size=batch_size, num_readers=num_readers)
    again = list(classifier.classify_many([folder], options))
    for before, after in zip(results, again, strict=True):
        assert (before.input, before.error) == (after.input, after.error)
        if before.scores:
            np.testing.assert_allclose(
                before.scores.logits, after.scores.logits, atol=1e-5
            )


def test_spans_have_their_own_beginning(classifier, folder, frames):
    table = folder / "spans.csv"
    table.write_text("path,start,end\ne.mkv,0.4,0.88\ne.mkv,,\n")
    span, whole = classifier.classify_many(
        [table], LabellingOptions(start=0.2, max_frames=20)
    )
    table.unlink()
    assert (span.scores.seconds, span.scores.frames) == ((0.4, 0.88), 12)
    assert (whole.scores.seconds, whole.scores.frames) == ((0.2, 1.0), 20)
    expected = classifier.score(frames[10:22]).logits
    np.testing.assert_allclose(span.scores.logits, expected, atol=1e-4)
    assert not span.is_cut


def test_over_time(classifier, folder, frames):
    scores = list(classifier.over_time(folder / "e.mkv", 0.64, 0.4))
    # Frames with flow: 39 of 40. The last window has 9 of 16 and is looped.
    assert [s.seconds for s in scores] == [(0.0, 0.64), (0.4, 1.04), (0.8, 1.44),
                                           (1.2, 1.56)]  # fmt: skip
    assert [s.frames for s in scores] == [16, 16, 16, 9]
    window = classifier.prepare(frames[10:27])
    window["rgb"] = window["rgb"][:, :16]
    expected = classifier.score_clips(window)
    np.testing.assert_allclose(scores[1].logits, expected.logits, atol=1e-4)


def test_over_a_part_of_the_time(classifier, folder, frames):
    options = LabellingOptions(start=0.4, end=1.2)
    scores = list(classifier.over_time(folder / "e.mkv", 0.4, options=options))
    assert np.allclose([s.seconds for s in scores], [(0.4, 0.8), (0.8, 1.16)])
    within = Clip(str(folder / "e.mkv"), start=0.2, end=1.4)
    of_span = list(over_time.over_time(classifier, within, 0.4, None, options))
    assert np.allclose([s.seconds for s in of_span], [(0.6, 1.0), (1.0, 1.36)])


@pytest.mark.parametrize(
    ("window", "stride", "message"),
    [
        (0.32, None, "at least 0.36 seconds, the 9 frames that the models take"),
        (1.0, 0.01, "stride must be at least a frame, 0.04 seconds. Received: 0.01"),
    ],
)
def test_windows_that_are_too_short(classifier, window, stride, message):
    with pytest.raises(ValueError, match=message):
        next(classifier.over_time("any.mp4", window, stride))


@pytest.mark.parametrize(
    ("name", "message"),
    [("c.mp4", "c.mp4: .*FFmpeg"), ("d.mkv", "d.mkv: .*needs at least two")],
)
def test_what_cannot_be_seen_over_time(classifier, folder, name, message):
    with pytest.raises(ValueError, match=message):
        list(classifier.over_time(folder / name, 1.0))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"start": 2.0, "end": 1.0}, "end above it, in seconds. Received: 2.0, 1.0"),
        ({"batch_size": 0}, "batch_size must be at least 1. Received: 0"),
    ],
    ids=str,
)
def test_options_out_of_range(options, message):
    with pytest.raises(ValueError, match=message):
        LabellingOptions(**options)


def test_long_videos_among_others(classifier, folder, monkeypatch):
    everything = LabellingOptions(max_frames=None)
    whole = list(classifier.classify_many([folder], everything))
    for module in (frames_module, whole_clips, runner):
        monkeypatch.setattr(module, "MAX_WHOLE", 15)
    found = list(classifier.classify_many([folder], everything))
    assert [result.error for result in found] == [result.error for result in whole]
    for one, other in zip(found, whole, strict=True):
        assert (one.scores is None) == (other.scores is None)
        if one.scores is not None:
            assert one.scores.seconds == other.scores.seconds
            assert one.scores.frames == other.scores.frames
            np.testing.assert_allclose(
                one.scores.logits, other.scores.logits, atol=1e-4
            )


def test_pipes_are_read_once(classifier, folder, tmp_path, monkeypatch):
    for module in (frames_module, whole_clips, runner):
        monkeypatch.setattr(module, "MAX_WHOLE", 15)
    everything = LabellingOptions(max_frames=None)
    os.mkfifo(pipe := tmp_path / "pipe.mkv")
    content = (folder / "e.mkv").read_bytes()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(pipe.write_bytes, content)
        (found,) = classifier.classify_many([pipe], everything)
    (expected,) = classifier.classify_many([folder / "e.mkv"], everything)
    assert (found.error, found.is_cut, found.scores.frames) == ("", False, 40)
    np.testing.assert_allclose(found.scores.logits, expected.scores.logits, atol=1e-4)


def test_long_records_are_decoded_in_parts(classifier, folder, tmp_path, monkeypatch):
    clips = [Clip(str(folder / f"{name}.mkv"), end=1.0) for name in "ae"]
    write_records(tmp_path / "records-00000-of-00001", clips, short_side=256)
    short, whole = classifier.classify_many([tmp_path])
    for module in (frames_module, whole_clips, runner):
        monkeypatch.setattr(module, "MAX_WHOLE", 20)
    monkeypatch.setattr(frame_reader, "_BLOCK", 8)
    decode, decoded = image_coding.decode_images, []

    def count(coded, channels):
        decoded.append(len(coded))
        return decode(coded, channels)

    monkeypatch.setattr(image_coding, "decode_images", count)
    same, long = classifier.classify_many([tmp_path])
    assert sum(decoded) == 16 + 15 + 25 + 24
    assert sorted(decoded)[-3:] == [8, 15, 16]
    assert (long.scores.seconds, long.scores.frames) == ((0.0, 1.0), 25)
    for found, expected in ((same, short), (long, whole)):
        assert found._replace(scores=None) == expected._replace(scores=None)
        assert found.scores.seconds == expected.scores.seconds
        np.testing.assert_allclose(
            found.scores.logits, expected.scores.logits, atol=1e-4
        )


@pytest.mark.parametrize("max_whole", [320, 12], ids=["at once", "in pieces"])
def test_records_are_cut_as_videos_are(
    classifier, folder, results, tmp_path, monkeypatch, max_whole
):
    for module in (frames_module, whole_clips, runner):
        monkeypatch.setattr(module, "MAX_WHOLE", max_whole)
    clips = [Clip(str(folder / f"{name}.mkv")) for name in "ae"]
    write_records(tmp_path / "records-00000-of-00001", clips, short_side=256)
    whole, cut = classifier.classify_many([tmp_path], CUT)
    for found, expected in ((whole, results[0]), (cut, results[4])):
        assert (found.error, found.is_cut) == (expected.error, expected.is_cut)
        assert found.scores.seconds == (0.0, 0.64)
        assert found.scores.frames == 16
        # Flow of records has 8 bits.
        for name, tolerance in {"rgb": 1e-4, "flow": 0.05}.items():
            values = (x.scores.streams[name] for x in (found, expected))
            np.testing.assert_allclose(*values, atol=tolerance)


def test_records_of_one_frame_have_no_flow(classifier, folder, tmp_path):
    clip = Clip(str(folder / "e.mkv"))
    write_records(tmp_path / "records-00000-of-00001", [clip], short_side=256)
    (found,) = classifier.classify_many([tmp_path], LabellingOptions(max_frames=1))
    assert found.error == "gives one frame, and optical flow needs two"


def test_over_a_part_of_a_record(classifier, folder, tmp_path):
    clip = Clip(str(folder / "e.mkv"))
    path = tmp_path / "records-00000-of-00001"
    (record,) = write_records(path, [clip], short_side=256)
    options = LabellingOptions(start=0.2, end=1.0)
    rgb = Classifier.of_models({"rgb": classifier.models["rgb"]}, NAMES)
    for scores, end in (
        # The last frame has no flow.
        (lambda x, part: over_time.over_time(classifier, x, 0.4, None, part), 0.96),
        (lambda x, part: dense_scores.dense_over_time(rgb, x, part), 1.0),
    ):
        found, expected = (list(scores(source, options)) for source in (record, clip))
        assert [x.seconds for x in found] == [x.seconds for x in expected]
        assert found[0].seconds[0] == 0.2 and found[-1].seconds[1] == end
        with pytest.raises(ValueError, match="the record has no frames from second 2"):
            list(scores(record, LabellingOptions(start=2)))
        for one, other in zip(found, expected, strict=True):
            streams = one.streams["rgb"], other.streams["rgb"]
            np.testing.assert_allclose(*streams, atol=1e-4)
