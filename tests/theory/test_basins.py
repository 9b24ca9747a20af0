import numpy as np
import pytest

from tests.theory.models import random_models
from theory.basins import EmptyBasin, OverlappingBasins, find_basins, find_suprema


def test_a_basin_is_what_comes_within_epsilon_of_the_best_atom() -> None:
    for model in random_models(50):
        for reward in model.rewards:
            best = reward.max()
            (basin,) = find_basins(reward[np.newaxis], 0.5)
            assert [value >= best - 0.5 for value in reward] == basin.tolist()


def test_a_supremum_given_replaces_the_best_atom() -> None:
    rewards = [[0.0, -1.0, -3.0], [-3.0, -1.5, 0.0]]
    basins = find_basins(rewards, 1.0, suprema=[0.5, 0.0])
    assert basins.tolist() == [[True, False, False], [False, False, True]]


def test_atoms_that_are_not_present_neither_set_the_best_nor_belong() -> None:
    rewards = [[5.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    present = [False, True, True]
    assert find_suprema(rewards, present=present).tolist() == [1.0, 1.0]
    basins = find_basins(rewards, 0.0, present=present)
    assert basins.tolist() == [[False, True, False], [False, False, True]]
    # Above the supremum given, yet not present.
    basins = find_basins(rewards, 0.0, suprema=[1.0, 1.0], present=present)
    assert basins.tolist() == [[False, True, False], [False, False, True]]


def test_overlapping_basins_are_refused() -> None:
    with pytest.raises(
        OverlappingBasins,
        match=r"basins 0 and 1: expected no atom in common, got 1 shared .* the first at 1; lower",
    ):
        find_basins([[1.0, 0.9, 0.0], [0.0, 0.9, 1.0]], 0.2)
    assert issubclass(OverlappingBasins, ValueError)


def test_an_empty_basin_is_refused() -> None:
    with pytest.raises(
        EmptyBasin, match=r"basin 1: expected an atom with a reward of at least 4, got 1 at most"
    ):
        find_basins([[1.0, 0.0], [0.0, 1.0]], 1e-9, suprema=[1.0, 4.0])
    assert issubclass(EmptyBasin, ValueError)
