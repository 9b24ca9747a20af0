"""What one round looks like to the theory: basins, outside mass, gaps, leakage, multiplier.

n candidates with masses p (equal unless the whole support is given), R rewards. Basin i is
A_i = {r_i >= r_i* - eps}; a candidate in none of them is outside.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from theory.dynamics import contraction
from theory.leakage import gaps, leakage_matrix, share_interval, step_bound, survives

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

# The exact multiplier of a finite pool costs about 10 microseconds a candidate.
LARGEST_FINITE = 100_000


@dataclass(frozen=True, eq=False)
class BasinFacts:
    """Facts about a distribution p and the weights and pool of the round it starts."""

    basins: BoolArray  # (R, n)
    masses: FloatArray  # (R,), of p in each basin
    outside: float  # w
    gaps: FloatArray  # (R, R), Delta_ij = r_i* - sup of r_i over basin j
    eta: FloatArray  # (R, R), exp(-(Delta_ij - eps) / tau)
    # rho, sup of W over the candidates outside; 0 if there are none, NaN if not computed
    multiplier: float
    bound: FloatArray  # (R,), lower bound of the masses after one round
    interval: FloatArray  # (R, 2), of the limit shares
    survives: BoolArray  # (R,)


def basins_of(
    scores: FloatArray,  # (n, R)
    epsilon: float,
    suprema: FloatArray,  # (R,), NaN where only the best candidate is known
) -> BoolArray | None:  # (R, n)
    """Candidates of each basin, perhaps none; None where a candidate would lie in two basins."""
    best = np.where(np.isnan(suprema), scores.max(axis=0), suprema)
    basins: BoolArray = (best - epsilon)[:, np.newaxis] <= scores.T
    return None if (basins.sum(axis=0) > 1).any() else basins


def measure_basins(
    masses: FloatArray,  # (n,)
    scores: FloatArray,  # (n, R)
    basins: BoolArray,  # (R, n), none without a candidate
    weights: FloatArray,  # (R,)
    *,
    suprema: FloatArray,  # (R,)
    epsilon: float,
    temperature: float,
    pool_size: int | None,
) -> BasinFacts:
    """Facts about p on its candidates; formulas in `theory.leakage` and `theory.dynamics`."""
    best = np.where(np.isnan(suprema), scores.max(axis=0), suprema)
    delta = gaps(scores.T, basins, suprema=best)
    eta = leakage_matrix(delta, epsilon, temperature)
    inside = basins.any(axis=0)
    basin_masses, outside = basins @ masses, float(masses[~inside].sum())
    if inside.all():
        rho = 0.0
    elif pool_size is not None and len(masses) > LARGEST_FINITE:
        rho = math.nan
    else:
        rho = contraction(
            masses, scores.T, weights, inside, pool_size=pool_size, temperature=temperature
        )
    return BasinFacts(
        basins=basins,
        masses=basin_masses,
        outside=outside,
        gaps=delta,
        eta=eta,
        multiplier=rho,
        bound=step_bound(weights, eta, basin_masses, outside, epsilon, temperature),
        interval=share_interval(weights, eta),
        survives=survives(weights, eta),
    )
