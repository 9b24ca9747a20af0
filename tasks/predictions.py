"""What the theory says about a model p_k, beside what was measured on it.

Two regimes have a closed form for two quadratic rewards with equal gamma: a one-component
model follows the moment-matched recursion (exact for a large sample), and a two-component
model tends to the limit of the infinite-pool update.
"""

import numpy as np

from generators.mixture import MixtureConfig, MixtureInitial
from tasks.agreement import Prediction, near
from tasks.assumptions import changing_rounds, small_pool, unplain_choice
from tasks.geometry import TwoModes, two_modes
from tasks.settings import RunConfig
from theory.limits import one_component_path, quadratic_limit, quadratic_reward_moments

# Rounds a two-component model is given to come near its limit before it is judged.
ROUNDS_TO_LIMIT = 10


def closed_forms(config: RunConfig, k: int) -> list[Prediction]:
    """Predicted moments and shares of p_k for two quadratic rewards and a Gaussian mixture."""
    modes = two_modes(config)
    if (
        modes is None
        or not isinstance(config.generator, MixtureConfig)
        or not isinstance(config.initial, MixtureInitial)
        or config.selection.temperature <= 0
    ):
        return []
    unmet = _unmet_assumption(config)
    first_two = config.generator.first_iteration_above_one()
    # A single preference keeps a Gaussian a Gaussian, whatever the number of components.
    if modes.q in (0.0, 1.0) or first_two is None or k <= first_two:
        return _one_component(config, modes, k, unmet)
    if k < first_two + ROUNDS_TO_LIMIT and unmet is None:
        unmet = f"k >= {first_two + ROUNDS_TO_LIMIT}, by when the limit is due"
    return _limit(config, modes, unmet)


def _one_component(
    config: RunConfig, modes: TwoModes, k: int, unmet: str | None
) -> list[Prediction]:
    assert isinstance(config.initial, MixtureInitial)
    covariance = modes.frame @ np.array(config.initial.covariance) @ modes.frame.T
    mean = modes.frame @ (np.array(config.initial.mean) - modes.midpoint)
    path = one_component_path(
        mean[0],
        covariance[0, 0],
        covariance[1, 1],
        q=modes.q,
        distance=modes.distance,
        gamma=modes.gamma,
        temperature=config.selection.temperature,
        iterations=k,
    )
    centre, along, across = path[-1]
    basis = "one-component recursion, infinite pool"
    if max(abs(mean[1]), abs(covariance[0, 1])) > 1e-9 and unmet is None:
        unmet = "p_0 symmetric about the axis through the reward centres"
    predictions = []
    for side, name in zip((-0.5, 0.5), config.reward_names, strict=True):
        expected, variance = quadratic_reward_moments(
            np.array([centre, 0.0]),
            np.diag([along, across]),
            np.array([side * modes.distance, 0.0]),
            modes.gamma,
        )
        # Sampling noise of k rounds adds up, and EM may split one Gaussian into two halves;
        # these tolerances cover both for a thousand samples.
        slack = 0.25 * float(np.sqrt(variance)) + 0.005 * modes.gamma * modes.distance**2
        predictions += [
            near(f"reward_mean.{name}", expected, slack, basis, unmet),
            near(
                f"reward_var.{name}",
                variance,
                0.5 * variance + 1e-4 * (modes.gamma * modes.distance**2) ** 2,
                basis,
                unmet,
            ),
        ]
    return predictions


def _limit(config: RunConfig, modes: TwoModes, unmet: str | None) -> list[Prediction]:
    limit = quadratic_limit(
        modes.q, modes.distance, modes.gamma, temperature=config.selection.temperature
    )
    basis = "limit of the infinite-pool update, m = tanh(beta m)"
    scale = modes.gamma * modes.distance**2
    predictions = []
    for index, name in enumerate(config.reward_names):
        predictions += [
            near(
                f"reward_mean.{name}", float(limit.reward_means[index]), 0.1 * scale, basis, unmet
            ),
            near(
                f"reward_var.{name}",
                float(limit.reward_variances[index]),
                0.05 * scale**2,
                basis,
                unmet,
            ),
        ]
        if limit.num_modes == 2:
            share = float(limit.shares[index])
            predictions.append(near(f"basin_mass.{name}", share, 0.08, basis, unmet))
    return predictions


def _unmet_assumption(config: RunConfig) -> str | None:
    assert isinstance(config.generator, MixtureConfig)
    unmet = changing_rounds(config) or unplain_choice(config) or small_pool(config)
    numbers = [number for _, number in config.generator.components]
    if unmet is None and numbers not in ([1], [1, 2], [2]):
        return "one component, then at most two"
    return unmet
