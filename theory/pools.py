"""Which basins survive a pool of K candidates, first of all when rewards leak nothing.

Zero leakage, R rewards with basins of mass m_j and no mass outside:
m_j' = pi_j (1 - (1 - m_j)^K) + m_j sum over i != j of pi_i (1 - m_i)^(K-1),
for a pool without a candidate of the active reward's basin picks any. Written as
m_j' = m_j (pi_j A(m_j) + S), A(m) = (1 - (1 - m)^(K-1))/m, S = sum_i pi_i (1 - m_i)^(K-1), its
limit is a filling of vessels: pi_j A(m_j) is the same for all basins that survive, and no more than
that for those that die, pi_j (K - 1). Hence a sharp limit without iteration, also near a
transition, where iteration crawls.
"""

import math

import numpy as np
import numpy.typing as npt

from theory.checks import (
    BoolArray,
    FloatArray,
    check_count,
    check_pool_size,
    check_share,
    check_simplex,
)
from theory.dynamics import trajectory
from theory.leakage import check_leakage

HALVINGS = 64  # of an interval of order 1: below the rounding of float64
NEWTON_STEPS = 60  # about 6 are taken
LEVELS = 65  # with SECTIONS rounds 64^9 = 2^54 parts
SECTIONS = 9
ROUND_LIMIT = 50_000
SETTLED = 1e-13  # of a share
ROUNDING = 1e-15  # a share at rest may still move by a few units in its last place
LOWEST_LOG = -700.0  # log of a leakage factor below which it is as good as 0
DEFAULT_LARGEST = 10**9


def finite_pool_map(
    masses: npt.ArrayLike,  # (R,)
    weights: npt.ArrayLike,  # (R,)
    pool_size: int | None,
) -> FloatArray:  # (R,)
    """Basin masses after one round without leakage; a basin without mass stays without."""
    weights = check_simplex("weights", weights)
    masses = check_simplex("masses", masses, len(weights))
    pool_size = check_pool_size(pool_size)
    held = masses > 0
    if pool_size is None:
        found, missed = held.astype(np.float64), (~held).astype(np.float64)
    else:
        with np.errstate(divide="ignore"):
            log_miss = np.log1p(-np.minimum(masses, 1.0))
        found = -np.expm1(pool_size * log_miss)
        missed = _power(1 - masses, pool_size - 1)
    following: FloatArray = weights * found + masses * ((weights @ missed) - weights * missed)
    return following


def finite_pool_share(q: float, pool_size: int | None) -> float:
    """Limit share of basin 1 of two that do not leak, from any start with mass in both.

    It solves q A(m) = (1 - q) A(1 - m) and is interior iff 1/K < q < 1 - 1/K: q itself for infinite
    K, 3q - 1 for K = 3, 0 or 1 for K = 2. Where the map moves nothing (K = 2 with q = 1/2, K = 1)
    the share only drifts in a finite sample, and a start at q stays: the value is q. q of 0 and 1
    give 0 and 1.
    """
    q, pool_size = check_share("q", q), check_pool_size(pool_size)
    return float(finite_pool_limit((q, 1 - q), pool_size)[0])


def finite_pool_limit(
    weights: npt.ArrayLike,  # (R,)
    pool_size: int | None,
    *,
    start: npt.ArrayLike | None = None,  # (R,)
    eta: npt.ArrayLike | None = None,  # (R, R), or (2,)
) -> FloatArray:  # (R,)
    """Basin masses in the limit from `start`, the weights if not given.

    Without `eta` solved to rounding. With it the update of one atom a basin, u_i(j) = eta_ij, is
    iterated until the masses are within about 1e-12 of rest; raises `ValueError` if 50,000 rounds
    are not enough, which takes a setting right at a transition. Basins without mass at the start
    stay empty. Raises `ValueError` for weights, masses and pools that are none.
    """
    weights = check_simplex("weights", weights)
    pool_size = check_pool_size(pool_size)
    masses = weights if start is None else check_simplex("start", start, len(weights))
    if eta is not None:
        return _settle(masses, weights, pool_size, check_leakage(eta, len(weights)))
    held = masses > 0
    limit = np.zeros_like(masses)
    limit[held] = _fill(masses[held], weights[held], pool_size)
    return limit


