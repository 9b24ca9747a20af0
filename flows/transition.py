"""The distance between two quadratic rewards, and where pluralism gives way to a compromise.

E2, E7 and E8 look at the same runs: gamma 0.5, 1 and 2 at distances scaled with the critical
distance D_c = sqrt(2 tau / gamma) of the theory.
"""

import math

import numpy as np
import numpy.typing as npt

from flows.arms import means_over
from flows.experiment import Block, Frame, Study
from flows.gmm import paper
from tasks.claims import Claim, judge
from tasks.rank import trend
from tasks.seed_values import largest_of, least_of
from theory.limits import order_parameter, quadratic_limit

FloatArray = npt.NDArray[np.float64]

GAMMAS = {"gamma-0p5": 0.5, "gamma-1": 1.0, "gamma-2": 2.0}
# In units of D_c; the last two are d = 6 and d = 8 for gamma = 1.
FULL = (
    0,
    0.25,
    0.5,
    0.75,
    1.0,
    1.125,
    1.25,
    1.375,
    1.5,
    1.75,
    2.0,
    2.5,
    3.0,
    6 / 2**0.5,
    8 / 2**0.5,
)
QUICK = (0, 0.25, 0.75, 1.0, 1.25, 1.5, 1.75, 2.5, 6 / 2**0.5)
REFERENCE = 6 / 2**0.5
ORDER = "order_parameter_squared"
# Above it M^2 only wavers about 1, in an order that says nothing: 20 seeds that share their
# draws waver alike at every distance.
SATURATED = 0.97


def critical_distance(gamma: float, temperature: float = 1.0) -> float:
    """D_c = sqrt(2 tau / gamma): nearer rewards of equal weight settle on one compromise."""
    return math.sqrt(2 * temperature / gamma)


def study(quick: bool) -> Study:
    """Every gamma at every scaled distance with 20 seeds, 4 when quick."""
    blocks = [
        Block(
            {
                "distance": [round(one * critical_distance(gamma), 6) for one in _scaled(quick)],
                "seed": range(4 if quick else 20),
            },
            arm,
            {"gamma": gamma},
        )
        for arm, gamma in GAMMAS.items()
    ]
    return Study("transition", paper(), tuple(blocks))


def distances(study: Study, arm: str) -> list[float]:
    """The distances of one arm, ascending."""
    return [
        float(one) for block in study.blocks if block.arm == arm for one in block.axes["distance"]
    ]


def means(frame: Frame, study: Study, arm: str, metric: str) -> FloatArray:
    """Mean of `metric` over the seeds of an arm at every distance, NaN where it is missing."""
    return means_over(frame, metric, "distance", distances(study, arm), arm=arm)


def judge_transition(frame: Frame, study: Study, arm: str) -> list[Claim]:
    """Order parameter above and below D_c, its rank correlation with d, and the raw variance.

    M^2 >= .9 m*^2 for d >= 1.75 D_c, M^2 <= .2 for .5 <= d <= .75 D_c, Spearman > .9 over
    d >= .75 D_c with all M^2 above .97 equal, half height between D_c and 1.8 D_c; below .5 D_c
    Var[r_i] < 1 % of that at the distance that is 6 for gamma = 1 (thresholds ours).
    """
    gamma, names = GAMMAS[arm], study.base.reward_names
    scaled = np.array(distances(study, arm)) / critical_distance(gamma)
    squared = means(frame, study, arm, ORDER)
    limits = np.array([order_parameter(one**2) ** 2 for one in scaled])
    far, near = scaled >= 1.75 - 1e-6, (scaled <= 0.75 + 1e-6) & (scaled >= 0.5 - 1e-6)
    ordered = scaled >= 0.75 - 1e-6
    variances = np.array([means(frame, study, arm, f"reward_var.{name}") for name in names])
    largest = variances[:, np.isclose(scaled, REFERENCE, atol=1e-4)]
    with np.errstate(divide="ignore", invalid="ignore"):  # no variance anywhere: NaN, void
        raw = variances[:, scaled < 0.5 - 1e-6] / largest
    rank = trend(scaled[ordered], np.minimum(squared[ordered], SATURATED))
    height = half_height(scaled[ordered], squared[ordered])
    least = least_of(squared[far] / limits[far])
    return [
        judge(f"{arm}: least M² / m*² at d >= 1.75 D_c", least, above=0.9),
        judge(f"{arm}: largest M² at .5 <= d / D_c <= .75", largest_of(squared[near]), below=0.2),
        judge(f"{arm}: Spearman of min(M², .97) with d, d >= .75 D_c", rank, above=0.9),
        judge(f"{arm}: d / D_c at half height of M²", height, above=1.0, below=1.8),
        judge(f"{arm}: Var[r_i] below .5 D_c over that at 4.24 D_c", largest_of(raw), below=0.01),
    ]


def half_height(
    scaled: FloatArray,  # (n,), ascending
    squared: FloatArray,  # (n,)
) -> float:
    """Where M^2 first crosses one half, linear between neighbours.

    The first distance if M^2 is above already there, infinite if it never is, NaN for a NaN.
    """
    above = squared >= 0.5
    if not squared.size or np.isnan(squared).any():
        return math.nan
    if not above.any():
        return math.inf
    i = int(np.argmax(above))
    if i == 0:
        return float(scaled[0])
    step = (0.5 - squared[i - 1]) / (squared[i] - squared[i - 1])
    return float(scaled[i - 1] + step * (scaled[i] - scaled[i - 1]))


def predicted_variance(distance: float, gamma: float) -> float:
    """Var[r_1] in the limit at q = 1/2."""
    return float(quadratic_limit(0.5, distance, gamma).reward_variances[0])


def _scaled(quick: bool) -> tuple[float, ...]:
    return QUICK if quick else FULL
