"""`noise` on frames made up to hold, to fail and to lack a metric, and on small real runs."""

import math
from pathlib import Path

import numpy as np
import pytest

from data.store import Store
from flows.experiment import last_values
from flows.noise import EXPERIMENT, FLIPS, NOISE, SMALL, WHOLE, effective_share, flipped_share
from flows.sweep_points import Point
from tests.flows.frames import Measure, check_judge, check_pages, check_study, small_frame


def measured(point: Point, k: int) -> dict[str, float]:
    """Shares as the theory has them, spread lost to noise, modes pushed out by flips."""
    if 0 < k < point.config.iterations:
        return {}
    q, deviation, flips = (float(point.values[key]) for key in ("q", NOISE, FLIPS))
    pushed = 1 + flips * (1000 if point.arm == WHOLE else 30)
    return {
        "basin_mass.quadratic-1": flipped_share(q, flips),
        "reward_var.quadratic-1": (300 - 20 * deviation) * pushed,
        "reward_var.quadratic-2": (300 - 20 * deviation) * pushed,
        "entropy": -0.5 - deviation,
        "variance_total": 9.0 * pushed,
        "distinct_winners": 600.0,
    }


def constant(metric: str, value: float) -> Measure:
    """`measured` with one value everywhere."""
    return lambda point, k: {
        name: value if name.startswith(metric) else x for name, x in measured(point, k).items()
    }


def fading(point: Point, k: int) -> dict[str, float]:
    """Variance that noise destroys."""
    values = measured(point, k)
    if point.values[NOISE] == 2.0:
        values |= {name: 1.0 for name in values if name.startswith("reward_var")}
    return values


def test_every_claim_holds_can_fail_and_needs_its_metrics() -> None:
    metrics = ("basin_mass", "entropy", "variance_total")
    opposites = [fading, *(constant(metric, 0.05) for metric in metrics)]
    needed = ("reward_var.quadratic-1", "reward_var.quadratic-2", *metrics)
    check_judge(EXPERIMENT, measured, opposites, needed)


def test_flips_mix_the_shares_and_noise_halves_the_sample() -> None:
    assert [flipped_share(0.7, f) for f in (0.0, 0.5, 1.0)] == pytest.approx([0.7, 0.5, 0.3])
    assert effective_share(0.0, 1.0) == 1
    weights = np.exp(np.random.default_rng(0).standard_normal(1_000_000) / 2)
    expected = weights.mean() ** 2 / np.mean(weights**2)
    assert effective_share(1.0, 2.0) == pytest.approx(expected, rel=0.01)
    assert effective_share(math.sqrt(math.log(2)), 1.0) == pytest.approx(0.5)


def test_the_study_is_possible_at_both_scales() -> None:
    check_study(EXPERIMENT)


def test_noise_and_flips_reach_the_choice(tmp_path: Path) -> None:
    frame, study = small_frame(EXPERIMENT.study(True), Store(tmp_path))

    def last(metric: str, arm: str, deviation: float, flips: float) -> float:
        where = {"arm": arm, "q": 0.5, NOISE: deviation, FLIPS: flips}
        return float(last_values(frame, metric, **where).mean())

    winners = [last("distinct_winners", WHOLE, deviation, 0.0) for deviation in (0.0, 2.0)]
    assert winners[1] < winners[0], "noise costs effective candidates"
    for arm in (WHOLE, SMALL):
        wide = [last("variance_total", arm, 0.0, flips) for flips in (0.0, 0.3)]
        assert wide[1] > wide[0], "a flipped draw seeks the far end"
    check_pages(EXPERIMENT, frame, study)
