"""The weighted Nash bargaining solution on mixtures of basin conditionals (paper, Theorem 7).

On the line a nu_1 + (1 - a) nu_2, with the disagreement point of each reward being what the other
basin alone gives it, E[r_1] - d_1 = a g_1 and E[r_2] - d_2 = (1 - a) g_2. With several rewards the
line becomes the simplex sum_j a_j nu_j; E[r_i] - d_i = a_i g_i then holds exactly when reward i is
worth the same in all other basins, and is what the functions below take for granted.
"""

import numpy as np
import numpy.typing as npt

from theory.checks import FloatArray, check_share, check_simplex, check_table


def nash_product(share: float, q: float, gain_1: float, gain_2: float) -> float:
    """(a g_1)^q ((1 - a) g_2)^(1 - q) at share a of basin 1.

    Raises `ValueError` for gains that are not positive and for a share or q outside [0, 1].
    """
    share, q = check_share("share", share), check_share("q", q)
    return weighted_nash_product((share, 1 - share), (q, 1 - q), (gain_1, gain_2))


def nash_share(q: float, gain_1: float, gain_2: float) -> float:
    """The share of basin 1 with the largest `nash_product`: q, whatever the gains (Theorem 7)."""
    q = check_share("q", q)
    _check_gains((gain_1, gain_2), 2)
    return q


def weighted_nash_product(
    shares: npt.ArrayLike,  # (R,)
    weights: npt.ArrayLike,  # (R,)
    gains: npt.ArrayLike,  # (R,)
) -> float:
    """prod_i (a_i g_i)^pi_i; a reward of weight 0 does not count, also at share 0."""
    weights = check_simplex("weights", weights)
    shares = check_simplex("shares", shares, len(weights))
    gains = _check_gains(gains, len(weights))
    return float(np.prod((shares * gains) ** weights))


def weighted_nash_shares(
    weights: npt.ArrayLike,  # (R,)
    gains: npt.ArrayLike,  # (R,)
) -> FloatArray:  # (R,)
    """The shares with the largest `weighted_nash_product`: the weights, whatever the gains."""
    weights = check_simplex("weights", weights)
    _check_gains(gains, len(weights))
    return weights.copy()


def disagreement(
    rewards: npt.ArrayLike,  # (R, n)
    conditionals: npt.ArrayLike,  # (R, n), row i is nu_i
) -> FloatArray:  # (R,)
    """What each reward gets without its own basin: (E_nu2[r_1], E_nu1[r_2]) for two.

    For several rewards the largest E_nu_j[r_i] over j != i, the best of the other basins. Raises
    `ValueError` for fewer than two rewards and for rows that are no probabilities.
    """
    expected = _expected_rewards(rewards, conditionals)
    np.fill_diagonal(expected, -np.inf)
    best: FloatArray = expected.max(axis=1)
    return best


def bargaining_gains(
    rewards: npt.ArrayLike,  # (R, n)
    conditionals: npt.ArrayLike,  # (R, n), row i is nu_i
) -> FloatArray:  # (R,)
    """g_i = E_nu_i[r_i] - d_i, what having the own basin alone adds to disagreement."""
    own: FloatArray = np.diag(_expected_rewards(rewards, conditionals))
    return own - disagreement(rewards, conditionals)


def _expected_rewards(
    rewards: npt.ArrayLike,  # (R, n)
    conditionals: npt.ArrayLike,  # (R, n)
) -> FloatArray:  # (R, R), entry ij is E_nu_j[r_i]
    rewards = check_table("rewards", rewards)
    if len(rewards) < 2:
        raise ValueError("rewards: expected at least two rows, got 1; one reward has no rival")
    rows = check_table("conditionals", conditionals, rows=len(rewards), columns=rewards.shape[1])
    for number, row in enumerate(rows):
        check_simplex(f"conditionals[{number}]", row)
    expected: FloatArray = rewards @ rows.T
    return expected


def _check_gains(gains: npt.ArrayLike, num_rewards: int) -> FloatArray:  # (R,)
    array = np.asarray(gains, dtype=np.float64)
    if array.shape != (num_rewards,) or not (array > 0).all() or not np.isfinite(array).all():
        raise ValueError(
            f"gains: expected {num_rewards} finite positive numbers, got {array.tolist()}; without "
            "a gain there is nothing to bargain about"
        )
    return array
