"""Student's interval of a mean: against scipy, its coverage, its edges."""

import math

import numpy as np
import pytest
import scipy.stats

from tasks.intervals import mean_interval


@pytest.mark.parametrize("num", [2, 3, 20])
@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.999])
def test_the_interval_is_scipys(num: int, confidence: float) -> None:
    values = np.random.default_rng(num).normal(3.0, 2.0, num)
    mean, low, high = mean_interval(values, confidence=confidence)
    expected = scipy.stats.t.interval(
        confidence, num - 1, loc=values.mean(), scale=scipy.stats.sem(values)
    )
    assert mean == pytest.approx(values.mean())
    assert (low, high) == pytest.approx(expected, rel=1e-9)


def test_the_interval_covers_the_true_mean_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(4000):
        _, low, high = mean_interval(rng.normal(1.0, 5.0, 5))
        hits += low < 1.0 < high
    assert abs(hits / 4000 - 0.95) < 4 * math.sqrt(0.95 * 0.05 / 4000)


def test_a_single_value_has_a_mean_and_no_bounds() -> None:
    mean, low, high = mean_interval(np.array([2.5]))
    assert mean == 2.5
    assert math.isnan(low) and math.isnan(high)


def test_equal_values_have_an_interval_of_width_zero() -> None:
    assert mean_interval(np.full(4, 7.0)) == (7.0, 7.0, 7.0)


def test_a_nan_among_the_values_is_not_hidden() -> None:
    assert all(math.isnan(value) for value in mean_interval(np.array([1.0, np.nan, 2.0])))


def test_no_values_and_impossible_confidences_are_refused() -> None:
    with pytest.raises(ValueError, match="expected at least one value, got none"):
        mean_interval(np.empty(0))
    with pytest.raises(ValueError, match=r"confidence: expected a number between 0 and 1, got 95"):
        mean_interval(np.ones(3), confidence=95)
