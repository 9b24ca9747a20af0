"""E7: the transition at three strengths of the rewards, and the distributions beside it."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from flows.arms import runs_over
from flows.experiment import Experiment, Frame, Study
from flows.transition import (
    GAMMAS,
    ORDER,
    critical_distance,
    distances,
    judge_transition,
    means,
    study,
)
from tasks.claims import Claim
from tasks.panels import band, new_figure, theory_line
from theory.limits import order_parameter

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def judge_e7(frame: Frame, study: Study) -> list[Claim]:
    """The transition at every gamma, in units of its own critical distance."""
    return [claim for arm in GAMMAS for claim in judge_transition(frame, study, arm)]


def draw(frame: Frame, study: Study) -> "Figure":
    """M^2 and the positions of the two components over d / D_c, one line a gamma."""
    figure, axes = new_figure(2)
    fine = np.linspace(0, distances(study, "gamma-1")[-1] / critical_distance(1.0), 400)
    order = np.array([order_parameter(one**2) for one in fine])
    for arm, gamma in GAMMAS.items():
        found = np.array(distances(study, arm))
        scaled = found / critical_distance(gamma)
        kept = scaled >= 0.5 - 1e-6  # nearer, M^2 divides noise by almost nothing
        values = runs_over(frame, ORDER, "distance", found[kept].tolist(), arm=arm)
        band(axes[0], scaled[kept], values, label=arm.replace("0p5", "0.5"), colour=arm)
        gap = means(frame, study, arm, "component_mean_x.1") - means(
            frame, study, arm, "component_mean_x.0"
        )
        spread = (gap[kept] / found[kept])[np.newaxis]
        band(axes[1], scaled[kept], spread, label=arm.replace("0p5", "0.5"), colour=arm)
    theory_line(axes[0], fine, order**2, "m*², m = tanh(beta m)")
    theory_line(axes[1], fine, order, "m*")
    axes[0].set_ylabel("M² = 4 (Var_x - Var_y)₊ / d²")
    axes[1].set_ylabel("distance of the two components / d")
    for panel in axes:
        panel.set_xlabel("d / D_c")
        panel.axvline(1.0, color="0.6", linewidth=0.8, linestyle=":")
    return figure


def table(frame: Frame, study: Study) -> pd.DataFrame:
    """M^2, its limit and the raw variance at every distance of every gamma."""
    name = study.base.reward_names[0]
    rows = []
    for arm, gamma in GAMMAS.items():
        squared = means(frame, study, arm, ORDER)
        variance = means(frame, study, arm, f"reward_var.{name}")
        for i, d in enumerate(distances(study, arm)):
            scaled = d / critical_distance(gamma)
            rows.append(
                {
                    "gamma": gamma,
                    "d": d,
                    "d / D_c": scaled,
                    "M²": float(squared[i]),
                    "m*²": order_parameter(scaled**2) ** 2,
                    f"Var[{name}]": float(variance[i]),
                }
            )
    return pd.DataFrame(rows)


EXPERIMENT = Experiment(
    name="E7",
    title="The transition at three reward strengths",
    claim="The soft collapse to one compromise mode happens at every reward strength, at a "
    "distance that scales with it.",
    source="paper, section C.8; scaling with D_c and thresholds ours",
    study=study,
    judge=judge_e7,
    draw=draw,
    table=table,
)
