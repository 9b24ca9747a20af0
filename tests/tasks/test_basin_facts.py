"""Basins of candidates, and what the theory says of a round that starts from them."""

import math
from typing import Any

import numpy as np
import pytest

import tasks.basin_facts
from tasks.basin_facts import BasinFacts, basins_of, measure_basins
from theory.dynamics import step

# Five candidates, two rewards: one in each basin of eps = 1, two in the first, one outside.
SCORES = np.array([[0.0, -9.0], [-0.5, -8.0], [-4.0, -4.0], [-9.0, 0.0], [-7.0, -2.5]])
MASSES = np.array([0.1, 0.2, 0.4, 0.2, 0.1])
UNKNOWN = np.full(2, np.nan)


def facts(**given: Any) -> BasinFacts:
    plain: dict[str, Any] = {
        "suprema": np.zeros(2),
        "epsilon": 1.0,
        "temperature": 1.0,
        "pool_size": None,
    }
    given = plain | given
    basins = basins_of(SCORES, given["epsilon"], given["suprema"])
    assert basins is not None
    return measure_basins(MASSES, SCORES, basins, np.array([0.3, 0.7]), **given)


def test_a_basin_holds_the_candidates_within_epsilon_of_the_supremum() -> None:
    basins = basins_of(SCORES, 1.0, np.zeros(2))
    assert basins is not None
    assert basins.astype(int).tolist() == [[1, 1, 0, 0, 0], [0, 0, 0, 1, 0]]


def test_without_a_supremum_the_best_candidate_stands_for_it() -> None:
    shifted = basins_of(SCORES - 2, 1.0, UNKNOWN)
    np.testing.assert_array_equal(shifted, basins_of(SCORES, 1.0, np.zeros(2)))
    empty = basins_of(SCORES - 2, 1.0, np.zeros(2))
    assert empty is not None
    assert not empty.any()


def test_basins_that_overlap_are_none() -> None:
    assert basins_of(SCORES, 4.0, np.zeros(2)) is None


def test_masses_gaps_and_leakage_are_those_of_the_definitions() -> None:
    found = facts()
    assert found.masses == pytest.approx([0.3, 0.2])
    assert found.outside == pytest.approx(0.5)
    np.testing.assert_allclose(found.gaps, [[0, 9], [8, 0]])
    np.testing.assert_allclose(found.eta, [[0, np.exp(-8)], [np.exp(-7), 0]])


@pytest.mark.parametrize("pool_size", [None, 3])
def test_the_multiplier_bounds_what_a_round_leaves_outside(pool_size: int | None) -> None:
    found = facts(pool_size=pool_size)
    after = step(MASSES, SCORES.T, (0.3, 0.7), pool_size=pool_size, temperature=1.0)
    growth = after / MASSES
    assert found.multiplier == pytest.approx(max(growth[2], growth[4]), rel=1e-6)
    assert after[[2, 4]].sum() <= found.multiplier * found.outside + 1e-12


def test_the_bound_is_below_what_an_infinite_pool_gives() -> None:
    found = facts()
    after = step(MASSES, SCORES.T, (0.3, 0.7), pool_size=None, temperature=1.0)
    assert (found.bound <= found.basins @ after + 1e-12).all()
    assert (found.bound > 0).all()


def test_the_interval_encloses_the_weights_and_both_survive() -> None:
    found = facts()
    assert (found.interval[:, 0] < [0.3, 0.7]).all()
    assert (found.interval[:, 1] > [0.3, 0.7]).all()
    assert found.survives.tolist() == [True, True]
    assert facts(temperature=20.0).survives.tolist() == [False, False]


def test_without_mass_outside_nothing_is_multiplied() -> None:
    rows = [0, 1, 3]
    basins = basins_of(SCORES[rows], 1.0, np.zeros(2))
    assert basins is not None
    found = measure_basins(
        np.full(3, 1 / 3), SCORES[rows], basins, np.array([0.3, 0.7]),
        suprema=np.zeros(2), epsilon=1.0, temperature=1.0, pool_size=4,
    )  # fmt: skip
    assert found.multiplier == 0
    assert found.outside == 0


def test_a_finite_pool_of_too_many_candidates_has_no_multiplier(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tasks.basin_facts, "LARGEST_FINITE", 4)
    assert math.isnan(facts(pool_size=3).multiplier)
    assert not math.isnan(facts().multiplier)
