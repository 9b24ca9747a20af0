"""Curves of image metrics: panels, lines of arms, ln M, gaps."""

import math

import numpy as np
import pytest

from tasks.figures import COLOURS
from tasks.frechet import FloatArray
from tasks.image_curves import DISTANCES, METRICS, draw_image_curves

HISTORY = {
    name: np.linspace(2, 1, 5) + np.array([[0], [0.1]]) for name in (*METRICS, "frechet_classifier")
}


def labels(history: dict[str, FloatArray]) -> list[str]:
    return [panel.get_ylabel() for panel in draw_image_curves({"arm": history}).axes]


def test_every_metric_has_a_panel_over_k() -> None:
    figure = draw_image_curves({"single": HISTORY, "pluralistic": HISTORY})
    assert labels(HISTORY) == [*METRICS.values(), DISTANCES["frechet_classifier"]]
    for panel in figure.axes:
        assert panel.get_xlabel() == "k of the model p_k"
        assert [line.get_color() for line in panel.lines] == [
            COLOURS["single"],
            COLOURS["pluralistic"],
        ]
        np.testing.assert_array_equal(panel.lines[0].get_xdata(), np.arange(5))
    means = np.asarray(figure.axes[0].lines[0].get_ydata(), np.float64)
    np.testing.assert_allclose(means, np.linspace(2, 1, 5) + 0.05)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["single", "pluralistic"]


def test_a_distance_of_the_classifier_is_never_called_fid() -> None:
    assert "FID" not in DISTANCES["frechet_classifier"]
    assert labels(HISTORY | {"fid": HISTORY["class_entropy"]})[-1] == DISTANCES["fid"]


def test_a_metric_that_was_not_measured_has_no_panel() -> None:
    assert labels({"feature_variance": HISTORY["feature_variance"]}) == [
        METRICS["feature_variance"]
    ]


def test_balanced_arms_have_dashed_lines_at_ln_m() -> None:
    arms = {"two": HISTORY, "three": HISTORY, "other": HISTORY, "also": HISTORY}
    panel = draw_image_curves(arms, balanced={"two": 2, "three": 3, "also": 3}).axes[0]
    dashed = [line for line in panel.lines if line.get_linestyle() == "--"]
    heights = [float(np.unique(line.get_ydata()).item()) for line in dashed]
    assert heights == pytest.approx([math.log(2), math.log(3)])
    assert [text.get_text() for text in panel.texts] == ["ln 2", "ln 3"]


def test_what_was_not_measured_leaves_a_gap() -> None:
    values = HISTORY["intra_class_variance"].copy()
    values[0, 3] = np.nan
    figure = draw_image_curves({"arm": HISTORY | {"intra_class_variance": values}})
    assert np.flatnonzero(np.isnan(figure.axes[2].lines[0].get_ydata())).tolist() == [3]
