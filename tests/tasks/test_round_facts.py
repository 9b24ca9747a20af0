"""A committed round in the terms of the theory: where it can be described, and where not."""

from typing import Any

import numpy as np
import pytest

from tasks.round_facts import (
    NoBasins,
    Round,
    basin_metrics,
    high_reward_metrics,
    measure_round,
)
from tests.flows.conftest import MakeRun

NAMES = ["left", "right"]


def test_a_round_is_read_from_its_candidates_and_winners(make_run: MakeRun) -> None:
    context = make_run(changes={"distance": 3.0})
    found = measure_round(context, 2)
    assert isinstance(found, Round)
    assert found.sizes == (200, 200)
    candidates = context.table(2, "sample", "candidates.parquet")
    points = np.column_stack([candidates["x"].to_numpy(), candidates["y"].to_numpy()])
    # eps = 1 and gamma = 1: the discs of radius 1 around the centres.
    discs = [((points - [x, 0]) ** 2).sum(axis=1) <= 1 for x in (-1.5, 1.5)]
    assert found.facts.masses == pytest.approx([disc.mean() for disc in discs])
    ids = context.table(2, "select", "winners.parquet")["candidate_id"].to_numpy()
    assert found.curated == pytest.approx([disc[ids].mean() for disc in discs])


def test_in_expectation_masses_and_chances_stand_for_rows(make_idealised: MakeRun) -> None:
    context = make_idealised({"q": 0.3})
    found = measure_round(context, 1)
    assert isinstance(found, Round)
    assert found.sizes == ()
    after = context.model(2).support()["mass"].to_numpy()  # type: ignore[attr-defined]
    assert found.curated == pytest.approx(found.facts.basins @ after)


@pytest.mark.parametrize(
    ("changes", "assumption", "num_held"),
    [
        ({"distance": 1.0}, "basins that do not overlap", 2),
        ({"distance": 40.0}, "a candidate in every basin", 0),
        ({"distance": 3.0, "selection": {"temperature": 0.0}}, "a positive temperature", 2),
    ],
)
def test_a_round_that_basins_cannot_describe_says_why(
    make_run: MakeRun, changes: dict[str, Any], assumption: str, num_held: int
) -> None:
    context = make_run(changes={"iterations": 1, **changes})
    assert measure_round(context, 0) == NoBasins(assumption, num_held)


def test_in_expectation_a_basin_whose_atoms_have_no_mass_holds_no_candidate(
    make_idealised: MakeRun,
) -> None:
    narrow = {"shape": "gaussian", "mean": [-3.0, 0.0], "covariance": [[0.01, 0.0], [0.0, 0.01]]}
    context = make_idealised({"iterations": 1, "initial": narrow})
    assert measure_round(context, 0) == NoBasins("a candidate in every basin", 1)


def test_metrics_of_a_round_are_leakage_and_multiplier(make_run: MakeRun) -> None:
    found = measure_round(make_run(changes={"distance": 3.0}), 1)
    assert isinstance(found, Round)
    assert basin_metrics(NAMES, found) == {
        "outside_multiplier": found.facts.multiplier,
        "eta.left.right": found.facts.eta[0, 1],
        "eta.right.left": found.facts.eta[1, 0],
    }
    assert basin_metrics(NAMES, NoBasins("any", 1)) == {}


def test_masses_of_a_model_are_those_in_its_basins_and_outside() -> None:
    basins = np.array([[True, False, False], [False, False, True]])
    measured = high_reward_metrics(NAMES, basins, np.array([0.2, 0.3, 0.5]))
    assert measured == pytest.approx(
        {"high_reward_mass.left": 0.2, "high_reward_mass.right": 0.5, "outside_mass": 0.3}
    )
    assert high_reward_metrics(NAMES, None, np.ones(3) / 3) == {}
