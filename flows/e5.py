"""E5: the weight of each mode follows the share q of its reward (paper, figures 7 to 10)."""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from flows.arms import runs_over
from flows.experiment import Block, Experiment, Frame, Study, curves, last_values
from flows.gmm import paper
from tasks.claims import Claim, judge
from tasks.intervals import mean_interval
from tasks.panels import band, new_figure, theory_line
from tasks.rank import trend

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FloatArray = npt.NDArray[np.float64]
SHARES = (0.1, 0.3, 0.5, 0.7, 0.9)
WEIGHT = "component_weight.0"
TOLERANCE = 0.05


def study(quick: bool) -> Study:
    """Five shares q with 20 seeds each, 5 when quick."""
    axes = {"q": SHARES, "seed": range(5 if quick else 20)}
    return Study("preference", paper(), (Block(axes),))


def judge_e5(frame: Frame, study: Study) -> list[Claim]:
    """Mean weight of component 1 within .05 of q at every q, in the order of q."""
    means = np.array([last_values(frame, WEIGHT, q=q).mean(skipna=False) for q in SHARES])
    claims = [
        judge(f"|weight of mode 1 - q| at q = {q:g}", abs(float(mean) - q), below=TOLERANCE)
        for q, mean in zip(SHARES, means, strict=True)
    ]
    claims.append(judge("Spearman of weight with q", trend(np.array(SHARES), means), above=0.99))
    names = study.base.reward_names
    least = [
        last_values(frame, f"reward_var.{name}", q=q).min(skipna=False)
        for name in names
        for q in SHARES
    ]
    return [*claims, judge("least Var[r_i] of any run", float(np.min(least)), above=1.0)]


def draw(frame: Frame, study: Study) -> "Figure":
    """Weight of mode 1 over rounds at every q, and the final weight against q."""
    figure, axes = new_figure(2)
    for number, q in enumerate(SHARES):
        share = curves(frame, f"basin_mass.{study.base.reward_names[0]}", q=q)
        band(
            axes[0],
            share.index.to_numpy(),
            share.to_numpy().T,
            label=f"q = {q:g}",
            colour=str(number),
        )
        axes[0].axhline(q, color="0.5", linewidth=0.8, linestyle="--")
    values = runs_over(frame, WEIGHT, "q", SHARES)
    band(axes[1], np.array(SHARES), values, label="measured", colour="pluralistic")
    theory_line(axes[1], np.array([0.0, 1.0]), np.array([0.0, 1.0]), "theory: share = q")
    axes[0].set_xlabel("k of the model p_k")
    axes[0].set_ylabel("mass nearest to mode 1 (theory dashed)")
    axes[1].set_xlabel("q, share of draws decided by r_1")
    axes[1].set_ylabel("weight of mode 1 at the end")
    return figure


def table(frame: Frame, study: Study) -> pd.DataFrame:
    """Mean final weight with its 95 % interval at every q."""
    rows = []
    for q in SHARES:
        values = last_values(frame, WEIGHT, q=q).to_numpy()
        mean, low, high = mean_interval(values) if len(values) else (np.nan,) * 3
        rows.append({"q": q, "mean weight": mean, "low": low, "high": high, "seeds": len(values)})
    return pd.DataFrame(rows)


EXPERIMENT = Experiment(
    name="E5",
    title="Shares of the modes follow the shares of the rewards",
    claim="The mass of each component tracks the polarization parameter q.",
    source="paper, section C.8, figures 7 to 10; tolerance ours",
    study=study,
    judge=judge_e5,
    draw=draw,
    table=table,
)
