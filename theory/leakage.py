"""What leakage between basins allows: gaps, leakage factors and the bounds built on them.

Delta_ij = r_i* - sup of r_i over basin j, eta_ij = exp(-(Delta_ij - eps)/tau) is what reward i
leaks into basin j. Bounds hold for infinitely many candidates. Letters: n atoms, R rewards. Where
a function takes eta it takes (R, R) with a diagonal that does not matter, or for two rewards the
pair (eta_1, eta_2) = (eta_12, eta_21).
"""

import numpy as np
import numpy.typing as npt

from theory.basins import find_suprema
from theory.checks import (
    BoolArray,
    FloatArray,
    check_flags,
    check_number,
    check_share,
    check_simplex,
    check_table,
    check_temperature,
)


def gaps(
    rewards: npt.ArrayLike,  # (R, n)
    basins: npt.ArrayLike,  # (R, n) bool
    *,
    suprema: npt.ArrayLike | None = None,  # (R,)
    present: npt.ArrayLike | None = None,  # (n,) bool
) -> FloatArray:  # (R, R)
    """Delta_ij = r_i* - sup of r_i over basin j; Delta_ii is 0 if basin i holds the best atom.

    `suprema` and `present` as in `find_basins`. Raises `ValueError` for a basin without an atom.
    """
    rewards = check_table("rewards", rewards)
    basins = check_flags("basins", basins, rewards.shape)
    if not basins.any(axis=1).all():
        raise ValueError("basins: expected an atom in every row, got a row without; find them anew")
    tops = find_suprema(rewards, suprema=suprema, present=present)
    inside = np.stack([rewards[:, basin].max(axis=1) for basin in basins], axis=1)
    differences: FloatArray = tops[:, np.newaxis] - inside
    return differences


def leakage_matrix(
    delta: npt.ArrayLike,  # (R, R)
    epsilon: float,
    temperature: float,
) -> FloatArray:  # (R, R)
    """eta_ij = exp(-(Delta_ij - eps)/tau), and 0 on the diagonal, where it means nothing.

    Rewards that are constant on the basins may take epsilon 0. Basins that do not overlap have
    Delta >= eps, hence eta <= 1; a value of 1 or more says that nothing separates the two and is
    kept as it is. Raises `ValueError` unless epsilon >= 0 and temperature > 0.
    """
    delta = check_table("delta", delta)
    _check_square("delta", delta)
    epsilon = check_number("epsilon", epsilon, least=0.0)
    temperature = check_temperature(temperature, zero=False)
    with np.errstate(over="ignore"):
        eta: FloatArray = np.exp(-(delta - epsilon) / temperature)
    np.fill_diagonal(eta, 0.0)
    return eta


def share_interval(
    weights: npt.ArrayLike,  # (R,)
    eta: npt.ArrayLike,  # (R, R), or (2,)
) -> FloatArray:  # (R, 2)
    """Lowest and highest share of each basin in the limit (paper, Lemma 4).

    With h_i = max over j of eta_ij: lower_i = max(0, (pi_i - h_i)/(1 - h_i)), 0 for h_i >= 1, and
    upper_i = 1 - sum of the other lower_j. For two rewards this is
    [(q - eta_1)/(1 - eta_1), q/(1 - eta_2)], clipped to [0, 1]. It is about the limit and
    presupposes that outside mass vanishes. Of a round with little mass w outside one may expect the
    interval widened by w, but nothing guarantees it: shares can lag behind a sudden fall of w.
    """
    weights, eta = _check_weights_and_leakage(weights, eta)
    worst = _worst_leakage(eta)
    separated = worst < 1
    lower = np.zeros_like(weights)
    lower[separated] = (weights - worst)[separated] / (1 - worst)[separated]
    lower = np.maximum(lower, 0.0)
    upper = np.clip(1 - (lower.sum() - lower), lower, 1.0)
    return np.stack([lower, upper], axis=1)


def survives(
    weights: npt.ArrayLike,  # (R,)
    eta: npt.ArrayLike,  # (R, R), or (2,)
) -> BoolArray:  # (R,)
    """Whether each basin surely keeps mass: pi_i > h_i (paper, Lemma 5).

    For two rewards both hold iff eta_1 < q < 1 - eta_2. False says only that it is not certain.
    """
    return share_interval(weights, eta)[:, 0] > 0


