"""E8: leakage between the basins of two rewards falls with their distance (section C.7)."""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from flows.experiment import Experiment, Frame, Study, curves
from flows.transition import GAMMAS, critical_distance, distances, study
from tasks.claims import Claim, judge
from tasks.panels import band, new_figure
from tasks.rank import trend
from tasks.seed_values import largest_of, mean_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FloatArray = npt.NDArray[np.float64]
PAIRS = ("quadratic-1.quadratic-2", "quadratic-2.quadratic-1")
# The first rounds still carry p_0, which lies between the modes.
FIRST_JUDGED = 10


def leakage(frame: Frame, arm: str, pair: str, distance: float) -> FloatArray:  # (seeds,)
    """Share of winners in the other basin, mean over the rounds from the tenth on, by run."""
    found = curves(frame, f"leakage.{pair}", arm=arm, distance=distance)
    late = found[found.index > FIRST_JUDGED]
    return np.asarray(late.mean(axis=0, skipna=False).to_numpy(), dtype=np.float64)


def judge_e8(frame: Frame, study: Study) -> list[Claim]:
    """At every gamma leakage falls with d in both directions and is gone at last."""
    claims = []
    for arm, gamma in GAMMAS.items():
        found = np.array(distances(study, arm))
        positive = found[found > 0]
        for pair in PAIRS:
            mean = np.array([mean_of(leakage(frame, arm, pair, d)) for d in positive])
            far = mean[positive >= 2.5 * critical_distance(gamma) - 1e-6]
            rank = trend(positive, np.round(mean, 3))
            label = pair.replace(".", " in the basin of ")
            claims += [
                judge(f"{arm}: Spearman of leakage with d, {label}", rank, below=-0.9),
                judge(f"{arm}: leakage at d >= 2.5 D_c, {label}", largest_of(far), below=0.01),
            ]
    return claims


def draw(frame: Frame, study: Study) -> "Figure":
    """Leakage over the scaled distance, and over rounds at gamma = 1."""
    figure, axes = new_figure(2)
    for arm, gamma in GAMMAS.items():
        # At d = 0 both basins are one.
        found = np.array([d for d in distances(study, arm) if d > 0])
        values = np.array([leakage(frame, arm, PAIRS[0], d) for d in found]).T
        band(
            axes[0], found / critical_distance(gamma), values,
            label=arm.replace("0p5", "0.5"), colour=arm,
        )  # fmt: skip
    chosen = [d for d in distances(study, "gamma-1") if d > 0][::2]
    for number, d in enumerate(chosen):
        curve = curves(frame, f"leakage.{PAIRS[0]}", arm="gamma-1", distance=d)
        band(
            axes[1], curve.index.to_numpy(), curve.to_numpy().T,
            label=f"d = {d:.2g}", colour=str(number),
        )  # fmt: skip
    axes[0].set_xlabel("d / D_c")
    axes[1].set_xlabel("k of the model trained on the winners")
    for panel in axes:
        panel.set_ylabel("share of winners under r_1 in basin 2")
    return figure


EXPERIMENT = Experiment(
    name="E8",
    title="Leakage between the basins",
    claim="Leakage grows as the reward optima approach and vanishes for separated ones.",
    source="paper, section C.7; thresholds ours",
    study=study,
    judge=judge_e8,
    draw=draw,
)
