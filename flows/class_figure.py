"""The figure of E3: class entropy, variances and distance, over rounds, against M and against q."""

from typing import TYPE_CHECKING, Any

import numpy as np

from flows.arms import draw_over_rounds
from flows.class_arms import (
    ENTROPY,
    PRINTED_POOL,
    SPREAD,
    WITHIN,
    balanced_arms,
    of_arm,
    polarised_arms,
    pool_sizes,
    pool_words,
)
from flows.experiment import Frame, Study
from flows.image_values import distance_measured, stacked
from tasks.panels import band, new_figure, theory_line

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_classes(frame: Frame, study: Study) -> "Figure":
    """Entropy over rounds; entropy, variances and distance against M; entropy against q."""
    figure, axes = new_figure(6)
    arms, at_printed = balanced_arms(study), polarised_arms(study, PRINTED_POOL)
    by_count = [(arm.name, f"M = {count}") for count, arm in arms.items()]
    draw_over_rounds(axes[0], frame, ENTROPY, by_count)
    by_share = [(arm.name, f"q = {q:g}") for q, arm in at_printed.items()]
    draw_over_rounds(axes[1], frame, ENTROPY, by_share)
    axes[1].set_title(f"two classes, K = {PRINTED_POOL}", fontsize=9)
    counts = np.array([*arms], dtype=np.float64)
    distance = distance_measured(frame)
    for panel, shown in (
        (axes[2], ((ENTROPY, "measured"),)),
        (axes[4], ((SPREAD, "all features"), (WITHIN, "within classes"))),
        (axes[5], ((distance.metric, "measured"),)),
    ):
        for metric, label in shown:
            values = stacked([of_arm(frame, metric, arm) for arm in arms.values()])
            band(panel, counts, values, label=label, colour=label)
        panel.set_xlabel("number of liked classes M")
        panel.set_xticks(counts)
    theory_line(axes[2], counts, np.log(counts), "ln M")
    _draw_shares(axes[3], frame, study)
    for panel in (*axes[:2], axes[2]):
        panel.set_ylabel("class entropy, nats")
    axes[4].set_ylabel("variance / that of training images")
    axes[5].set_ylabel(distance.label)
    return figure


def _draw_shares(panel: Any, frame: Frame, study: Study) -> None:
    """Final entropy against q for every pool size, its limit dashed in the same colour."""
    for size in pool_sizes(study):
        arms = polarised_arms(study, size)
        shares = np.array([*arms])
        values = stacked([of_arm(frame, ENTROPY, arm) for arm in arms.values()])
        band(panel, shares, values, label=pool_words(size), colour=pool_words(size))
        limits = [arm.limit_entropy(size) for arm in arms.values()]
        panel.plot(shares, limits, color=panel.lines[-1].get_color(), linestyle="--", linewidth=1.1)
    panel.set_xlabel("share q of the first class (dashed: finite-pool limit)")
    panel.set_ylabel("class entropy, nats")
