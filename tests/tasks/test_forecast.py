"""Forecasts: limits, paths on the grid, what dies out, and what is said about it."""

from typing import Any

import numpy as np
import pytest

from flows.domain import find_domain, merge
from flows.gmm import paper
from tasks.forecast import Forecast, forecast_config, pool_of
from tasks.forecast_words import warnings_of
from tasks.limit_shares import SHARES
from tasks.settings import RunConfig, parse_config
from theory.limits import finite_pool_limit, quadratic_limit


def configured(**changes: Any) -> RunConfig:
    expand = find_domain("gmm").expand
    return parse_config(expand(merge(paper().model_dump(mode="json"), changes)))


def forecast(rounds: int = 30, **changes: Any) -> Forecast:
    return forecast_config(configured(**changes), rounds)


def fresh(pool_size: int) -> dict[str, Any]:
    return {"scheme": "fresh", "pool_size": pool_size}


def three(weights: tuple[float, ...]) -> list[dict[str, Any]]:
    centres = ((-4.0, 0.0), (0.0, 4.0), (4.0, 0.0))
    return [
        {"kind": "quadratic", "centre": centre, "weight": weight}
        for centre, weight in zip(centres, weights, strict=True)
    ]


@pytest.mark.parametrize(("q", "size"), [(0.3, 8), (0.5, 4), (0.4, 3), (0.2, 16)])
def test_the_limit_is_that_of_the_finite_pool_map(q: float, size: int) -> None:
    found = forecast(q=q, selection=fresh(size))
    np.testing.assert_allclose(found.limit, finite_pool_limit((q, 1 - q), size), atol=1e-12)
    assert found.pool_size == size
    assert found.num_modes == 2
    assert not found.collapses


def test_the_path_on_the_grid_comes_to_the_limit_it_was_not_told() -> None:
    for changes in ({"q": 0.3}, {"q": 0.3, "selection": fresh(8)}, {"q": 0.7, "distance": 4.0}):
        found = forecast(60, **changes)
        assert found.path.shape == (61, 2)
        np.testing.assert_allclose(found.path.sum(axis=1), 1, rtol=1e-9)
        np.testing.assert_allclose(found.path[-1], found.limit, atol=2e-3)


def test_an_infinite_pool_with_leakage_has_the_limit_of_the_two_modes() -> None:
    found = forecast(q=0.4, distance=2.0)
    limit = quadratic_limit(0.4, 2.0, 1.0)
    np.testing.assert_allclose(found.limit, limit.shares)
    assert found.limit[0] < 0.4
    assert found.num_modes == 2
    assert any(one.startswith("leakage between the two modes") for one in found.assumptions)


def test_mass_outside_falls_and_its_round_is_named() -> None:
    found = forecast()
    assert found.outside is not None
    assert (np.diff(found.outside) < 1e-12).all()
    first = found.rounds_to(0.01)
    assert first is not None
    assert found.outside[first] <= 0.01 < found.outside[first - 1]
    assert found.rounds_to(-1.0) is None
    assert forecast(selection={"temperature": 0.0}).rounds_to(0.01) == 1, "one choice of the best"
    assert forecast(evaluation={"basin_epsilon": 1e-6}).rounds_to(0.5) is None


def test_the_start_is_where_p_0_is_in_whatever_direction_the_rewards_lie() -> None:
    aside = forecast(initial={"mean": [2.0, 0.0]})
    assert aside.path[0, 0] < 0.05
    np.testing.assert_allclose(aside.path[-1], 0.5, atol=2e-3)
    assert forecast().path[0] == pytest.approx([0.5, 0.5])
    upright = [{"kind": "quadratic", "centre": [1.0, y], "weight": 0.5} for y in (-3.0, 3.0)]
    turned = forecast(rewards=upright, initial={"mean": [1.0, 2.0]})
    np.testing.assert_allclose(turned.path, aside.path, atol=1e-9)
    flat = {"covariance": [[9.0, 0.0], [0.0, 1.0]]}
    assert forecast(initial=flat | {"mean": [2.0, 0.0]}).path[0, 0] > 0.2


def test_basins_smaller_than_the_grid_leave_the_outside_mass_open() -> None:
    found = forecast(evaluation={"basin_epsilon": 1e-6})
    assert found.outside is None


def test_the_effect_of_q_is_the_limit_at_each_q() -> None:
    found = forecast(q=0.3, selection=fresh(4)).effect_of_q
    assert [q for q, _, _ in found] == list(SHARES)
    for q, share, number in found:
        assert share == pytest.approx(finite_pool_limit((q, 1 - q), 4)[0], abs=1e-12)
        assert number == (2 if 0.25 < q < 0.75 else 1)
    assert forecast(rewards=three((1, 1, 1))).effect_of_q == []
    plain = forecast(selection={"temperature": 0.0}).effect_of_q
    assert plain[2][::2] == (0.3, None)
    assert plain[2][1] == pytest.approx(0.3)


