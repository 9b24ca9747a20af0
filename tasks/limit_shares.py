"""Limit shares of the basins for given weights and pool, with as much leakage as is known."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tasks.geometry import TwoModes
from theory.limits import (
    finite_pool_limit,
    order_parameter,
    quadratic_limit,
    smallest_safe_pool,
)

FloatArray = npt.NDArray[np.float64]

# A limit share below this is no share: fewer than one in ten thousand.
GONE = 1e-4
NO_LEAKAGE = 1e-9
# Rewards that leak more between their centres may have a common best point, a compromise.
MUCH_LEAKAGE = 0.1
LARGEST_POOL = 4096
SHARES = tuple(round(0.1 * step, 1) for step in range(1, 10))


@dataclass(frozen=True, eq=False)
class Limit:
    """Shares in the limit and the number of modes there, None where it is not known."""

    shares: FloatArray  # (R,)
    num_modes: int | None
    basis: str
    # Whether the rewards lie so near each other that no formula here decides.
    is_mixed: bool = False
    # One mode between the rewards, where no pool can keep two.
    is_compromise: bool = False


def limit_shares(
    weights: FloatArray,  # (R,)
    size: int | None,
    tau: float,
    *,
    modes: TwoModes | None,
    eta: FloatArray | None,  # (R, R), between the centres
) -> Limit:
    """Limit of the finite-pool map; of two equal quadratics with the modes' own leakage."""
    if modes is not None and weights.min() > 0:
        infinite = quadratic_limit(float(weights[0]), modes.distance, modes.gamma, temperature=tau)
        leakage = _leakage(modes, tau)
        basis = f"leakage between the two modes exp(-gap/tau) = {leakage:.2g}"
        if infinite.num_modes == 1:
            return Limit(infinite.shares, 1, basis, is_compromise=True)
        shares = _limit(weights, size, np.full((2, 2), leakage))
        return Limit(shares, int((shares > GONE).sum()), basis)
    if eta is None:
        return Limit(_limit(weights, size, None), None, "basins that do not leak")
    if len(weights) == 1:
        return Limit(np.ones(1), None, "one preference")
    worst = float((eta - np.diag(np.diag(eta))).max(initial=0.0))
    basis = f"leakage between the centres of at most {worst:.2g}"
    is_mixed = worst > MUCH_LEAKAGE and int((weights > 0).sum()) > 1
    return Limit(_limit(weights, size, None if is_mixed else eta), None, basis, is_mixed)


def smallest_safe(
    weights: FloatArray,  # (R,)
    tau: float,
    *,
    modes: TwoModes | None,
    eta: FloatArray | None,  # (R, R)
) -> int | None:
    """Smallest K that keeps every preference of positive weight, None if no K up to 4096 does.

    Larger pools are taken to stay safe. None as well where only one preference has weight.
    """
    held = np.flatnonzero(weights > 0)
    if len(held) < 2:
        return None
    without = smallest_safe_pool(weights[held], largest=LARGEST_POOL)

    def is_safe(size: int | None) -> bool:
        found = limit_shares(weights, size, tau, modes=modes, eta=eta)
        return bool(found.num_modes != 1 and (found.shares[held] > GONE).all())

    if without is None or not is_safe(LARGEST_POOL):
        return None
    if is_safe(without):
        return without
    low, high = without, LARGEST_POOL
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if is_safe(middle) else (middle, high)
    return high


def _limit(weights: FloatArray, size: int | None, eta: FloatArray | None) -> FloatArray:
    if eta is not None:
        eta = eta - np.diag(np.diag(eta))
        # Without leakage worth the name the limit is known to rounding, without iteration.
        eta = None if eta.max(initial=0.0) < NO_LEAKAGE else eta
    try:
        return finite_pool_limit(weights, size, eta=eta)
    except ValueError:
        # Right at a transition the map does not come to rest: what dies there is dead.
        return finite_pool_limit(weights, size)


def _leakage(modes: TwoModes, tau: float) -> float:
    """exp(-gap/tau) from a mode at -(d/2) m* to that at (d/2) m* under the reward at -d/2."""
    spread = modes.distance * order_parameter(modes.gamma * modes.distance**2 / (2 * tau))
    near, far = (modes.distance - spread) / 2, (modes.distance + spread) / 2
    return float(np.exp(-modes.gamma * (far**2 - near**2) / tau))