def step_bound(
    weights: npt.ArrayLike,  # (R,)
    eta: npt.ArrayLike,  # (R, R), or (2,)
    masses: npt.ArrayLike,  # (R,)
    outside: float,
    epsilon: float,
    temperature: float,
) -> FloatArray:  # (R,)
    """Least mass of each basin after one round (paper, proof of Lemma 4).

    m_i' >= pi_i m_i / (m_i + sum over j != i of eta_ij m_j + exp(eps/tau) w), and 0 where m_i = 0.
    """
    weights, eta = _check_weights_and_leakage(weights, eta)
    epsilon = check_number("epsilon", epsilon, least=0.0)
    temperature = check_temperature(temperature, zero=False)
    outside = check_share("outside", outside)
    masses = np.asarray(masses, dtype=np.float64)
    check_simplex("masses and outside", np.append(masses, outside), len(weights) + 1)
    held = masses > 0
    with np.errstate(over="ignore"):
        elsewhere = eta[:, held] @ masses[held]
        if outside > 0:
            elsewhere = elsewhere + np.exp(epsilon / temperature) * outside
    bound = np.zeros_like(weights)
    bound[held] = weights[held] * masses[held] / (masses[held] + elsewhere[held])
    return bound


def variance_bound(
    masses: npt.ArrayLike,  # (2,)
    gap: float,
    epsilon: float,
) -> float:
    """Least variance of r_i under any p with these basin masses (paper, Theorem 6).

    (m_1 m_2/(m_1 + m_2)) (Delta_i - eps)_+^2 with `gap` Delta_i; without mass outside this is
    a (1 - a) (Delta_i - eps)_+^2. 0 when a basin is empty.
    """
    first, second = _check_two_masses(masses)
    excess = check_number("gap", gap) - check_number("epsilon", epsilon, least=0.0)
    if first * second == 0 or excess <= 0:
        return 0.0
    return first * second / (first + second) * excess**2


def reward_bounds(
    share: float,
    *,
    supremum: float,
    gap: float,
    infimum: float,
    epsilon: float,
) -> tuple[float, float]:
    """Lowest and highest E[r_i] in the limit, basin i holding `share` (paper, Theorem 5).

    [a (r* - eps) + (1 - a) inf, a r* + (1 - a)(r* - Delta)], where inf is the least r_i over the
    other basin and Delta the gap to its largest.
    """
    share, supremum = check_share("share", share), check_number("supremum", supremum)
    gap, infimum = check_number("gap", gap), check_number("infimum", infimum)
    epsilon = check_number("epsilon", epsilon, least=0.0)
    lowest = share * (supremum - epsilon) + (1 - share) * infimum
    return lowest, share * supremum + (1 - share) * (supremum - gap)


def check_leakage(
    eta: npt.ArrayLike,  # (R, R), or (2,)
    num_rewards: int,
) -> FloatArray:  # (R, R)
    """Leakage as a table with 0 on the diagonal; raises `ValueError` for anything negative."""
    table = np.array(eta, dtype=np.float64)
    if table.shape == (2,) and num_rewards == 2:
        table = np.array([[0.0, table[0]], [table[1], 0.0]])
    if table.shape != (num_rewards, num_rewards):
        raise ValueError(
            f"eta: expected an array of shape ({num_rewards}, {num_rewards}), or a pair for two "
            f"rewards, got {table.shape}; eta[i, j] is what reward i leaks into basin j"
        )
    np.fill_diagonal(table, 0.0)
    if not table.min() >= 0:
        raise ValueError(
            f"eta: expected numbers of at least 0, got {float(table.min())}; it is an exponential"
        )
    return table


def _worst_leakage(eta: FloatArray) -> FloatArray:  # (R, R) -> (R,)
    worst: FloatArray = eta.max(axis=1)  # the diagonal is 0
    return worst


def _check_weights_and_leakage(
    weights: npt.ArrayLike,  # (R,)
    eta: npt.ArrayLike,  # (R, R), or (2,)
) -> tuple[FloatArray, FloatArray]:
    weights = check_simplex("weights", weights)
    return weights, check_leakage(eta, len(weights))


def _check_square(name: str, table: FloatArray) -> None:
    if table.shape[0] != table.shape[1]:
        raise ValueError(
            f"{name}: expected as many rows as columns, got {table.shape}; give one row a reward"
        )


def _check_two_masses(masses: npt.ArrayLike) -> tuple[float, float]:
    pair = np.asarray(masses, dtype=np.float64)
    if pair.shape != (2,) or not (pair.min() >= 0 and pair.sum() <= 1 + 1e-9):
        raise ValueError(
            f"masses: expected two numbers of at least 0 with a sum up to 1, got {pair.tolist()}; "
            "give m_1 and m_2"
        )
    return float(pair[0]), float(pair[1])
