"""Where the update ends: closed forms for two quadratic rewards, and the other limits by name.

Limits of atoms and of finite pools are those of theory.atoms and theory.pools. The rest is for
infinitely many candidates and rewards r_i(x) = -gamma ||x - mu_i||^2 with weights q and 1 - q,
centres on an axis with mu_1 at -D/2 and mu_2 at +D/2, temperature tau, g = gamma / tau. One round
is p'(x) = p(x) sum_i pi_i u_i(x) / E_p[u_i] with u_i = exp(r_i / tau) (paper, Lemma 2). The
closed forms below are derived from that update; moments are those of r itself, not of r / tau.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from theory.atoms import atoms_limit, two_atom_share
from theory.checks import FloatArray
from theory.pools import (
    finite_pool_limit,
    finite_pool_map,
    finite_pool_share,
    returns,
    smallest_safe_pool,
)

__all__ = [
    "OneComponent",
    "QuadraticLimit",
    "atoms_limit",
    "finite_pool_limit",
    "finite_pool_map",
    "finite_pool_share",
    "gaussian_tilt",
    "one_component_path",
    "one_component_step",
    "order_parameter",
    "quadratic_limit",
    "quadratic_reward_moments",
    "returns",
    "smallest_safe_pool",
    "two_atom_share",
]


@dataclass(frozen=True, eq=False)
class QuadraticLimit:
    """Where the update ends. With one mode both positions are that of the compromise."""

    order_parameter: float  # m* in [0, 1], largest root of m = tanh(beta m)
    num_modes: int  # 2, or 1 for the compromise
    shares: FloatArray  # (2,), weight of the mode at the side of mu_1, of mu_2
    mode_positions: FloatArray  # (2,), coordinate along the axis
    reward_means: FloatArray  # (2,), E[r_1], E[r_2]
    reward_variances: FloatArray  # (2,), Var[r_1], Var[r_2]


class OneComponent(NamedTuple):
    """A Gaussian with axes along and across the line through the reward centres."""

    centre: float
    variance_along: float
    variance_across: float


def quadratic_limit(
    q: float, distance: float, gamma: float, temperature: float = 1.0
) -> QuadraticLimit:
    """Limit of the update from a start that is positive everywhere.

    With beta = gamma D^2 / (2 tau) and m* the largest root of m = tanh(beta m): two modes at
    -+(D/2) m* with share (1 + (2q - 1)/m*)/2 of the first iff |2q - 1| < m*, else one
    compromise mode at q mu_1 + (1 - q) mu_2. The compromise counts as the mode of the nearer
    centre (shares 1 and 0), as half of each in the middle. Raises `ValueError` for q outside
    [0, 1], a negative distance, or gamma or temperature that is not positive.
    """
    _check_setting(q, distance, gamma, temperature)
    tilt = 2 * q - 1
    m = order_parameter(gamma * distance**2 / (2 * temperature))
    two_modes = abs(tilt) < m
    if two_modes:
        positions = np.array([-0.5, 0.5]) * distance * m
        first = (1 + tilt / m) / 2
    else:
        positions = np.full(2, -0.5 * distance * tilt)
        first = (1 + np.sign(tilt)) / 2
    shares = np.array([first, 1 - first])
    centres = np.array([-0.5, 0.5]) * distance
    rewards = -gamma * (positions - centres[:, np.newaxis]) ** 2  # (reward, mode)
    means = rewards @ shares
    return QuadraticLimit(
        order_parameter=m,
        num_modes=2 if two_modes else 1,
        shares=shares,
        mode_positions=positions,
        reward_means=means,
        reward_variances=shares[0] * shares[1] * (rewards[:, 0] - rewards[:, 1]) ** 2,
    )


def order_parameter(beta: float) -> float:
    """Largest root m* of m = tanh(beta m), in [0, 1]; 0 iff beta <= 1.

    Newton from m = 1: the function m - tanh(beta m) is convex for m > 0, so the iterates fall
    to the largest root and stop when rounding no longer lets them fall.
    """
    if beta <= 1:
        return 0.0
    if math.isinf(beta):
        return 1.0
    m = 1.0
    while True:
        bend = math.tanh(beta * m)
        slope = 1 - beta * (1 - bend**2)
        lower = m - (m - bend) / slope if slope > 0 else m
        if not 0 < lower < m:
            return m
        m = lower


def gaussian_tilt(variance: float, gamma: float, temperature: float = 1.0) -> float:
    """Variance after one round under a single quadratic reward: 1/s'^2 = 1/s^2 + 2 gamma/tau.

    Raises `ValueError` for a negative variance, or gamma or temperature that is not positive.
    """
    _check_setting(0.0, 0.0, gamma, temperature)
    _check_variance(variance)
    return variance / (1 + 2 * gamma / temperature * variance)


def one_component_step(
    centre: float,
    variance_along: float,
    variance_across: float,
    *,
    q: float,
    distance: float,
    gamma: float,
    temperature: float = 1.0,
) -> OneComponent:
    """Mean and variances after one round in which one Gaussian is refitted.

    v = 1/(1/s^2 + 2g); c' = v (c/s^2 + 2g (q mu_1 + (1 - q) mu_2));
    s'^2 = v + q (1 - q) (2 g D v)^2 along the axis and v across it. Exact, because the tilt by
    one reward keeps a Gaussian a Gaussian and the refit keeps the moments of their mixture.
    Raises `ValueError` as `quadratic_limit`, and for a negative variance.
    """
    _check_setting(q, distance, gamma, temperature)
    tilted = gaussian_tilt(variance_along, gamma, temperature)
    pull = 2 * gamma / temperature * tilted  # share of the way to a centre, in [0, 1)
    compromise = distance * (0.5 - q)
    return OneComponent(
        centre=(1 - pull) * centre + pull * compromise,
        variance_along=tilted + q * (1 - q) * (pull * distance) ** 2,
        variance_across=gaussian_tilt(variance_across, gamma, temperature),
    )


def one_component_path(
    centre: float,
    variance_along: float,
    variance_across: float,
    *,
    q: float,
    distance: float,
    gamma: float,
    temperature: float = 1.0,
    iterations: int,
) -> list[OneComponent]:  # (iterations + 1,)
    """The start and the outcome of each of `iterations` steps; raises as the step."""
    path = [OneComponent(centre, variance_along, variance_across)]
    for _ in range(iterations):
        path.append(
            one_component_step(
                *path[-1], q=q, distance=distance, gamma=gamma, temperature=temperature
            )
        )
    return path


def quadratic_reward_moments(
    mean: FloatArray,  # (2,)
    covariance: FloatArray,  # (2, 2)
    centre: FloatArray,  # (2,)
    gamma: float,
) -> tuple[float, float]:
    """Mean and variance of -gamma ||x - mu||^2 for x ~ N(mean, S).

    With d = mean - mu: mean -gamma (d'd + tr S), variance gamma^2 (2 tr S^2 + 4 d'Sd).
    """
    step = np.asarray(mean) - np.asarray(centre)
    covariance = np.asarray(covariance)
    expected = -gamma * (step @ step + np.trace(covariance))
    variance = gamma**2 * (2 * np.sum(covariance * covariance.T) + 4 * step @ covariance @ step)
    return float(expected), float(variance)


def _check_setting(q: float, distance: float, gamma: float, temperature: float) -> None:
    if not 0 <= q <= 1:
        raise ValueError(f"q: expected a number in [0, 1], got {q}; it is the share of reward 1")
    if not 0 <= distance < math.inf:
        raise ValueError(
            f"distance: expected a finite number of at least 0, got {distance}; "
            "give the length of mu_2 - mu_1"
        )
    for name, value in (("gamma", gamma), ("temperature", temperature)):
        if not 0 < value < math.inf:
            raise ValueError(
                f"{name}: expected a finite positive number, got {value}; the closed forms hold "
                "for no other"
            )


def _check_variance(variance: float) -> None:
    if not 0 <= variance < math.inf:
        raise ValueError(
            f"variance: expected a finite number of at least 0, got {variance}; give s^2, not s"
        )
