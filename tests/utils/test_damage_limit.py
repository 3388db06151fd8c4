import pytest

from kinetics_i3d_tf2.utils.damage_limit import DamageLimit


def test_each_input_counts_and_is_logged_once(caplog):
    limit = DamageLimit(4, 0.5, noun="video")
    limit.add("a", "a.mp4: is empty")
    limit.add("a", "a.mp4: is empty")
    limit.add("b", "b.mp4: is broken")
    assert caplog.messages == [
        "Skipping a video (1 of 4 so far): a.mp4: is empty",
        "Skipping a video (2 of 4 so far): b.mp4: is broken",
    ]
    assert list(limit.problems) == ["a", "b"]
    message = (
        r"^3 of 4 videos cannot be read, more than max_damaged=0\.5; "
        "the last: c.mp4: is a folder$"
    )
    with pytest.raises(ValueError, match=message):
        limit.add("c", "c.mp4: is a folder")


def test_problems_of_an_earlier_run_count(caplog):
    known = {0: "a.mp4: is empty"}
    DamageLimit(10, 0.1, known=known)
    assert not caplog.messages
    with pytest.raises(ValueError, match="the last: a.mp4: is empty. Try again$"):
        DamageLimit(10, 0, known=known, advice="Try again")


def test_the_limit_itself_is_allowed():
    DamageLimit(10, 0.1).add(0, "a.mp4: is empty")
