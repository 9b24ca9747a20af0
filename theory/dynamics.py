"""The retraining update on a finite set of atoms, and what it does to mass outside the basins.

A model is a vector p of n probabilities, rewards are a table r (R, n), weights pi (R,) say how
often each reward selects. With u_i = exp(r_i / tau) a round with a pool of K candidates gives
p'(x) = p(x) W(x), W(x) = sum_i pi_i H_i(x), where for finite K (paper, Lemma 1)
H_i(x) = E[ K u_i(x) / (u_i(x) + sum_{k<K} u_i(X_k)) ], X_k independent draws from p, and for
infinitely many candidates, `pool_size=None`, (paper, Lemma 2) H_i = u_i / E_p[u_i]. At temperature
0 the best of the pool wins and equal candidates share. A pool of one changes nothing.

All functions raise `ValueError` for arrays of the wrong shape, rewards that are not finite, p or
weights that are no probabilities (to 1e-9), a pool below 1 and a negative temperature.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from theory.checks import (
    FloatArray,
    check_count,
    check_flags,
    check_pool_size,
    check_simplex,
    check_spread,
    check_table,
    check_temperature,
    check_weights,
)
from theory.finite_pool import best_of_pool_weights, pool_weights
from theory.infinite_pool import TiltedDensity, best_weights, limit_weights


def step(
    p: npt.ArrayLike,  # (n,)
    rewards: npt.ArrayLike,  # (R, n)
    weights: npt.ArrayLike,  # (R,)
    *,
    pool_size: int | None = None,
    temperature: float = 1.0,
) -> FloatArray:  # (n,)
    """The density after one round; it sums to 1, and an atom without mass stays without."""
    p, rewards = _check_model(p, rewards)
    weights = check_weights(weights, len(rewards))
    pool_size, temperature = check_pool_size(pool_size), check_temperature(temperature, zero=True)
    if pool_size is None and temperature > 0:
        return TiltedDensity(p, rewards, temperature).advance(weights, last=True)
    return _step(p, rewards, weights, pool_size, temperature)


def trajectory(
    p: npt.ArrayLike,  # (n,)
    rewards: npt.ArrayLike,  # (R, n)
    weights: npt.ArrayLike,  # (R,), or (T, R) with one row a round
    *,
    iterations: int,
    pool_size: int | None = None,
    temperature: float = 1.0,
) -> Iterator[FloatArray]:
    """Yields p_0, the start, to p_T, one array of n each, and keeps none of them.

    With infinitely many candidates the exponentials are computed once, and from the first atom
    below 1e-250 on the state is log p: an atom too small to show can then come back.
    """
    p, rewards = _check_model(p, rewards)
    iterations = check_count("iterations", iterations, 0, "give the number of rounds")
    weights = check_weights(weights, len(rewards), iterations)
    pool_size, temperature = check_pool_size(pool_size), check_temperature(temperature, zero=True)
    return _walk(p, rewards, weights, pool_size, temperature)


def iterate(
    p: npt.ArrayLike,  # (n,)
    rewards: npt.ArrayLike,  # (R, n)
    weights: npt.ArrayLike,  # (R,), or (T, R) with one row a round
    *,
    iterations: int,
    pool_size: int | None = None,
    temperature: float = 1.0,
) -> FloatArray:  # (T + 1, n)
    """All densities of `trajectory` in one table, the start first."""
    path = trajectory(
        p, rewards, weights, iterations=iterations, pool_size=pool_size, temperature=temperature
    )
    start = next(path)
    table = np.empty((iterations + 1, len(start)))
    table[0] = start
    for row, values in zip(table[1:], path, strict=True):
        row[:] = values
    return table


def selection_weights(
    p: npt.ArrayLike,  # (n,)
    rewards: npt.ArrayLike,  # (R, n)
    *,
    pool_size: int | None = None,
    temperature: float = 1.0,
) -> FloatArray:  # (R, n)
    """H_i(x), so that p'(x) = p(x) sum_i pi_i H_i(x).

    Atoms without mass get the value a candidate there would have, which for infinitely many
    candidates can be infinite; p times it counts as 0.
    """
    p, rewards = _check_model(p, rewards)
    pool_size, temperature = check_pool_size(pool_size), check_temperature(temperature, zero=True)
    return _selection_weights(p, rewards, pool_size, temperature)


def multiplier(
    p: npt.ArrayLike,  # (n,)
    rewards: npt.ArrayLike,  # (R, n)
    weights: npt.ArrayLike,  # (R,)
    *,
    pool_size: int | None = None,
    temperature: float = 1.0,
) -> FloatArray:  # (n,)
    """W(x) = sum_i pi_i H_i(x), by which one round multiplies p; its mean under p is 1."""
    p, rewards = _check_model(p, rewards)
    weights = check_weights(weights, len(rewards))
    active = np.flatnonzero(weights)  # a reward that is never used adds no infinity
    chances = selection_weights(p, rewards[active], pool_size=pool_size, temperature=temperature)
    product: FloatArray = weights[active] @ chances
    return product


def contraction(
    p: npt.ArrayLike,  # (n,)
    rewards: npt.ArrayLike,  # (R, n)
    weights: npt.ArrayLike,  # (R,)
    inside: npt.ArrayLike,  # (n,) bool
    *,
    pool_size: int | None = None,
    temperature: float = 1.0,
) -> float:
    """rho, the largest W over atoms outside with p > 0, so that w' <= rho w (paper, Lemma 3).

    0 when no mass is outside. rho < 1 at every round is sufficient for outside mass to vanish and
    not necessary; in the first rounds it usually fails.
    """
    p, rewards = _check_model(p, rewards)
    outside = ~check_flags("inside", inside, p.shape) & (p > 0)
    factors = multiplier(p, rewards, weights, pool_size=pool_size, temperature=temperature)
    return float(factors[outside].max(initial=0.0))


def outside_mass(
    p: npt.ArrayLike,  # (n,)
    inside: npt.ArrayLike,  # (n,) bool
) -> float:
    """w, the mass of the atoms that are not inside."""
    p = check_simplex("p", p)
    return float(p[~check_flags("inside", inside, p.shape)].sum())


def _check_model(
    p: npt.ArrayLike,  # (n,)
    rewards: npt.ArrayLike,  # (R, n)
) -> tuple[FloatArray, FloatArray]:
    p = check_simplex("p", p)
    return p, check_table("rewards", rewards, columns=len(p))


def _walk(
    p: FloatArray,  # (n,)
    rewards: FloatArray,  # (R, n)
    weights: FloatArray,  # (T, R)
    pool_size: int | None,
    temperature: float,
) -> Iterator[FloatArray]:
    yield p.copy()
    if pool_size is None and temperature > 0:
        density = TiltedDensity(p, rewards, temperature)
        for row in weights:
            yield density.advance(row)
        return
    for row in weights:
        p = _step(p, rewards, row, pool_size, temperature)
        yield p.copy()


def _step(
    p: FloatArray,  # (n,)
    rewards: FloatArray,  # (R, n)
    weights: FloatArray,  # (R,)
    pool_size: int | None,
    temperature: float,
) -> FloatArray:  # (n,)
    present = np.flatnonzero(p)
    mass = p[present] / p[present].sum()
    chances = _selection_weights(mass, rewards[:, present], pool_size, temperature)
    following = np.zeros_like(p)
    following[present] = mass * (weights @ chances)
    return following


def _selection_weights(
    p: FloatArray,  # (n,)
    rewards: FloatArray,  # (R, n)
    pool_size: int | None,
    temperature: float,
) -> FloatArray:  # (R, n)
    if temperature == 0:
        if pool_size is None:
            return best_weights(p, rewards)
        return best_of_pool_weights(p, rewards, pool_size)
    with np.errstate(over="ignore"):
        logits = (rewards - rewards.max(axis=1, keepdims=True)) / temperature
    check_spread(-float(logits.min()))
    if pool_size is None:
        return limit_weights(p, logits)
    return pool_weights(p, logits, pool_size)
