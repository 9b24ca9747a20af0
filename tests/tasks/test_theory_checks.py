"""The theory checks of section C.9 on the setting recovered from its printed numbers."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from tasks.basin_path import Paths
from tasks.claims import HOLDS, VIOLATED, VOID, Claim, overall
from tasks.theory_checks import (
    NASH_ERRORS,
    NASH_SHARES,
    TABLE_3,
    distance_table,
    judge_paths,
    nash_error,
    table_3,
)
from tests.tasks.idealised import measured, paths_of

WEIGHTS = (0.1, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.9)


@cache
def everything() -> Paths:
    return paths_of((1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0), WEIGHTS)


def claim(found: list[Claim], part: str) -> Claim:
    (one,) = [one for one in found if part in one.claim]
    return one


def test_every_claim_of_the_section_holds_in_the_recovered_setting() -> None:
    claims = judge_paths(everything())
    assert len(claims) == 9
    assert {one.verdict for one in claims} == {HOLDS}, claims
    assert overall(claims) == HOLDS


@pytest.mark.parametrize(("distance", "tolerance"), [(2.0, 0.0015), (6.0, 0.0006)])
def test_table_3_is_met_at_distances_2_and_6(distance: float, tolerance: float) -> None:
    table = table_3(everything())
    rows = table[table["distance"] == distance]
    assert len(rows) == 18
    assert rows["deviation"].abs().max() < tolerance
    np.testing.assert_allclose(rows["measured"] - rows["printed"], rows["deviation"])


def test_the_printed_rows_at_distance_4_are_those_of_distance_2_and_cannot_be_right() -> None:
    assert all(TABLE_3[4.0, q] == TABLE_3[2.0, q] for d, q in TABLE_3 if d == 4.0)
    table = table_3(everything())
    four = table[table["distance"] == 4.0]["deviation"].abs().max()
    six = table[table["distance"] == 6.0]["measured"].to_numpy()
    assert four > 0.005
    measured_four = table[table["distance"] == 4.0]["measured"].to_numpy()
    np.testing.assert_allclose(measured_four, six, atol=1e-4)


def test_table_3_has_only_what_was_run() -> None:
    table = table_3(paths_of((2.0, 3.0), (0.25, 0.3)))
    assert table[["distance", "q", "quantity"]].values.tolist() == [
        [2.0, 0.25, "lower"],
        [2.0, 0.25, "share"],
        [2.0, 0.25, "upper"],
    ]


@pytest.mark.parametrize(("distance", "known"), NASH_ERRORS.items())
def test_the_nash_error_is_the_mean_square_over_nine_weights(distance: float, known: float) -> None:
    shares = [measured(distance, q)["high_reward_mass.left"][-1] for q in NASH_SHARES]
    by_hand = sum((share - q) ** 2 for share, q in zip(shares, NASH_SHARES, strict=True)) / 9
    assert nash_error(everything(), distance) == pytest.approx(by_hand)
    assert by_hand == pytest.approx(known, rel=0.02)


def test_a_missing_weight_leaves_the_nash_error_undefined_and_its_claims_unmade() -> None:
    paths = paths_of((1.0, 2.0, 3.0, 5.0), NASH_SHARES[1:])
    assert np.isnan(nash_error(paths, 2.0))
    assert not any("Nash" in one.claim for one in judge_paths(paths))


def test_a_share_outside_its_bounds_by_more_than_the_mass_left_is_violated() -> None:
    (path,) = paths_of((6.0,), (0.25,)).values()
    beyond = replace(path, share=np.array([path.upper + 1e-6]))
    found = claim(judge_paths({(6.0, 0.25): beyond}), "bounds, outside mass")
    assert found.verdict == VIOLATED
    assert found.measured == pytest.approx(-1e-6, abs=2e-8)


def test_bounds_that_widen_and_rates_that_fall_are_violated() -> None:
    swapped = {
        (8.0 - distance, q): path for (distance, q), path in paths_of((2.0, 6.0), (0.25,)).items()
    }
    claims = judge_paths(swapped)
    assert claim(claims, "width of the bounds").verdict == VIOLATED
    assert claim(claims, "decay rate").verdict == VIOLATED


def test_distances_with_different_grid_basins_are_not_compared() -> None:
    claims = judge_paths(paths_of((2.0, 3.0), (0.25,)))
    assert not any("ratio" in one.claim for one in claims)


def test_mass_that_stops_decaying_is_violated_and_mass_that_is_gone_void() -> None:
    (path,) = paths_of((6.0,), (0.25,)).values()
    for rest, verdict in ((1e-4, VIOLATED), (0.0, VOID)):
        outside = np.concatenate([path.outside[:30], np.full(21, rest)])
        claims = judge_paths({(6.0, 0.25): replace(path, outside=outside)})
        assert claim(claims, "least R^2").verdict == verdict


def test_under_bargaining_would_be_a_violation() -> None:
    (path,) = paths_of((6.0,), (0.25,)).values()
    fair = replace(path, share=np.array([0.2501]))
    assert claim(judge_paths({(6.0, 0.25): fair}), "majority").verdict == VIOLATED


def test_nothing_measured_claims_nothing() -> None:
    assert judge_paths({}) == []
    assert table_3({}).empty
    assert distance_table({}).empty


def test_the_table_by_distance_shows_the_run_nearest_to_one_half() -> None:
    table = distance_table(paths_of((2.0, 6.0), (0.1, 0.4, 0.6))).set_index("distance")
    assert table["q"].tolist() == [0.4, 0.4]
    # Recovered: the first grid point outside loses .384 of reward, the rate's limit.
    np.testing.assert_allclose(table["decay rate"], [0.3545, 0.3691], atol=5e-4)
    assert (table["R^2"] > 0.999).all()
    assert table["Nash error"].isna().all()