def returns(
    masses: npt.ArrayLike,  # (R,)
    weights: npt.ArrayLike,  # (R,)
    pool_size: int | None,
    j: int,
) -> bool:
    """Whether a trace of basin j grows beside these masses, which hold none of it.

    K pi_j + sum over i != j of pi_i (1 - m_i)^(K-1) > 1, without leakage. Raises `ValueError` if
    the masses hold some of basin j.
    """
    weights = check_simplex("weights", weights)
    masses = check_simplex("masses", masses, len(weights))
    pool_size = check_pool_size(pool_size)
    j = check_count("j", j, 0, "basins are counted from 0")
    if j >= len(weights) or masses[j] != 0:
        raise ValueError(
            f"j: expected a basin below {len(weights)} without mass, got {j}; give the limit of "
            "the system without it"
        )
    if pool_size is None:
        return bool(weights[j] > 0)
    others = weights @ _power(1 - masses, pool_size - 1) - weights[j]  # its own power is 1
    return bool(pool_size * weights[j] + others > 1)


def smallest_safe_pool(weights: npt.ArrayLike, *, largest: int = DEFAULT_LARGEST) -> int | None:
    """The smallest K from 2 on with which every basin keeps mass, without leakage.

    4 for weights (.7, .3); 3 for equal weights. None if none up to `largest` does, as when a weight
    is 0: what is never rewarded dies out. A single reward of weight 1 is safe with 2.
    """
    weights = check_simplex("weights", weights)
    largest = check_count("largest", largest, 2, "a pool of one selects nothing")
    if len(weights) == 1:
        return 2
    if weights.min() == 0 or not _is_safe(weights, largest):
        return None
    unsafe, safe = 2, largest  # at K = 2 two basins or more never keep mass together
    while safe - unsafe > 1:
        middle = (unsafe + safe) // 2
        unsafe, safe = (unsafe, middle) if _is_safe(weights, middle) else (middle, safe)
    return safe


def _is_safe(weights: FloatArray, pool_size: int) -> bool:
    return pool_size > 2 and bool(_survivors(weights, pool_size).all())


