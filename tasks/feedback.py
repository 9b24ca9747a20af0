"""Imperfect preferences: noise on scores and flipped choices (ours, beyond the paper).

n candidates, R rewards, m draws.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from data.errors import BadNumbers

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.integer[Any]]


def noisy_scores(
    scores: FloatArray,  # (n, R)
    deviation: float,
    *,
    rng: np.random.Generator,
) -> FloatArray:  # (n, R)
    """Every score plus an independent Gaussian of standard `deviation`, in reward units.

    The noise of a candidate is drawn once a round, as one reading of an unsure judge would be.
    Raises `BadNumbers` where scores, or the differences of them and their opposites, overflow.
    """
    # An overflow becomes an infinity, which is refused right below.
    with np.errstate(over="ignore", invalid="ignore"):
        noisy = scores + deviation * rng.standard_normal(scores.shape)
        spread = 2 * np.abs(noisy).max(initial=0.0)
    if not np.isfinite(spread):
        raise BadNumbers(
            f"selection.score_noise: expected noisy scores with finite differences, got a spread "
            f"of {spread:g} with {deviation:g}; lower it"
        )
    return noisy


def draw_flips(num_draws: int, probability: float, *, rng: np.random.Generator) -> npt.NDArray[Any]:
    """Whether each draw prefers the opposite, bool (m,), independently with `probability`."""
    return rng.random(num_draws) < probability


def with_opposites(
    scores: FloatArray,  # (n, R)
    active: IntArray,  # (m,)
    flipped: npt.NDArray[Any],  # (m,) bool
) -> tuple[FloatArray, IntArray]:  # (n, 2R), (m,)
    """Scores with -r_i as column R + i, and the column that decides each draw.

    A flipped draw chooses with probability softmax(-r_i / tau), which for a pool of two is
    the flipped label of the Bradley-Terry choice.
    """
    return np.hstack([scores, -scores]), active + scores.shape[1] * flipped
