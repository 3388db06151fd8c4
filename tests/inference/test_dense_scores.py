"""Rows of dense scores, of files and of live videos, are the whole clip's."""

import os
import threading

import live_servers
import numpy as np
import pytest
import recipe
from videos import write_video

from kinetics_i3d_tf2 import Classifier, InceptionI3d, LabellingOptions, LiveOptions
from kinetics_i3d_tf2.inference.segments import time_borders
from kinetics_i3d_tf2.video.live import LiveVideo, Newest

NAMES = tuple("abcdefg")


@pytest.fixture(scope="module")
def classifier():
    """Both streams, of several labels."""
    models = {
        stream: recipe.assign(
            InceptionI3d(7, num_channels=channels, width=1 / 16, activation="sigmoid"),
            channels,
        )
        for stream, channels in {"rgb": 3, "flow": 2}.items()
    }
    return Classifier.of_models(models, NAMES)


@pytest.fixture(scope="module")
def rgb(classifier):
    return Classifier.of_models({"rgb": classifier.models["rgb"]}, NAMES)


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    noise = np.random.default_rng(0).integers(0, 256, (10, 12, 3), np.uint8)
    large = np.kron(noise, np.ones((40, 40, 1), np.uint8))
    frames = np.stack([large[n : n + 256, 2 * n : 2 * n + 300] for n in range(49)])
    path = tmp_path_factory.mktemp("videos") / "moving.mkv"
    write_video(path, frames, codec="ffv1", pixel_format="bgr0")
    return path, frames


@pytest.mark.slow  # Optical flow.
def test_places_of_both_streams(classifier, video):
    path, frames = video
    found = list(
        classifier.over_time(path, options=LabellingOptions(end=1.0), dense=True)
    )
    clips = classifier.prepare(frames[:25])
    clips["rgb"] = clips["rgb"][:, :24]  # The last has no flow.
    expected = sum(
        np.asarray(
            model.endpoint_model(["Logits"], temporal="dense")(clips[name])["Logits"]
        )[0]
        for name, model in classifier.models.items()
    )
    np.testing.assert_allclose([s.logits for s in found], expected, atol=1e-3)
    assert [s.frames for s in found] == [12, 12]
    assert time_borders(found) == [0, 0.48, 0.96]
    np.testing.assert_allclose(
        found[0].probabilities, 1 / (1 + np.exp(-found[0].logits)), rtol=1e-5
    )


def test_rows_follow_each_other(rgb, video):
    found = list(rgb.over_time(video[0], dense=True))
    assert [s.frames for s in found] == [12, 8, 8, 8, 8, 5]
    borders = [0, 0.48, 0.8, 1.12, 1.44, 1.76, 1.96]
    np.testing.assert_allclose(time_borders(found), borders)
    np.testing.assert_allclose([s.seconds[0] for s in found], borders[:-1])


def test_a_part_of_a_video(rgb, video):
    path, frames = video
    options = LabellingOptions(start=0.4, end=1.4)
    found = list(rgb.over_time(path, options=options, dense=True))
    clip = rgb.prepare(frames[[*range(10, 35), *[34] * 7]])["rgb"]
    model = rgb.models["rgb"].endpoint_model(["Logits"], temporal="dense")
    expected = np.asarray(model(clip)["Logits"])[0]
    np.testing.assert_allclose([s.logits for s in found], expected, atol=1e-3)
    assert (found[0].seconds[0], found[-1].seconds[1]) == (0.4, 1.4)
    assert sum(s.frames for s in found) == 25


def test_no_video(rgb, tmp_path):
    (tmp_path / "none.mkv").write_bytes(b"no video")
    with pytest.raises(ValueError, match="none.mkv: "):
        list(rgb.over_time(tmp_path / "none.mkv", dense=True))


@pytest.mark.parametrize("every", [0.32, pytest.param(0.64, marks=pytest.mark.slow)])
def test_a_pipe_has_the_rows_of_its_file(rgb, tmp_path, every):
    content, _ = live_servers.mpegts(2.0)
    (tmp_path / "video.ts").write_bytes(content)
    expected = list(rgb.over_time(tmp_path / "video.ts", dense=True))
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(
        target=(tmp_path / "pipe").write_bytes, args=(content,), daemon=True
    )
    writer.start()
    options = LiveOptions(dense=True, every=every)
    found = [answer.scores for answer in rgb.live(str(tmp_path / "pipe"), options)]
    expected = expected[:: round(every / 0.32)]
    assert len(found) == len(expected)
    np.testing.assert_allclose(
        [s.logits for s in found], [s.logits for s in expected], atol=1e-3
    )
    assert all(s.activation == "sigmoid" for s in found)


def test_lost_frames_begin_another_clip(rgb, monkeypatch):
    frames = list(
        np.random.default_rng(0).integers(0, 256, (24, 230, 240, 3), np.uint8)
    )
    newest = iter([Newest(frames, 0.96, 0.0), Newest(frames[:16], 3.2, 0.0)])
    monkeypatch.setattr(LiveVideo, "_run", lambda video: None)
    monkeypatch.setattr(LiveVideo, "wait_after", lambda *_: next(newest, None))
    found = list(rgb.live("-", LiveOptions(dense=True, every=0.04)))
    seconds = [answer.scores.seconds for answer in found]
    np.testing.assert_allclose(seconds, [(0, 0.48), (0.48, 0.96), (2.56, 3.2)])
    assert [answer.skipped for answer in found] == [0, 0, 5]
    alone = rgb.dense_streams(8)["rgb"]
    clip = rgb.prepare(frames[:16])["rgb"][0]
    expected = np.concatenate([alone.add(clip), alone.finish()])
    np.testing.assert_allclose(found[-1].scores.logits, expected[0], atol=1e-3)
