"""Forecast from candidates: the update on them, and the spread that resampling gives."""

from typing import Any

import numpy as np
import pytest

from tasks.candidate_forecast import basins_by_rank, forecast_candidates
from theory.dynamics import iterate

POINTS = np.random.default_rng(3).standard_normal((200, 2))
SCORES = -np.stack([((POINTS - [x, 0]) ** 2).sum(axis=1) for x in (-3.0, 3.0)], axis=1)
LABELS = (POINTS[:, 0] > 0).astype(np.int64)


def forecast(**given: Any) -> Any:
    given = {
        "schedule": constant(0.3, 10), "pool_size": None, "temperature": 1.0, "resamples": 20,
        "rng": np.random.default_rng(1), "labels": LABELS, "scores": SCORES,
    } | given  # fmt: skip
    return forecast_candidates(
        given.pop("scores"), given.pop("labels"), given.pop("schedule"), **given
    )


def constant(q: float, rounds: int) -> Any:  # (T, 2)
    return np.tile([q, 1 - q], (rounds, 1))


def test_the_path_is_that_of_the_update_on_equally_likely_candidates() -> None:
    found = forecast()
    steps = iterate(
        np.full(200, 1 / 200), SCORES.T, (0.3, 0.7), iterations=10, pool_size=None, temperature=1.0
    )
    first = steps[:, LABELS == 0].sum(axis=1)
    np.testing.assert_allclose(found.path, np.column_stack([first, 1 - first]), atol=1e-12)


def test_distant_rewards_end_at_their_weights() -> None:
    assert forecast().path[-1] == pytest.approx([0.3, 0.7], abs=0.01)


def test_the_interval_is_that_of_the_share_after_one_round() -> None:
    found = forecast(scores=0.1 * SCORES, resamples=100)
    assert (found.low < found.path[1]).all()
    assert (found.path[1] < found.high).all()
    assert (found.high - found.low > 0.01).all()
    assert (found.high - found.low < 0.2).all()
    longer = forecast(scores=0.1 * SCORES, resamples=100, schedule=constant(0.3, 30))
    np.testing.assert_array_equal(longer.low, found.low)


def test_a_whole_support_starts_from_its_masses_and_has_no_interval() -> None:
    masses = np.where(LABELS == 0, 1.0, 3.0)
    masses /= masses.sum()
    found = forecast(masses=masses)
    assert (found.low, found.high) == (None, None)
    assert found.path[0] == pytest.approx([masses[LABELS == 0].sum(), masses[LABELS == 1].sum()])
    steps = iterate(masses, SCORES.T, (0.3, 0.7), iterations=10, pool_size=None, temperature=1.0)
    np.testing.assert_allclose(found.path[:, 0], steps[:, LABELS == 0].sum(axis=1), atol=1e-12)
    emptied = np.where(LABELS == 0, masses, 0.0)
    np.testing.assert_allclose(forecast(masses=emptied / emptied.sum()).path[:, 1], 0)


def test_the_mass_outside_is_that_of_candidates_in_no_basin() -> None:
    inside = np.abs(POINTS[:, 0]) > 1.5
    found = forecast(inside=inside)
    assert found.outside[0] == pytest.approx(1 - inside.mean())
    assert (np.diff(found.outside) < 0).all()
    assert found.outside.shape == (11,)
    assert forecast().outside is None


def test_the_best_of_a_pool_alone_is_taken_at_temperature_0() -> None:
    found = forecast(temperature=0.0)
    assert found.path[1] == pytest.approx([0.3, 0.7])
    assert found.path[-1] == pytest.approx([0.3, 0.7])


def test_resamples_follow_the_generator_and_the_path_does_not() -> None:
    first, again, other = (forecast(rng=np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.low, again.low)
    np.testing.assert_array_equal(first.path, other.path)
    assert (first.low != other.low).any()


def test_a_pool_of_one_moves_nothing() -> None:
    found = forecast(pool_size=1)
    np.testing.assert_allclose(found.path - found.path[0], 0, atol=1e-12)


def test_weights_may_change_over_rounds() -> None:
    schedule = np.repeat([[1.0, 0.0], [0.0, 1.0]], 5, axis=0)
    path = forecast(schedule=schedule).path
    assert path[5, 0] > 0.99
    assert path[10, 0] < path[5, 0]


def test_without_labels_a_candidate_belongs_to_the_reward_it_ranks_best_under() -> None:
    scores = np.array([[0.9, 10.0], [0.5, 30.0], [0.1, 20.0]])
    assert basins_by_rank(scores).tolist() == [0, 1, 1]
    by_rank = forecast(labels=None).path[-1]
    assert by_rank == pytest.approx(forecast().path[-1], abs=0.05)


def test_equal_ranks_belong_to_the_first_reward() -> None:
    assert basins_by_rank(np.zeros((3, 2))).tolist() == [0, 0, 0]
