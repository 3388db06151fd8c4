"""Clips and other iterators read ahead in threads, models in full batches."""

import itertools
import threading
import time

import numpy as np
import pytest
from videos import brightness_frames, write_video

from kinetics_i3d_tf2.data import prefetch
from kinetics_i3d_tf2.data.clip_recipe import ClipRecipe
from kinetics_i3d_tf2.data.clips import Clip


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_iterators_are_chained_in_order(threads):
    makers = [lambda n=n: iter(range(10 * n, 10 * n + n)) for n in range(6)]
    expected = [x for maker in makers for x in maker()]
    assert list(prefetch.in_threads(makers, threads=threads, buffer_size=2)) == expected


def test_they_run_side_by_side():
    both = threading.Barrier(2, timeout=10)

    def maker():
        both.wait()  # Passes when two are there.
        yield 1

    assert list(prefetch.in_threads([maker, maker], threads=2)) == [1, 1]


def test_an_error_is_raised_in_its_place():
    def broken():
        yield 2
        raise ValueError("in the middle")

    items = prefetch.in_threads(
        [lambda: iter([1]), broken, lambda: iter([3])], threads=3
    )
    assert [next(items), next(items)] == [1, 2]
    with pytest.raises(ValueError, match="in the middle"):
        next(items)


def test_threads_are_not_far_ahead_and_end_with_their_user():
    taken = []

    def endless():
        for number in itertools.count():
            taken.append(number)
            yield number

    before = threading.active_count()
    items = prefetch.in_threads([endless], buffer_size=3)
    assert [next(items) for _ in range(5)] == [0, 1, 2, 3, 4]
    items.close()
    deadline = time.monotonic() + 10
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() == before
    assert len(taken) <= 10


def test_batches_are_full_whatever_the_clips_belong_to():
    sizes = []

    def double(batch):
        sizes.append(len(batch["rgb"]))
        return 2 * batch["rgb"]

    items = [
        *((f"a{n}", {"rgb": np.full(3, n)}) for n in range(3)),
        ("end of a", None),
        *((f"b{n}", {"rgb": np.full(3, 10 + n)}) for n in range(2)),
        ("end of b", None),
        ("c0", {"rgb": np.full(4, 20)}),  # Of another shape.
        ("end of c", None),
    ]
    found = list(prefetch.in_batches(double, items, 4))
    assert [key for key, _ in found] == [key for key, _ in items]
    assert sizes == [4, 1, 1]
    for (_, clip), (_, output) in zip(items, found, strict=True):
        if clip is None:
            assert output is None
        else:
            np.testing.assert_array_equal(output, 2 * clip["rgb"])


def test_what_needs_no_batch_does_not_wait():
    taken = []

    def items():
        for number in range(3):
            taken.append(number)
            yield number, None

    assert next(prefetch.in_batches(None, items(), 4)) == (0, None)
    assert taken == [0]


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
    found = list(prefetch.read_in_order(clips, RECIPE, numbers, threads=threads))
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
    (clip,) = prefetch.read_in_order(sources, RECIPE, [0])
    assert clip.streams is None and "there is no such" in clip.error


def test_no_more_is_read_ahead_than_there_are_threads(clips, monkeypatch):
    begun = []

    def read(number, *_):
        begun.append(number)
        yield number

    monkeypatch.setattr(prefetch, "_read_clip", read)
    found = prefetch.read_in_order(clips, RECIPE, iter(range(6)), threads=2)
    assert next(found) == 0
    assert max(begun) <= 2
    found.close()
    assert max(begun) <= 2


def test_who_stops_does_not_wait_for_clips_being_read(clips, monkeypatch):
    may_end = threading.Event()

    def read(number, *_):
        yield number or may_end.wait()

    monkeypatch.setattr(prefetch, "_read_clip", read)
    found = prefetch.read_in_order(clips, RECIPE, [1, 0, 0], threads=1)
    assert next(found) == 1
    found.close()
    may_end.set()