def _survivors(weights: FloatArray, pool_size: int) -> BoolArray:  # (R,) -> (R,)
    """Which basins keep mass: those at whose level pi_j (K - 1) all vessels hold less than 1.

    K is at least 3. With one other basin that is pi_j (K - 1) > pi_other.
    """
    levels = weights * (pool_size - 1)
    if len(weights) == 2:
        return levels > weights[::-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        pulls = np.where(weights > 0, levels[:, np.newaxis] / weights, np.inf)
    kept: BoolArray = (_contents(pulls, pool_size).sum(axis=1) < 1) & (weights > 0)
    return kept


def _fill(masses: FloatArray, weights: FloatArray, pool_size: int | None) -> FloatArray:  # (R,)
    """Limit for basins that all hold mass; weights may sum to less than 1, the rest being idle."""
    if len(masses) == 1 or pool_size == 1 or weights.max() == 0:
        return _share_out(masses)
    if pool_size is None:
        return _share_out(weights)
    if pool_size == 2:  # A is 1: the basins of largest weight keep their proportions
        return _share_out(np.where(weights == weights.max(), masses, 0.0))
    kept = _survivors(weights, pool_size)
    limit = np.zeros_like(weights)
    if kept.sum() == 2:
        first, second = weights[kept]
        share = _fill_two(float(first), float(second), pool_size - 1)
        limit[kept] = share, 1 - share
    elif kept.sum() > 2:
        limit[kept] = _fill_several(weights[kept], pool_size)
    else:
        limit[np.argmax(weights)] = 1.0
    return limit


def _fill_two(first: float, second: float, power: int) -> float:
    """m with pi_1 A(m) = pi_2 A(1 - m), given that both basins keep mass."""
    low, high = 0.0, 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if not low < middle < high:
            break
        pull = -first * math.expm1(power * math.log1p(-middle)) * (1 - middle)
        push = -second * math.expm1(power * math.log(middle)) * middle
        low, high = (middle, high) if pull > push else (low, middle)
    return (low + high) / 2


def _fill_several(weights: FloatArray, pool_size: int) -> FloatArray:  # (R,)
    low, high = 0.0, 1.0  # the level is 1 - S
    for _ in range(SECTIONS):  # many levels at once, since one costs as much
        levels = np.linspace(low, high, LEVELS)
        totals = _contents(levels[:, np.newaxis] / weights, pool_size).sum(axis=1)
        above = int(np.count_nonzero(totals > 1))
        low, high = levels[max(above - 1, 0)], levels[min(above, LEVELS - 1)]
    return _share_out(_contents((low + high) / 2 / weights, pool_size))


def _contents(pulls: FloatArray, pool_size: int) -> FloatArray:
    """m with A(m) = pull, where A falls from K - 1 at m = 0 to 1 at m = 1; clipped outside.

    Newton from the left, where it cannot overshoot since A is convex: with N = K - 1,
    (1 - m)^N <= 1/(1 + N m) gives A(m) >= N/(1 + N m), hence the start 1/pull - 1/N.
    """
    power = pool_size - 1
    inner = np.clip(pulls, 1.0, power)
    masses = lowest = 1 / inner - 1 / power
    for _ in range(NEWTON_STEPS):
        with np.errstate(divide="ignore", invalid="ignore"):
            log_rest = np.log1p(-masses)
            found = -np.expm1(power * log_rest)  # m A(m)
            slopes = (power * masses * np.exp((power - 1) * log_rest) - found) / masses**2
            # Cancels for small m, where A' is at its steepest, -N (N - 1)/2.
            small = power * masses < 1e-5
            slopes = np.where(small, -power * (power - 1) / 2, slopes)
            excess = np.where(masses > 0, found / masses, power) - inner
        following = np.clip(masses - excess / slopes, lowest, 1.0)
        moved = np.abs(following - masses)
        masses = following
        if (moved <= 4e-16 * (masses + 1 / power)).all():  # what rounding of A leaves
            break
    return np.where(pulls >= power, 0.0, np.where(pulls <= 1, 1.0, masses))


def _settle(
    masses: FloatArray,  # (R,)
    weights: FloatArray,  # (R,)
    pool_size: int | None,
    eta: FloatArray,  # (R, R)
) -> FloatArray:  # (R,)
    np.fill_diagonal(eta, 1.0)
    if not np.isfinite(eta).all():
        raise ValueError("eta: expected finite numbers, got an infinity; give exp(-Delta/tau)")
    with np.errstate(divide="ignore"):
        rewards = np.maximum(np.log(eta), LOWEST_LOG)
    path = trajectory(masses, rewards, weights, iterations=ROUND_LIMIT, pool_size=pool_size)
    before = next(path)
    moved = math.inf
    for after in path:
        move = float(np.abs(after - before).max())
        # Moves that shrink by a factor f each end after move f/(1 - f) more.
        factor = min(move / moved, 1.0) if moved < math.inf else 1.0
        if move <= ROUNDING or (factor < 1 and move * factor / (1 - factor) < SETTLED):
            return after
        before, moved = after, move
    raise ValueError(
        f"eta: expected masses that settle within {ROUND_LIMIT} rounds, still moving by "
        f"{moved:g} a round; this setting is at a transition, move the weights or eta off it"
    )


def _share_out(amounts: FloatArray) -> FloatArray:
    shares: FloatArray = amounts / amounts.sum()
    return shares


def _power(base: FloatArray, exponent: int) -> FloatArray:
    powered: FloatArray = np.maximum(base, 0.0) ** exponent
    return powered
