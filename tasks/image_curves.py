"""Curves of image metrics over the models p_0 .. p_T: one line an arm, bands over seeds."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tasks.panels import band, new_figure, one_legend, theory_line

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FloatArray = npt.NDArray[np.float64]

# Metric -> label of its axis; the first of the last two that was measured is drawn.
METRICS = {
    "class_entropy": "class entropy, nats",
    "feature_variance": "feature variance / training images",
    "intra_class_variance": "variance within classes / training images",
}
DISTANCES = {
    "fid": "FID (Inception)",
    "frechet_classifier": "Fréchet distance, classifier's features",
}


def draw_image_curves(
    histories: Mapping[str, Mapping[str, FloatArray]],  # arm -> metric -> (S, T + 1)
    *,
    balanced: Mapping[str, int] | None = None,
) -> "Figure":
    """Entropy, variances and distance to the training images over k.

    A value that was not measured is NaN and leaves a gap in its arm's line. `balanced` gives the
    number M of equally weighted rewards of an arm: ln M, the entropy of M equal classes, is drawn
    dashed. A metric that no arm has has no panel.
    """
    measured = {metric for history in histories.values() for metric in history}
    labels = {metric: text for metric, text in METRICS.items() if metric in measured}
    labels |= dict([(name, text) for name, text in DISTANCES.items() if name in measured][:1])
    assert labels, f"none of {sorted(measured)} is a metric of images"
    figure, panels = new_figure(len(labels), columns=2)
    for panel, (metric, text) in zip(panels, labels.items(), strict=True):
        for arm, history in histories.items():
            if metric in history:
                values = history[metric]
                x = np.arange(values.shape[1], dtype=np.float64)
                band(panel, x, values, label=arm, colour=arm)
        panel.set_xlabel("k of the model p_k")
        panel.set_ylabel(text)
        if metric == "class_entropy":
            _draw_balanced(panel, balanced or {})
    one_legend(panels, columns=min(6, len(panels[0].get_legend_handles_labels()[1])))
    return figure


def _draw_balanced(panel: Any, balanced: Mapping[str, int]) -> None:
    """Dashed lines at ln M for every M there is, each with its name outside the panel."""
    ends = np.array(panel.dataLim.intervalx)
    for number in sorted(set(balanced.values())):
        height = math.log(number)
        theory_line(panel, ends, np.full(2, height), "M equal classes, ln M")
        panel.annotate(
            f"ln {number}",
            (1, height),
            xycoords=panel.get_yaxis_transform(),
            xytext=(3, 0),
            textcoords="offset points",
            fontsize=8,
            va="center",
        )
