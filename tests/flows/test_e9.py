"""E9 on frames made up to hold, to fail and to lack a metric, and on small real runs."""

from pathlib import Path

from data.store import Store
from flows.baselines import ARMS
from flows.e9 import EXPERIMENT, collapsed_at, offset
from flows.experiment import last_values
from flows.sweep_points import Point
from tests.flows.frames import (
    Measure,
    check_judge,
    check_pages,
    check_study,
    made_up,
    small_frame,
    with_seeds,
)

START = 40.0
# Var[r_i] of the last model of every arm.
LAST = {
    "balanced": 324.0, "one-reward": 0.002, "weighted-sum": 0.8, "best-of-k": 1e-12,
    "per-round": 0.3, "alternate": 0.4, "no-curation": 45.0, "real-data": 280.0,
    "accumulate": 300.0,
}  # fmt: skip


def measured(point: Point, k: int) -> dict[str, float]:
    """Variances that go from that of p_0 to the arm's last along a geometric path."""
    arm = point.arm or ""
    spread = START * (LAST[arm] / START) ** (k / point.config.iterations)
    plural = arm in ("balanced", "real-data", "accumulate")
    return {
        "reward_mean.quadratic-1": -9.0,
        "reward_mean.quadratic-2": -9.1,
        "reward_var.quadratic-1": spread,
        "reward_var.quadratic-2": spread * 1.5,
        "order_parameter_squared": 0.9 if plural else 0.001,
        "tail_coverage": 1.0,
        "entropy": 1.0,
    }


def changed(arm: str, metric: str, factor: float) -> Measure:
    """`measured` with a metric of every later model of an arm multiplied."""

    def change(point: Point, k: int) -> dict[str, float]:
        values = measured(point, k)
        if point.arm == arm and k > 0:
            values |= {name: x * factor for name, x in values.items() if name.startswith(metric)}
        return values

    return change


def test_every_claim_holds_can_fail_and_needs_its_metrics() -> None:
    opposites = [
        changed("balanced", "reward_var", 1e-16),
        changed("balanced", "reward_var", 0.1),
        changed("weighted-sum", "order_parameter", 100),
        changed("weighted-sum", "reward_mean.quadratic-1", 2),
        changed("best-of-k", "reward_var", 1e13),
        changed("no-curation", "reward_var", 0.1),
    ]
    needed = (
        "reward_var.quadratic-1",
        "reward_var.quadratic-2",
        "reward_mean.quadratic-2",
        "order",
    )
    check_judge(EXPERIMENT, measured, opposites, needed)


def test_a_collapse_of_no_arm_at_all_is_no_fastest_collapse() -> None:
    study = with_seeds(EXPERIMENT.study(True), 2)

    def steady(point: Point, k: int) -> dict[str, float]:
        return measured(point, 0)

    verdicts = {one.claim: one.verdict for one in EXPERIMENT.judge(made_up(study, steady), study)}
    name = "k at which Var[r_1] is 1 % of the start: best-of-K / next fastest arm"
    assert verdicts[name] == "void"


def test_the_mean_position_follows_from_the_mean_rewards() -> None:
    study = with_seeds(EXPERIMENT.study(True), 1)

    def at_mode_1(point: Point, k: int) -> dict[str, float]:
        return {"reward_mean.quadratic-1": 0.0, "reward_mean.quadratic-2": -36.0}

    frame = made_up(study, at_mode_1)
    assert offset(frame, study, "balanced").tolist() == [0.5], "mode 1 is half of d off the middle"


def test_the_study_is_possible_at_both_scales() -> None:
    check_study(EXPERIMENT)


def test_every_arm_runs_and_differs(tmp_path: Path) -> None:
    frame, study = small_frame(EXPERIMENT.study(True), Store(tmp_path))
    finals = {arm: last_values(frame, "reward_var.quadratic-1", arm=arm).tolist() for arm in ARMS}
    assert all(len(one) == 1 for one in finals.values())
    # In two rounds the active reward of the first is all that tells three of them apart.
    assert len({one[0] for one in finals.values()}) >= len(ARMS) - 2, finals
    assert finals["best-of-k"] < finals["one-reward"] < finals["balanced"]
    assert collapsed_at(frame, study, "best-of-k").size == 1
    check_pages(EXPERIMENT, frame, study)
