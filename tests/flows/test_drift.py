"""`drift` on frames made up to hold, to fail and to lack a metric, and on small real runs."""

from pathlib import Path

import numpy as np
import pytest

from data.store import Store
from flows.drift import (
    BEGIN,
    DISTANCES,
    EXPERIMENT,
    HIGH,
    ITERATIONS,
    LOW,
    RAMP,
    RETURN,
    STEP,
    lags,
    schedule,
)
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

STUDY = with_seeds(EXPERIMENT.study(True), 2)
SHARE = "basin_mass.quadratic-1"


def late(by: dict[str, int], *, end: float = 0.0) -> Measure:
    """The share is q of so many iterations ago, and off by `end` in the last model."""
    values = {arm: schedule(STUDY, arm) for arm in (RAMP, STEP, RETURN)}

    def measure(point: Point, k: int) -> dict[str, float]:
        arm = point.arm or ""
        return {SHARE: float(values[arm][max(k - by[arm], 0)]) + end * (k == ITERATIONS)}

    return measure


USUAL = {RAMP: 1, STEP: 1, RETURN: 9}


def test_every_claim_holds_can_fail_and_needs_its_metric() -> None:
    opposites = [late(USUAL | {RAMP: 3}), late(USUAL | {STEP: 3}), late(USUAL | {RETURN: 1})]
    opposites += [late(USUAL, end=-0.2), late(USUAL | {RETURN: 40})]
    check_judge(EXPERIMENT, late(USUAL), opposites, (SHARE,))


@pytest.mark.parametrize("delay", [0, 1, 4])
def test_the_measured_lag_is_the_delay_of_the_curve(delay: int) -> None:
    frame = made_up(STUDY, late(dict.fromkeys((RAMP, STEP, RETURN), delay)))
    for arm in (STEP, RETURN):
        assert lags(frame, STUDY, arm, DISTANCES[0]) == pytest.approx(delay)
    # At the head of the ramp a share that is more than one late has yet to begin.
    expected = delay if delay <= 1 else pytest.approx(delay - 0.3, abs=0.05)
    assert lags(frame, STUDY, RAMP, DISTANCES[0]) == pytest.approx([expected, expected])


def test_a_mode_that_never_comes_back_has_no_finite_lag() -> None:
    frame = made_up(STUDY, late(USUAL | {RETURN: 60}))
    assert np.isinf(lags(frame, STUDY, RETURN, DISTANCES[0])).all()
    check_pages(EXPERIMENT, frame, STUDY)


def test_schedules_begin_low_and_end_high() -> None:
    for arm, first in ((RAMP, LOW), (STEP, LOW), (RETURN, 0.0)):
        q = schedule(STUDY, arm)
        assert q[0] == q[BEGIN - 1] == first
        assert q[-1] == pytest.approx(HIGH)


def test_the_study_is_possible_at_both_scales() -> None:
    check_study(EXPERIMENT)


def test_a_reward_without_weight_is_never_active(tmp_path: Path) -> None:
    frame, study = small_frame(EXPERIMENT.study(True), Store(tmp_path))
    active = frame[frame["metric"].str.startswith("leakage.quadratic-1")]
    assert set(active["arm"]) == {RAMP, STEP}
    last = frame[(frame["metric"] == SHARE) & (frame["k"] == 2) & (frame["distance"] == 6)]
    shares = last.set_index("arm")["value"]
    assert shares[RETURN] < shares[RAMP]
    assert shares[RAMP] == shares[STEP], "their first 15 weights are the same"
    claims = EXPERIMENT.judge(frame, study)
    assert {one.verdict for one in claims if "ramp" in one.claim and "lag" in one.claim} == {"void"}
