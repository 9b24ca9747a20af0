"""`capacity` on frames made up to hold, to fail and to lack a metric, and on small real runs."""

from pathlib import Path

import pytest

from data.store import Store
from flows.capacity import (
    EXPERIMENT,
    ONE,
    POOL,
    SIZES,
    Q,
    deviation,
    forecast,
    forecast_order,
)
from flows.experiment import last_values
from flows.sweep_points import Point
from tests.flows.frames import (
    Measure,
    check_judge,
    check_pages,
    check_study,
    made_up,
    small_frame,
    with_axes,
    with_seeds,
)

STUDY = with_seeds(EXPERIMENT.study(True), 2)


def measured(point: Point, k: int) -> dict[str, float]:
    """The forecast but for an error that falls with N, and one component far off."""
    if 0 < k < point.config.iterations:
        return {}
    variance = 2.1 if point.arm == ONE else 1 + 8 / int(point.values[POOL])
    limit = forecast(STUDY)
    return {
        "basin_mass.quadratic-1": Q,
        "order_parameter_squared": forecast_order(STUDY),
        "reward_var.quadratic-1": variance * float(limit.reward_variances[0]),
        "reward_var.quadratic-2": variance * float(limit.reward_variances[1]),
        "entropy": -0.5,
    }


def scaled(metric: str, factor: float) -> Measure:
    """`measured` with a metric multiplied everywhere."""
    return lambda point, k: {
        name: x * factor if name.startswith(metric) else x for name, x in measured(point, k).items()
    }


def test_every_claim_holds_can_fail_and_needs_its_metrics() -> None:
    opposites = [scaled("basin_mass", 1.2), scaled("order_parameter", 0.5)]
    opposites += [scaled("reward_var", 3.0), scaled("reward_var", 1 / 2.1)]
    needed = ("basin_mass", "order_parameter", "reward_var.quadratic-1", "reward_var.quadratic-2")
    check_judge(EXPERIMENT, measured, opposites, needed)


def test_the_forecast_is_two_points_at_the_centres() -> None:
    limit = forecast(STUDY)
    assert limit.shares == pytest.approx([0.7, 0.3])
    assert forecast_order(STUDY) == pytest.approx(4 * 0.7 * 0.3)
    assert limit.reward_variances == pytest.approx([0.21 * 36**2] * 2)


def test_the_deviation_is_relative_to_the_forecast() -> None:
    frame = made_up(STUDY, measured)
    assert deviation(frame, STUDY, **{"arm": ONE, POOL: 16}) == pytest.approx(1.1)
    assert deviation(frame, STUDY, **{"arm": "components-4", POOL: 16}) == pytest.approx(0.5)


def test_the_study_is_possible_at_both_scales() -> None:
    check_study(EXPERIMENT)


def test_models_have_their_components_and_rounds_their_candidates(tmp_path: Path) -> None:
    small = with_axes(STUDY, {POOL: SIZES[:2]})
    frame, _ = small_frame(small, Store(tmp_path), iterations=6)
    for size in SIZES[:2]:
        for number in (1, 2, 4, 8):
            where = {"arm": f"components-{number}", POOL: size}
            assert last_values(frame, "num_components", **where).tolist() == [number]
            assert last_values(frame, "distinct_winners", **where).max() <= size


def test_figure_and_table_are_made_of_the_frame() -> None:
    check_pages(EXPERIMENT, made_up(STUDY, measured), STUDY)
