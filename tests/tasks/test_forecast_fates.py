"""Fates of a loop: each is the one that a user who ran it would see."""

from typing import Any

import pytest

from tasks.forecast import Forecast
from tasks.forecast_words import warnings_of
from tests.tasks.test_forecast import forecast, fresh, three

TURNS = {"active_reward": "per-round"}


def unequal(distance: float) -> dict[str, Any]:
    """Two quadratic rewards at this distance, the second twice as strong."""
    rewards = [
        {"kind": "quadratic", "centre": [side * distance / 2, 0.0], "gamma": gamma, "weight": 0.5}
        for side, gamma in ((-1, 1.0), (1, 2.0))
    ]
    return {"rewards": rewards}


@pytest.mark.parametrize(
    ("changes", "fate"),
    [
        ({}, "stays plural"),
        ({"selection": fresh(1)}, "changes nothing"),
        ({"selection": fresh(1), "q": 1.0}, "changes nothing"),
        ({"selection": fresh(1) | TURNS}, "changes nothing"),
        ({"selection": fresh(2)}, "drifts"),
        ({"selection": fresh(2), "q": 0.7}, "collapses"),
        ({"selection": fresh(2), "q": 1.0}, "collapses"),
        ({"selection": fresh(3)}, "stays plural"),
        ({"num_candidates": 2}, "drifts"),
        ({"num_candidates": 2, "q": 0.7}, "collapses"),
        ({"selection": TURNS}, "collapses"),
        ({"selection": TURNS, "q": 1.0}, "collapses"),
        ({"q": 0.0}, "collapses"),
        ({"distance": 0.8}, "collapses"),
        (unequal(1.0), "undecided"),
        (unequal(1.0) | {"selection": fresh(1)}, "changes nothing"),
        (unequal(6.0), "stays plural"),
        ({"rewards": three((1, 1, 1))}, "stays plural"),
        ({"rewards": three((0.2, 0.3, 0.5)), "selection": fresh(4)}, "collapses"),
        ({"selection": {"temperature": 0.0}}, "stays plural"),
    ],
)
def test_the_fate_is_that_of_the_loop(changes: dict[str, Any], fate: str) -> None:
    found = forecast(2, **changes)
    assert found.fate == fate
    assert found.collapses == (fate == "collapses")
    if fate != "stays plural":
        assert warnings_of(found), "whatever is not plural is said in words"


def test_a_pool_of_one_stays_where_p_0_is() -> None:
    found = forecast(5, selection=fresh(1), initial={"mean": [1.0, 0.0]})
    assert warnings_of(found) == ["K = 1 selects nothing: the loop retrains on its own samples"]
    assert found.limit == pytest.approx(found.path[0])
    assert found.outside is not None
    assert found.outside[-1] == pytest.approx(found.outside[0])


def test_a_balanced_pair_drifts_and_the_pool_that_holds_it_is_named() -> None:
    by_pool, by_candidates = forecast(2, selection=fresh(2)), forecast(2, num_candidates=2)
    said = (
        "K = 2 with weights .5/.5: nothing holds the shares, they only drift, and a finite sample "
        "loses one preference in the end; the smallest K that keeps it is 3"
    )
    assert warnings_of(by_pool) == warnings_of(by_candidates) == [said]
    assert by_candidates.pool_size == 2


def test_rewards_that_take_turns_are_said_to_collapse_the_model_onto_one_at_a_time() -> None:
    departure, fate = warnings_of(forecast(2, selection=TURNS))
    assert departure.startswith("not forecast: selection.active_reward per-round; the shares are")
    assert fate == "one reward decides a whole round: the model collapses onto one at a time"


def test_the_undecided_show_the_share_of_the_idealised_model_and_no_smallest_pool() -> None:
    found = forecast(20, **unequal(1.0))
    assert found.limit == pytest.approx(found.path[-1])
    assert (found.num_modes, found.smallest_safe_pool) == (None, None)
    (said,) = warnings_of(found)
    assert said.startswith("the rewards lie so near each other that they may settle on one")


def test_a_reward_that_never_has_weight_is_left_out() -> None:
    found: Forecast = forecast(2, rewards=three((0.0, 0.3, 0.5)))
    assert found.names == ["quadratic-2", "quadratic-3"]
    assert found.weights == pytest.approx([0.375, 0.625])
    assert found.fate == "stays plural"
    assert warnings_of(found) == []
    assert len(found.effect_of_q) == 9


def test_a_weighted_sum_is_one_preference() -> None:
    parts = three((1, 0, 1))[::2]
    measured = [part | {"weight": 0.0} for part in parts]
    found = forecast(2, rewards=[*measured, {"kind": "weighted-sum", "parts": parts}])
    assert found.names == ["weighted-sum-3"]
    assert warnings_of(found) == [
        "one preference (weighted-sum-3) decides every draw and takes all"
    ]
