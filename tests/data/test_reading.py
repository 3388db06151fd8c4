"""Clips read ahead: in order, damaged ones with their reason, not too many at once."""

import threading

import pytest
from videos import brightness_frames, write_video

from kinetics_i3d_tf2.data import reading
from kinetics_i3d_tf2.data.clip_recipe import ClipRecipe
from kinetics_i3d_tf2.data.clips import Clip

RECIPE = ClipRecipe(short_side=36, crop_size=24)


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """Six videos of 1 to 6 frames, of which the third is damaged."""
    folder = tmp_path_factory.mktemp("videos")
    clips = []
    for number in range(6):
        path = folder / f"{number}.mkv"
        write_video(path, brightness_frames(number + 1, (48, 36)), codec="ffv1")
        clips.append(Clip(str(path), "a", number))
    (folder / "2.mkv").write_text("no\nvideo")
    return clips


@pytest.mark.parametrize("threads", [1, 4])
def test_clips_come_in_the_order_asked_for(clips, threads):
    numbers = [5, 0, 2, 4]
    found = list(reading.read_in_order(clips, RECIPE, numbers, threads=threads))
    assert [clip.number for clip in found] == numbers
    assert [clip.source for clip in found] == [clips[number] for number in numbers]
    assert [clip.label for clip in found] == numbers
    assert [clip.example_id for clip in found] == ["5_0", "0_0", "2_0", "4_0"]
    for clip in found:
        if clip.number == 2:
            assert clip.streams is None
            assert clip.error and "\n" not in clip.error
            assert not clip.error.startswith(clip.source.path)
        else:
            assert clip.error == ""
            assert clip.streams["rgb"].shape == (clip.number + 1, 36, 48, 3)


def test_files_that_are_gone(tmp_path):
    sources = [Clip(str(tmp_path / "a.mkv"), "a", 0)]
    (clip,) = reading.read_in_order(sources, RECIPE, [0])
    assert clip.streams is None and "there is no such" in clip.error


def test_no_more_is_read_ahead_than_there_are_threads(clips, monkeypatch):
    begun = []

    def read(number, *_):
        begun.append(number)
        return number

    monkeypatch.setattr(reading, "_read", read)
    found = reading.read_in_order(clips, RECIPE, iter(range(6)), threads=2)
    assert next(found) == 0
    assert max(begun) <= 2
    found.close()
    assert max(begun) <= 2


def test_who_stops_does_not_wait_for_clips_being_read(clips, monkeypatch):
    may_end = threading.Event()
    monkeypatch.setattr(reading, "_read", lambda number, *_: number or may_end.wait())
    found = reading.read_in_order(clips, RECIPE, [1, 0, 0], threads=1)
    assert next(found) == 1
    found.close()
    may_end.set()
