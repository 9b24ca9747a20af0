"""The idealised model from the configured start: against the loop itself, turned and far away."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from flows.domain import arm_configs, find_domain, find_preset
from rewards.registry import find_reward
from tasks.idealised_path import IdealisedPath, idealised_path, leakage_at_centres
from tasks.settings import RunConfig
from tests.flows.conftest import MakeRun
from tests.tasks.test_forecast import configured, three


def path_of(config: RunConfig, rounds: int = 20) -> IdealisedPath | None:
    rewards = [find_reward(reward.kind)(reward) for reward in config.rewards]
    schedule = np.tile(config.weights, (rounds, 1))
    return idealised_path(config, rewards, schedule, config.selection.pool_size)


def given(rounds: int = 20, **changes: Any) -> IdealisedPath:
    found = path_of(configured(**changes), rounds)
    assert found is not None
    return found


def idealised(**changes: Any) -> RunConfig:
    domain = find_domain("density")
    (config,) = arm_configs(domain, find_preset(domain, "c9"), changes).values()
    return config


def rewards_at(*centres: Sequence[float]) -> list[dict[str, Any]]:
    return [{"kind": "quadratic", "centre": list(centre), "weight": 0.5} for centre in centres]


def test_a_start_far_off_the_midpoint_lies_on_the_grid() -> None:
    aside = given(initial={"mean": [-8.0, 0.0]})
    assert aside.shares[0] == pytest.approx([1.0, 0.0], abs=1e-12)
    assert aside.outside is not None
    assert aside.outside[0] > 0.999, "p_0 lies beyond both basins"
    np.testing.assert_allclose(aside.shares[-1], 0.5, atol=1e-6)
    other = given(initial={"mean": [8.0, 0.0]})
    np.testing.assert_allclose(other.shares, aside.shares[:, ::-1], atol=1e-9)


def test_rewards_off_the_axis_give_the_same_path_as_on_it() -> None:
    on_it = given(rewards=rewards_at((-3, 0), (3, 0)), initial={"mean": [1.0, 0.5]})
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])
    left, right = ((turn @ [x, 0.0] + [5.0, -2.0]).tolist() for x in (-3.0, 3.0))
    mean = turn @ [1.0, 0.5] + [5.0, -2.0]
    turned = given(rewards=rewards_at(left, right), initial={"mean": mean.tolist()})
    np.testing.assert_allclose(turned.shares, on_it.shares, atol=1e-9)
    assert on_it.outside is not None and turned.outside is not None
    np.testing.assert_allclose(turned.outside, on_it.outside, atol=1e-3)


def test_one_reward_alone_narrows_p_0_as_a_gaussian_is_narrowed() -> None:
    # One reward at (3, 0), infinite pool: p_t is a Gaussian of precision 1 + 2t around 6t/(1+2t).
    config = configured(q=0.0, evaluation={"basin_epsilon": 4.0})
    found = path_of(config, 6)
    assert found is not None and found.outside is not None
    assert (np.diff(found.outside) < 0).all()
    num, rng = 400_000, np.random.default_rng(2)
    for t in (0, 1, 2, 4):
        spread = 1 / np.sqrt(1 + 2 * t)
        x, y = rng.standard_normal((2, num)) * spread
        x += 6 * t * spread**2
        near = [(x - centre) ** 2 + y**2 <= 4 for centre in (-3.0, 3.0)]
        assert found.outside[t] == pytest.approx(1 - np.logical_or(*near).mean(), abs=0.03)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"q": 0.3},
        {"distance": 2.0, "q": 0.25},
        {"selection": {"pool_size": 4}, "q": 0.7},
        {"initial": {"shape": "gaussian", "mean": [-2.0, 0.0]}},
    ],
)
def test_a_density_takes_its_own_support_and_is_the_run_in_expectation(
    make_idealised: MakeRun, changes: dict[str, Any]
) -> None:
    found = path_of(idealised(**changes), 3)
    assert found is not None and found.outside is not None
    context = make_idealised(changes)
    for k in range(4):
        support = context.model(k).support()  # type: ignore[attr-defined]
        x, masses = support["x"].to_numpy(), support["mass"].to_numpy()
        scores = np.array([reward(support.select(["x", "y"])) for reward in context.rewards])
        left = masses[scores[0] >= scores[1]].sum()
        assert found.shares[k] == pytest.approx([left, 1 - left], abs=1e-9)
        half = context.config.rewards[1].centre[0]  # type: ignore[attr-defined]
        near = np.minimum(abs(x - half), abs(x + half))
        outside = masses[5 * np.exp(-(near**2) / 2) < 4.9].sum()
        assert found.outside[k] == pytest.approx(outside, abs=1e-9)


def test_a_distance_that_the_grid_cannot_resolve_leaves_the_mass_outside_open() -> None:
    for epsilon in (1.0, 100.0):
        found = given(distance=500.0, evaluation={"basin_epsilon": epsilon})
        assert found.outside is None, "too coarse a grid, or p_0 underflows in the basins"
        np.testing.assert_allclose(found.shares, 0.5, atol=1e-9)


def test_a_start_too_far_for_floating_point_has_no_path() -> None:
    assert path_of(configured(initial={"mean": [-400.0, 0.0]})) is None


def test_without_points_or_basins_there_is_no_path() -> None:
    parts = three((1, 1, 1))
    mixed = [parts[0], {"kind": "gaussian-bump", "centre": [3.0, 0.0], "weight": 1.0}]
    assert path_of(configured(rewards=mixed)) is None
    summed = [{"kind": "weighted-sum", "parts": parts}]
    assert path_of(configured(rewards=summed)) is None


def test_two_rewards_at_one_place_still_have_a_grid() -> None:
    found = given(rewards=rewards_at((1, 1), (1, 1)))
    np.testing.assert_allclose(found.shares.sum(axis=1), 1)


def test_leakage_at_the_centres_is_the_loss_of_the_score_between_them() -> None:
    rewards = [find_reward(one.kind)(one) for one in configured(rewards=three((1, 1, 1))).rewards]
    eta = leakage_at_centres(rewards, 8.0)
    assert eta is not None
    squared = np.array([[0, 32, 64], [32, 0, 32], [64, 32, 0]])
    np.testing.assert_allclose(eta, np.exp(-squared / 8))
    assert leakage_at_centres(rewards, 0.0) is None
    summed = configured(rewards=[{"kind": "weighted-sum", "parts": three((1, 1, 1))}]).rewards[0]
    assert leakage_at_centres([find_reward(summed.kind)(summed)], 8.0) is None
