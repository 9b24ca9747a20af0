"""A prediction beside its measurement: verdicts, bases, room for sampling."""

import math

import numpy as np
import pytest
from scipy.stats import binom

from tasks.agreement import (
    HOLDS,
    UNMET,
    VIOLATED,
    Prediction,
    compared,
    near,
    possible_range,
    sampling_slack,
)


@pytest.mark.parametrize(
    ("measured", "verdict"),
    [(0.5, HOLDS), (0.4, HOLDS), (0.6, HOLDS), (0.39, VIOLATED), (0.61, VIOLATED),
     (math.nan, VIOLATED), (math.inf, VIOLATED)],
)  # fmt: skip
def test_a_value_within_its_range_holds_and_any_other_violates(
    measured: float, verdict: str
) -> None:
    row = compared(Prediction("share", 0.5, 0.4, 0.6, "a law"), measured)
    assert row["verdict"] == verdict
    assert row["basis"] == "a law"
    assert [row[key] for key in ("quantity", "predicted", "lower", "upper")] == [
        "share", 0.5, 0.4, 0.6
    ]  # fmt: skip


@pytest.mark.parametrize("measured", [0.5, 9.0, math.nan])
def test_an_assumption_that_is_not_met_decides_before_the_value_does(measured: float) -> None:
    row = compared(near("share", 0.5, 0.1, "a law", "a large pool"), measured)
    assert row["verdict"] == UNMET
    assert row["basis"] == "a law; not met: a large pool"
    assert row["measured"] is measured


def test_near_allows_a_tolerance_to_both_sides() -> None:
    assert near("share", 0.5, 0.1, "a law") == Prediction("share", 0.5, 0.4, 0.6, "a law")


def test_slack_is_four_deviations_of_all_samples_together_and_two_and_a_half_rows() -> None:
    expected = 4 * math.sqrt(0.21 / 100 + 0.21 / 400) + 2.5 / 100
    assert sampling_slack(0.3, 100, 400) == pytest.approx(expected)
    assert sampling_slack(0.7, 100, 400) == pytest.approx(expected)


def test_without_sampling_there_is_no_slack() -> None:
    assert sampling_slack(0.3) == 0.0


def test_shares_of_nothing_and_of_all_keep_the_slack_of_one_row() -> None:
    for share in (0.0, 1.0, 1e-9):
        expected = 4 * math.sqrt(0.01 * 0.99 / 100) + 0.025
        assert sampling_slack(share, 100) == pytest.approx(expected)
    assert sampling_slack(0.3, 1) > 1


@pytest.mark.parametrize("share", [0.0005, 0.002, 0.01, 0.1, 0.5, 0.97, 0.998])
def test_slack_covers_the_share_of_a_sample_nearly_always(share: float) -> None:
    # As often as four deviations of a normal, 6e-5, up to the lattice of counts.
    counts = np.arange(501)
    outside = np.abs(counts / 500 - share) > sampling_slack(share, 500)
    assert binom.pmf(counts, 500, share)[outside].sum() < 2e-4


@pytest.mark.parametrize(
    ("quantity", "least", "largest"),
    [
        ("basin_mass.a", 0.0, 1.0),
        ("curated_mass.a", 0.0, 1.0),
        ("outside_mass", 0.0, 1.0),
        ("limit_share.a", 0.0, 1.0),
        ("pool_limit.a", 0.0, 1.0),
        ("reward_var.a", 0.0, math.inf),
        ("reward_var_bound.a", 0.0, math.inf),
        ("reward_mean.some_mass", -math.inf, math.inf),
    ],
)
def test_shares_and_variances_have_a_range_of_their_own(
    quantity: str, least: float, largest: float
) -> None:
    assert possible_range(quantity) == (least, largest)