def test_a_minority_dies_out_in_a_pair_and_the_smallest_pool_that_keeps_it_is_named() -> None:
    found = forecast(q=0.7, selection=fresh(2))
    assert found.survives == [True, False]
    assert found.collapses
    assert warnings_of(found) == [
        "K = 2 with weights .7/.3: the minority (quadratic-2) dies out; the smallest K that keeps "
        "it is 4"
    ]
    assert forecast(q=0.7, selection=fresh(4)).survives == [True, True]
    assert warnings_of(forecast(q=0.7, selection=fresh(4))) == []


def test_a_minority_lost_to_leakage_is_not_told_to_take_another_pool() -> None:
    for selection in (fresh(64), {}):
        found = forecast(q=0.9, distance=1.2, selection=selection)
        (said,) = warnings_of(found)
        assert "one compromise mode, whatever the pool" in said
        assert "smallest" not in said
        assert found.smallest_safe_pool is None


def test_the_smallest_pool_that_is_named_counts_leakage() -> None:
    found = forecast(q=0.85, distance=1.6, selection=fresh(16))
    assert found.fate == "collapses"
    (said,) = warnings_of(found)
    assert said.endswith(f"dies out; the smallest K that keeps it is {found.smallest_safe_pool}")
    assert found.smallest_safe_pool is not None and found.smallest_safe_pool > 16
    kept = forecast(q=0.85, distance=1.6, selection=fresh(found.smallest_safe_pool))
    assert (kept.fate, warnings_of(kept)) == ("stays plural", [])


def test_a_weight_so_small_that_no_pool_keeps_it_is_said_to_be_so() -> None:
    (said,) = warnings_of(forecast(q=0.9999, selection=fresh(8)))
    assert said.endswith("(quadratic-2) dies out; no pool of up to 4096 keeps it")


def test_rewards_that_are_too_near_settle_on_a_compromise() -> None:
    found = forecast(distance=0.8)
    assert found.num_modes == 1
    assert found.collapses
    assert warnings_of(found) == [
        "the rewards are too near each other for these weights: the loop settles on one "
        "compromise mode, whatever the pool; move them apart, or lower the temperature"
    ]
    assert forecast(distance=0.8, selection={"temperature": 0.1}).num_modes == 2


@pytest.mark.parametrize("q", [0.0, 1.0])
def test_one_preference_that_decides_all_is_forecast_alone(q: float) -> None:
    found = forecast(q=q)
    deciding = "quadratic-2" if q == 0 else "quadratic-1"
    assert found.names == [deciding], "a reward that is only measured has no basin to lose"
    assert found.limit.tolist() == [1.0]
    assert found.fate == "collapses"
    assert found.effect_of_q == []
    assert warnings_of(found) == [f"one preference ({deciding}) decides every draw and takes all"]


def test_a_schedule_counts_with_the_weights_it_ends_at() -> None:
    knots = [{"iteration": 0, "weights": [0.9, 0.1]}, {"iteration": 20, "weights": [0.4, 0.6]}]
    found = forecast(weight_schedule=knots)
    assert found.limit == pytest.approx([0.4, 0.6])
    assert found.path[5, 0] > 0.6


def test_a_reward_whose_weight_ends_in_the_rounds_ahead_dies_in_them() -> None:
    ending = [{"iteration": 0, "weights": [0.5, 0.5]}, {"iteration": 9, "weights": [1.0, 0.0]}]
    found = forecast(weight_schedule=ending)
    assert found.survives == [True, False]
    assert warnings_of(found) == [
        "one preference (quadratic-1) decides every draw in the end and takes all"
    ]
    later = forecast_config(configured(weight_schedule=ending), 5, first=9)
    assert later.names == ["quadratic-1"]
    assert later.path.shape == (6, 1)


def test_three_rewards_settle_where_the_map_does() -> None:
    found = forecast(60, rewards=three((0.2, 0.3, 0.5)))
    np.testing.assert_allclose(found.path[-1], [0.2, 0.3, 0.5], atol=1e-6)
    assert found.assumptions[0].startswith("leakage between the centres of at most")
    found = forecast(1, rewards=three((0.2, 0.3, 0.5)), selection=fresh(8))
    np.testing.assert_allclose(found.limit, finite_pool_limit((0.2, 0.3, 0.5), 8), atol=1e-9)
    assert (found.num_modes, found.fate) == (None, "stays plural")
    found = forecast(1, rewards=three((0.2, 0.3, 0.5)), selection=fresh(4))
    assert found.fate == "collapses"
    assert warnings_of(found) == [
        "K = 4 with weights .2/.3/.5: the minority (quadratic-1) dies out; the smallest K that "
        "keeps it is 5"
    ]


def test_where_no_grid_can_be_laid_the_map_is_followed_from_equal_shares() -> None:
    found = forecast(60, q=0.3, distance=6.0, initial={"mean": [-400.0, 0.0]}, selection=fresh(8))
    assert found.path[0] == pytest.approx([0.5, 0.5])
    np.testing.assert_allclose(found.path[-1], found.limit, atol=1e-6)
    assert found.assumptions[1:] == ["equal shares at the start"]
    assert found.outside is None


def test_a_shared_pool_counts_as_infinite_only_if_it_is_large() -> None:
    assert pool_of(configured()) is None
    assert pool_of(configured(num_candidates=64)) is None
    assert pool_of(configured(num_candidates=63)) == 63
    assert pool_of(configured(selection=fresh(5))) == 5
