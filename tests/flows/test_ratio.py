"""`ratio` on frames made up to hold, to fail and to lack a metric, and on small real runs."""

from pathlib import Path

import pytest

from data.store import Store
from flows.experiment import last_values
from flows.ratio import ARMS, BALANCED, EXPERIMENT, ONE, SHARE, WEIGHTS, forecast
from flows.sweep_points import Point
from tests.flows.frames import Measure, check_judge, check_pages, check_study, small_frame

STUDY = EXPERIMENT.study(True)


def measured(point: Point, k: int) -> dict[str, float]:
    """The forecast in the arms that curate, p_0 without curation, at the ends only."""
    arm, f = point.arm or "", float(point.values[SHARE])
    if 0 < k < point.config.iterations:
        return {}
    mean, variance = forecast(STUDY, arm, f) if arm in WEIGHTS else (-11.0, 40.0)
    apart = (1 - f) if arm in WEIGHTS else 0.0
    return {
        "reward_mean.quadratic-1": mean,
        "reward_mean.quadratic-2": mean,
        "reward_var.quadratic-1": max(variance, 0.001),
        "reward_var.quadratic-2": max(variance, 0.001),
        "entropy": 2.8 - 4 * apart,
        "real_distance": 0.1 + 3 * apart,
        "tail_coverage": 1 + 19 * apart,
        "variance_total": 2.0,
    }


def constant(arm: str, metric: str, value: float) -> Measure:
    """`measured` with the same value in an arm whatever the share; another at f = 0 alone."""

    def change(point: Point, k: int) -> dict[str, float]:
        values = measured(point, k)
        shift = 1e-3 * float(point.values[SHARE] == 0)
        if point.arm == arm:
            values |= {name: value + shift for name in values if name.startswith(metric)}
        return values

    return change


def test_every_claim_holds_can_fail_and_needs_its_metrics() -> None:
    opposites = [
        constant(arm, metric, 40.0)
        for arm in WEIGHTS
        for metric in ("reward", "entropy", "real_distance", "tail_coverage")
    ]

    def wandering(point: Point, k: int) -> dict[str, float]:
        values = measured(point, k)
        if point.arm not in WEIGHTS and point.values[SHARE] == 0:
            values |= {name: 90.0 for name in values if name.startswith("reward_var")}
        return values

    rewards = ("reward_var.quadratic-1", "reward_var.quadratic-2", "reward_mean.quadratic-1")
    needed = (*rewards, "entropy", "real_distance", "tail_coverage")
    check_judge(EXPERIMENT, measured, [*opposites, wandering], needed)


def test_the_forecast_ends_at_the_limit_and_at_the_real_data() -> None:
    assert forecast(STUDY, ONE, 0.0) == pytest.approx((0.0, 0.0), abs=1e-12)
    assert forecast(STUDY, BALANCED, 0.0) == pytest.approx((-18.0, 324.0))
    # -(x + 3)^2 - y^2 of a standard Gaussian: mean -(9 + 2), variance 2 * 2 + 4 * 9.
    for arm in WEIGHTS:
        assert forecast(STUDY, arm, 1.0) == pytest.approx((-11.0, 40.0))
    assert forecast(STUDY, ONE, 0.5)[1] == pytest.approx(0.5 * 40 + 0.25 * 11**2)


def test_the_study_is_possible_at_both_scales() -> None:
    check_study(EXPERIMENT)


def test_real_rows_replace_curated_ones(tmp_path: Path) -> None:
    frame, study = small_frame(EXPERIMENT.study(True), Store(tmp_path))
    distances = {
        (arm, f): last_values(frame, "real_distance", **{"arm": arm, SHARE: f}).to_numpy()
        for arm in ARMS
        for f in (0.0, 0.5, 1.0)
    }
    for arm in WEIGHTS:
        assert (distances[arm, 1.0] < distances[arm, 0.5]).all()
        assert (distances[arm, 0.5] < distances[arm, 0.0]).all()
    assert (distances[ONE, 1.0] == distances[BALANCED, 1.0]).all(), "nothing curated is used"
    check_pages(EXPERIMENT, frame, study)
