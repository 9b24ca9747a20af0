"""Paths of idealised runs: what is taken from the measurements, bounds, rates."""

import numpy as np
import pytest

from data.errors import ConfigError
from tasks.basin_path import BasinPath, basin_paths, decay_fit
from tests.tasks.idealised import NAMES, frame_of, measured, paths_of


def path(**changes: object) -> BasinPath:
    plain: dict[str, object] = {
        "distance": 2.0,
        "q": 0.3,
        "share": np.array([0.1, 0.28]),
        "outside": np.array([0.8, 0.01]),
        "lower": 0.27,
        "upper": 0.31,
    }
    return BasinPath(**plain | changes)  # type: ignore[arg-type]


def test_a_path_holds_what_was_measured_in_the_order_of_k() -> None:
    frame = frame_of((2.0, 3.0), (0.1, 0.25)).sample(frac=1.0, random_state=1)
    paths = basin_paths(frame, NAMES)
    assert paths.keys() == {(2.0, 0.1), (2.0, 0.25), (3.0, 0.1), (3.0, 0.25)}
    expected = measured(3.0, 0.25)
    np.testing.assert_array_equal(paths[3.0, 0.25].share, expected["high_reward_mass.left"])
    np.testing.assert_array_equal(paths[3.0, 0.25].outside, expected["outside_mass"])
    assert len(paths[3.0, 0.25].share) == 51


def test_the_bounds_are_those_of_lemma_4_for_the_measured_leakage() -> None:
    eta = float(measured(2.0, 0.25)["eta.left.right"][0])
    found = paths_of((2.0,), (0.25,))[2.0, 0.25]
    assert found.lower == pytest.approx((0.25 - eta) / (1 - eta))
    assert found.upper == pytest.approx(0.25 / (1 - eta))
    assert found.width == pytest.approx(0.75 * eta / (1 - eta) + 0.25 * eta / (1 - eta))


def test_the_leakage_of_each_reward_bounds_its_own_side() -> None:
    frame = frame_of((2.0,), (0.5,))
    frame.loc[frame["metric"] == "eta.left.right", "value"] = 0.2
    frame.loc[frame["metric"] == "eta.right.left", "value"] = 0.0
    found = basin_paths(frame, NAMES)[2.0, 0.5]
    assert [found.lower, found.upper] == pytest.approx([0.375, 0.5])


def test_slack_is_the_distance_to_the_nearer_bound_with_the_mass_outside_added() -> None:
    assert path().slack == pytest.approx(0.01 + 0.01)
    assert path(share=np.array([0.32])).slack == pytest.approx(-0.01 + 0.01)
    assert path(share=np.array([0.35])).slack == pytest.approx(-0.03)


@pytest.mark.parametrize(
    ("q", "share", "excess"), [(0.3, 0.28, 0.02), (0.7, 0.72, 0.02), (0.7, 0.6, -0.1)]
)
def test_excess_is_counted_away_from_one_half(q: float, share: float, excess: float) -> None:
    assert path(q=q, share=np.array([share])).excess == pytest.approx(excess)


def test_an_exponential_decay_gives_its_rate_and_a_perfect_fit_whatever_came_before() -> None:
    outside = 0.3 * np.exp(-0.25 * np.arange(30.0))
    outside[:10] = 0.9
    rate, fit = decay_fit(outside, first=10)
    assert rate == pytest.approx(0.25)
    assert fit == pytest.approx(1.0)


def test_a_decay_that_is_no_exponential_fits_worse() -> None:
    steps = np.arange(40.0)
    assert decay_fit(1 / (1 + steps) ** 2, first=0)[1] < 0.95


@pytest.mark.parametrize(
    "outside", [np.array([0.5, 0.4]), np.array([0.5, 0.1, 0.0]), np.full(9, 0.5)]
)
def test_no_rate_where_none_is_defined(outside: np.ndarray) -> None:
    assert np.isnan(decay_fit(outside, first=0)[1])


def test_a_run_without_basins_is_left_out() -> None:
    frame = frame_of((2.0, 3.0), (0.25,))
    frame = frame[(frame["distance"] != 3.0) | ~frame["metric"].str.startswith("eta")]
    assert basin_paths(frame, NAMES).keys() == {(2.0, 0.25)}
    assert basin_paths(frame.iloc[:0], NAMES) == {}


def test_two_runs_of_one_setting_are_refused() -> None:
    frame = frame_of((2.0,), (0.25,))
    again = frame.assign(run="another", seed=1)
    both = frame.merge(again, how="outer")
    with pytest.raises(
        ConfigError, match=r"one run for distance 2 and q 0.25, got 'c9-.*leave one"
    ):
        basin_paths(both, NAMES)
