"""The picture of precision and recall."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from kinetics_i3d_tf2.utils.average_precision import average_precision
from kinetics_i3d_tf2.visualization import plots
from kinetics_i3d_tf2.visualization.precision_plot import draw_precision_recall


@pytest.fixture
def figures(monkeypatch):
    """The figures that are drawn, in order."""
    drawn = []

    def keep(figure, path, _save=plots.save_png):
        drawn.append(figure)
        _save(figure, path)

    monkeypatch.setattr(plots, "save_png", keep)
    return drawn


def draw(path, num_classes):
    """Draws random scores; the last class is nowhere present."""
    rng = np.random.default_rng(0)
    targets = rng.random((50, num_classes)) < 0.3
    targets[0], targets[:, -1] = True, False
    scores = rng.random(targets.shape)
    names = [f"$class {n}" for n in range(num_classes)]
    average = average_precision(scores, targets)
    assert draw_precision_recall(scores, targets, average, names, "title", path)
    return average


def labels_of(figure: Figure):
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


def test_present_classes_have_a_curve_best_first(tmp_path, figures):
    average = draw(tmp_path / "a.png", 4)
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    order = sorted(range(3), key=lambda n: -average[n])
    assert labels_of(figures[0]) == [f"$class {n} {average[n]:.1%}" for n in order]
    curve = figures[0].axes[0].lines[0]
    assert curve.get_xdata()[-1] == 1


def test_of_many_classes_the_best_and_the_worst_are_named(tmp_path, figures):
    draw(tmp_path / "a.png", 30)
    assert len(figures[0].axes[0].lines) == 29
    assert len(labels_of(figures[0])) == 6
