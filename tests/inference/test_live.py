"""Live videos are answered as their windows are, and never late."""

import re
import time

import live_servers
import numpy as np
import pytest
import recipe

from kinetics_i3d_tf2 import Classifier, InceptionI3d, normalize_rgb
from kinetics_i3d_tf2.inference.live import LiveOptions, classify_live


@pytest.fixture(scope="module")
def model():
    return recipe.assign(InceptionI3d(7, width=1 / 16), 3)


@pytest.fixture(scope="module")
def classifier(model):
    return Classifier.of_models({"rgb": model}, tuple("abcdefg"))


def test_windows_are_those_of_the_video(model, classifier):
    """At twice the machine's rate or not: each answer is of neighbouring frames."""
    options = LiveOptions(window=0.4, every=0.4)
    with live_servers.serve(3.0) as address:
        answers = classifier.live(address, options)
        found = [next(answers) for _ in range(3)]
        answers.close()
    starts = np.array([answer.scores.seconds for answer in found])
    np.testing.assert_allclose(starts[:, 1] - starts[:, 0], 0.4, atol=1e-6)
    assert (starts[:, 1] >= np.array([0.4, 0.8, 1.2]) - 1e-6).all()
    assert {answer.scores.frames for answer in found} == {10}
    # Brightness tells the frames of the window.
    grey = (np.arange(50)[:, None] + np.arange(10)) % 50 * 5
    clips = np.broadcast_to(
        normalize_rgb(grey.astype(np.uint8))[..., None, None, None],
        (50, 10, 224, 224, 3),
    )
    candidates = np.concatenate([model(clips[i : i + 10]) for i in range(0, 50, 10)])
    for answer in found:
        nearest = np.abs(candidates - answer.scores.logits).max(1).min()
        assert nearest < 0.05 * np.abs(answer.scores.logits).max()


def test_a_slow_machine_skips_windows(classifier, monkeypatch):
    run = classifier.run

    def slow_run(*args, **kwargs):
        time.sleep(0.5)
        return run(*args, **kwargs)

    monkeypatch.setattr(classifier, "run", slow_run)
    options = LiveOptions(window=0.4, every=0.1)
    with live_servers.serve(4.0) as address:
        answers = classify_live(classifier, address, options)
        found = [next(answers) for _ in range(4)]
        answers.close()
    assert all(answer.skipped >= 2 for answer in found[1:])
    # The newest window is always next: the delay does not grow.
    ends = np.array([answer.scores.seconds[1] for answer in found])
    assert (np.diff(ends) >= 0.4).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"window": 0.1}, "A window needs at least 0.36 seconds. Received: 0.1"),
        ({"every": 0.0}, "every must be above 0 seconds. Received: 0.0"),
        ({"timeout": -1}, "timeout must be above 0 seconds. Received: -1"),
    ],
    ids=str,
)
def test_options_out_of_range(options, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        LiveOptions(**options)
