"""Windows of a video, against a plain definition of them."""

import itertools

import numpy as np
import pytest

from kinetics_i3d_tf2.inference.windows import TAILS, Windows


def cut(windows, count):
    """Numbers of the frames of each window, with its first and count."""
    frames = ({"rgb": np.array(number)} for number in range(count))
    return [(w.first, w.count, w.clip["rgb"].tolist()) for w in windows.cut(frames)]


def plain(length, stride, tail, count):
    found = []
    for first in range(0, count, stride):
        numbers = list(range(first, min(first + length, count)))
        if len(numbers) < length:
            # All that is left was seen before.
            if tail == "drop" or (found and numbers[-1] <= found[-1][2][-1]):
                break
            more = (
                itertools.cycle(numbers) if tail == "loop" else [numbers[-1]] * length
            )
            more = itertools.islice(more, length - (tail == "pad") * len(numbers))
            filled = list(more) if tail == "loop" else numbers + list(more)
            found.append((first, len(numbers), filled))
            break
        found.append((first, length, numbers))
    return found


@pytest.mark.parametrize("tail", TAILS)
@pytest.mark.parametrize("stride", [1, 3, 4, 6])
def test_windows_are_what_they_say(stride, tail):
    windows = Windows(4, stride, tail)
    for count in range(20):
        expected = plain(4, stride, tail, count)
        assert cut(windows, count) == expected
        assert windows.count(count) == len(expected)


@pytest.mark.parametrize("tail", ["loop", "pad"])
@pytest.mark.parametrize("stride", [1, 5, 8])
@pytest.mark.parametrize("count", [1, 7, 8, 9, 23])
def test_each_frame_is_in_a_window(stride, count, tail):
    seen = {n for *_, numbers in cut(Windows(8, stride, tail), count) for n in numbers}
    assert seen == set(range(count))


def test_a_whole_video():
    assert cut(Windows(0), 5) == [(0, 5, [0, 1, 2, 3, 4])]
    assert cut(Windows(0, least=9), 4) == [(0, 4, [0, 1, 2, 3, 0, 1, 2, 3, 0])]
    assert cut(Windows(0, tail="pad", least=6), 4) == [(0, 4, [0, 1, 2, 3, 3, 3])]
    assert cut(Windows(0, tail="drop", least=9), 4) == []
    assert [Windows(0, tail="drop", least=9).count(n) for n in (8, 9)] == [0, 1]
    assert cut(Windows(0), 0) == []


def test_no_more_frames_are_held_than_a_window_has():
    alive = set()

    class Frame(np.ndarray):
        def __del__(self):
            alive.discard(id(self))

    def frames():
        for _ in range(200):
            frame = np.zeros(3).view(Frame)
            alive.add(id(frame))
            yield {"rgb": frame}

    most = 0
    for _ in Windows(16, 8).cut(frames()):
        most = max(most, len(alive))
    assert most <= 18


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"length": -1}, "at least one frame"),
        ({"least": 0}, "at least one frame"),
        ({"stride": 0}, "stride must be at least 1"),
        ({"length": 0, "stride": 4}, "None where a window is the whole video"),
        ({"tail": "zeros"}, "tail must be one of loop, pad, drop. Received: 'zeros'"),
    ],
)
def test_values_out_of_range(arguments, message):
    with pytest.raises(ValueError, match=message):
        Windows(**arguments)
