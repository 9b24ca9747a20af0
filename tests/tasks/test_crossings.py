"""Crossings, collapse times and lags of curves whose answer is known."""

import math

import numpy as np
import pytest

from tasks.crossings import collapse_time, first_crossing, mean_lag


def test_a_crossing_lies_on_the_straight_line_between_two_points() -> None:
    assert first_crossing([0.0, 0.0, 1.0, 0.0], 0.25) == 1.25
    assert first_crossing([1.0, 0.0], 0.25) == 0.75, "falling"
    assert first_crossing([0.5, 0.0, 1.0], 0.5) == 0, "there at once"
    assert first_crossing([1.0, 0.0, 0.0, 1.0], 0.5, start=1) == 2.5


def test_a_level_that_is_never_reached_is_infinitely_late() -> None:
    assert first_crossing([0.0, 0.4], 0.5) == math.inf
    assert first_crossing([0.9, 0.8], 0.5) == math.inf


@pytest.mark.parametrize("curve", [[], [0.0, math.nan, 1.0]])
def test_a_curve_with_gaps_has_no_crossing(curve: list[float]) -> None:
    assert math.isnan(first_crossing(curve, 0.5))
    assert math.isnan(collapse_time(curve, 0.5))


def test_a_geometric_fall_collapses_when_its_rate_says() -> None:
    assert collapse_time(40 * 0.1 ** np.arange(5.0), 0.01) == pytest.approx(2)
    assert collapse_time([40.0, 41.0, 39.0], 0.01) == math.inf
    assert collapse_time([40.0, 0.0], 0.01) < 1, "a variance of 0 has collapsed"
    assert math.isnan(collapse_time([0.0, 0.0], 0.01))


def test_a_delayed_ramp_is_behind_by_its_delay() -> None:
    target = np.linspace(0.2, 0.8, 21)
    assert mean_lag(target - 0.03 * 1.5, target, 0.03) == pytest.approx(1.5)
    assert math.isnan(mean_lag([], [], 0.03))
