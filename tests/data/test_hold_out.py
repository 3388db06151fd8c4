"""Validation splits that are drawn from the clips to train on."""

import pytest

from kinetics_i3d_tf2.data.clips import Clip
from kinetics_i3d_tf2.data.hold_out import hold_out


def clips(counts):
    return [
        Clip(f"/v/{label}/{number}.mp4", index=label)
        for label, count in enumerate(counts)
        for number in range(count)
    ]


@pytest.mark.parametrize(
    ("counts", "share", "expected"),
    [((10, 20), 0.2, (2, 4)), ((5, 5, 5, 5), 0.1, (1, 0, 1, 0)), ((1, 9), 0.3, (0, 3))],
    ids=["whole numbers", "less than one of a class", "a class of one"],
)
def test_each_class_gives_its_share(counts, share, expected):
    train, val = hold_out(clips(counts), share)
    held = [sum(clip.index == label for clip in val) for label in range(len(counts))]
    assert tuple(held) == expected
    assert sorted(train + val) == sorted(clips(counts))


def test_the_seed_decides():
    first, again, other = (hold_out(clips((30, 30)), 0.2, seed=s)[1] for s in (0, 0, 1))
    assert first == again != other


def test_clips_of_one_video_stay_together():
    spans = [
        Clip(f"/v/{number // 4}.mp4", float(number % 4), index=0)
        for number in range(40)
    ]
    train, val = hold_out(spans, 0.25)
    assert not {clip.path for clip in train} & {clip.path for clip in val}
    assert len(val) in (8, 12)


@pytest.mark.parametrize(
    ("counts", "share", "message"),
    [
        ((9,), 0.0, "must be above 0 and below 1. Received: 0.0"),
        ((9,), 1.0, "must be above 0 and below 1. Received: 1.0"),
        (
            (2,),
            0.1,
            "holding out 0.1 of 2 clips leaves 2 to train on and 0 ",
        ),
    ],
)
def test_wrong_shares(counts, share, message):
    with pytest.raises(ValueError, match=message):
        hold_out(clips(counts), share)
