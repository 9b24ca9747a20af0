"""Selections that cannot be made, and what is reported of those that can."""

from typing import Any

import numpy as np
import pytest

from data.errors import BadNumbers, ConfigError
from tasks.selection import SelectionConfig, check_selection
from tests.tasks.law import ACTIVE, SCORES, FloatArray, chosen


def test_every_setting_says_what_it_means_and_where_its_default_comes_from() -> None:
    for field in SelectionConfig.model_fields.values():
        assert field.description
        assert isinstance(field.json_schema_extra, dict)
        assert field.json_schema_extra["source"] in list("SQAFTRO")


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"scheme": "fresh"}, "pool_size: expected a number for scheme 'fresh', got nothing"),
        ({"scheme": "disjoint"}, "pool_size: expected a number for scheme 'disjoint'"),
        ({"pool_size": 4}, "pool_size: expected nothing for scheme 'all', got 4; leave it out"),
        ({"scheme": "grouped", "pool_size": 4}, "expected nothing for scheme 'grouped', got 4"),
        ({"temperature": -1.0}, "temperature"),
        ({"num_curated": 0}, "num_curated"),
        ({"scheme": "fresh", "pool_size": 0}, "pool_size"),
        ({"scheme": "expected", "pool_size": 0}, "pool_size"),
        (
            {"scheme": "expected", "active_reward": "alternate"},
            "active_reward: expected 'per-draw' for scheme 'expected', which draws nothing, got "
            "'alternate'; leave it out",
        ),
        (
            {"scheme": "expected", "replacement": False},
            "replacement: expected True for scheme 'expected', .* got False",
        ),
        (
            {"scheme": "expected", "keep_pools": True},
            "keep_pools: expected False for scheme 'expected', .* got True",
        ),
        (
            {"scheme": "expected", "score_noise": 0.1},
            "score_noise: expected 0.0 for scheme 'expected', .* got 0.1",
        ),
        (
            {"scheme": "expected", "flip_probability": 0.1},
            "flip_probability: expected 0.0 for scheme 'expected', .* got 0.1",
        ),
        ({"score_noise": -0.1}, "score_noise"),
        ({"flip_probability": -0.1}, "flip_probability"),
        ({"flip_probability": 1.1}, "flip_probability"),
    ],
)
def test_a_contradictory_configuration_is_refused(given: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        SelectionConfig(**given)


@pytest.mark.parametrize("pool_size", [None, 1, 5, 10_000])
def test_selection_in_expectation_may_have_a_pool_of_any_size(pool_size: int | None) -> None:
    config = SelectionConfig(scheme="expected", pool_size=pool_size, temperature=0.5)
    assert check_selection(config, 10) == []


def test_selection_in_expectation_draws_no_winners() -> None:
    text = "scheme: expected one that draws winners, got 'expected'; use `expected_winners`"
    with pytest.raises(ConfigError, match=text):
        chosen(SCORES, ACTIVE, scheme="expected")


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (
            {"replacement": False, "num_curated": 11},
            "num_curated without replacement: expected at most num_candidates = 10, got 11; raise",
        ),
        (
            {"scheme": "fresh", "pool_size": 11, "replacement": False, "num_curated": 3},
            "pool_size of scheme 'fresh': expected at most num_candidates = 10, got 11; lower it",
        ),
        (
            {"scheme": "disjoint", "pool_size": 11, "num_curated": 1},
            "pool_size of scheme 'disjoint': expected at most num_candidates = 10, got 11",
        ),
        (
            {"scheme": "disjoint", "pool_size": 4, "num_curated": 3},
            "expected at most num_candidates // pool_size = 10 // 4 = 2, got 3; raise .* to 12",
        ),
    ],
)
def test_a_selection_that_cannot_be_made_is_refused(given: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        check_selection(SelectionConfig(**given), 10)


@pytest.mark.parametrize(
    ("given", "warnings"),
    [
        ({}, []),
        ({"scheme": "fresh", "pool_size": 10}, []),
        (
            {"scheme": "fresh", "pool_size": 11},
            ["pool_size 11 exceeds num_candidates 10: every pool repeats candidates"],
        ),
        ({"scheme": "disjoint", "pool_size": 5, "num_curated": 2}, []),
        (
            {"scheme": "disjoint", "pool_size": 4, "num_curated": 2},
            ["scheme 'disjoint' leaves 2 of 10 candidates out of every pool"],
        ),
    ],
)
def test_repeated_and_unused_candidates_are_reported(
    given: dict[str, Any], warnings: list[str]
) -> None:
    assert check_selection(SelectionConfig(**given), 10) == warnings


@pytest.mark.parametrize(
    ("scores", "active", "given", "text"),
    [
        (np.zeros(4), [0], {}, r"scores: expected one row a candidate .* got shape \(4,\)"),
        (np.zeros((0, 2)), [0], {}, r"scores: expected one row a candidate .* got shape \(0, 2\)"),
        (SCORES, [0.0], {}, r"active: expected one integer a draw, got float64 of shape \(1,\)"),
        (SCORES, [[0]], {}, r"active: expected one integer a draw, got int64 of shape \(1, 1\)"),
        (SCORES, [0, 2], {}, "active: expected reward indices from 0 to 1, got 0 to 2"),
        (SCORES, [-1], {}, "active: expected reward indices from 0 to 1, got -1 to -1"),
        (SCORES, [0], {"temperature": -1.0}, "selection: temperature: .*greater than or equal"),
        (SCORES, [0], {"scheme": "fresh"}, "selection: .*pool_size: expected a number"),
        (SCORES, [0], {"scheme": "best"}, "selection: scheme: .*'all', 'fresh'"),
        (SCORES, [0] * 5, {"replacement": False}, "num_curated without replacement"),
        (SCORES, [0], {"scheme": "grouped"}, "groups: expected one integer .* got nothing; pass"),
        (
            SCORES,
            [0],
            {"scheme": "grouped", "groups": np.zeros(3, dtype=int)},
            r"groups: expected one integer for each of 4 .* got int64 of shape \(3,\)",
        ),
        (
            SCORES,
            [0, 1, 0],
            {"scheme": "grouped", "groups": np.array([0, 1, 0, 1])},
            "active: expected one draw for each of 2 groups of scheme 'grouped', got 3",
        ),
        (
            SCORES * 1e4,
            [0],
            {"temperature": 1e-310},
            "temperature: expected the spread of scores over it to be finite, got 17000 over",
        ),
        (
            SCORES * 1.2e308,
            [0],
            {"temperature": 2.0},
            "temperature: expected the spread of scores .* got inf over 2; scale the rewards",
        ),
    ],
)
def test_arguments_that_do_not_fit_are_refused(
    scores: FloatArray, active: list[Any], given: dict[str, Any], text: str
) -> None:
    with pytest.raises(ConfigError, match=text):
        chosen(scores, active, **given)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_score_that_is_not_finite_is_refused_with_its_place(value: float) -> None:
    scores = SCORES.copy()
    scores[2, 1] = value
    text = f"scores: expected finite numbers, got {value} at row 2, reward column 1 .1 in all."
    with pytest.raises(BadNumbers, match=text):
        chosen(scores, ACTIVE)
