"""Summaries over runs let nothing missing pass."""

import math
from collections.abc import Callable

import pandas as pd
import pytest

from tasks.seed_values import (
    largest_of,
    least_of,
    mean_of,
    median_of,
    ratio,
    with_interval,
)


@pytest.mark.parametrize("summary", [mean_of, median_of, least_of, largest_of])
@pytest.mark.parametrize("values", [[], [1.0, math.nan]])
def test_nothing_and_nan_have_no_summary(
    summary: Callable[[object], float], values: list[float]
) -> None:
    assert math.isnan(summary(values))
    assert math.isnan(summary(pd.Series(values, dtype=float))), "pandas would leave NaN out"
    assert with_interval(values) == "-"


def test_summaries_of_numbers() -> None:
    values = [4.0, 1.0, 2.0, 3.0]
    assert (mean_of(values), median_of(values), least_of(values), largest_of(values)) == (
        2.5, 2.5, 1.0, 4.0,
    )  # fmt: skip


def test_a_median_is_infinite_only_when_half_of_the_runs_are() -> None:
    assert median_of([1.0, 2.0, math.inf]) == 2
    assert median_of([1.0, math.inf]) == math.inf
    assert median_of([math.inf, math.inf]) == math.inf


def test_a_ratio_to_nothing_is_no_number() -> None:
    assert ratio(3.0, 2.0) == 1.5
    assert math.isnan(ratio(3.0, 0.0)) and math.isnan(ratio(3.0, math.nan))
    assert ratio(math.inf, 2.0) == math.inf


def test_cells_show_the_interval_or_how_many_never_ended() -> None:
    # Student's quantile for 1 degree of freedom is 12.71; half width 12.71 * 1 / sqrt 2 * sqrt 2.
    assert with_interval([1.0, 3.0]) == "2 ± 13"
    assert with_interval([2.5]) == "2.5"
    assert with_interval([1.0, 2.0, math.inf]) == "median 2, 1 of 3 never"
    assert with_interval([math.inf, math.inf]) == "2 of 2 never"
