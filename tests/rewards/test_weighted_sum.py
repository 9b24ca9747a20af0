"""Several rewards added up into one."""

import numpy as np
import pyarrow as pa
import pytest

from data.errors import ConfigError
from rewards.registry import find_basins, known_suprema, parse_reward
from rewards.weighted_sum import WeightedSumConfig, WeightedSumReward
from tests.flows.conftest import MakeRun, make_run

__all__ = ["make_run"]

PARTS = [
    {"kind": "quadratic", "centre": [-3.0, 0.0], "weight": 1.0},
    {"kind": "gaussian-bump", "centre": [3.0, 0.0], "weight": 3.0},
]
SAMPLES = pa.table({"x": [0.0, 1.0, -3.0], "y": [0.0, 1.0, 0.5]})


def summed(parts: object = PARTS, **given: object) -> WeightedSumReward:
    config = parse_reward({"kind": "weighted-sum", "parts": parts, **given})
    assert isinstance(config, WeightedSumConfig)
    return WeightedSumReward(config)


def test_scores_are_the_weighted_mean_of_the_parts() -> None:
    x, y = SAMPLES["x"].to_numpy(), SAMPLES["y"].to_numpy()
    quadratic = -((x + 3) ** 2 + y**2)
    bump = 5 * np.exp(-((x - 3) ** 2 + y**2) / 2)
    np.testing.assert_allclose(summed()(SAMPLES), 0.25 * quadratic + 0.75 * bump, rtol=1e-12)


def test_the_scale_of_the_weights_and_the_own_weight_do_not_matter() -> None:
    scaled = [part | {"weight": 10 * float(str(part["weight"]))} for part in PARTS]
    np.testing.assert_allclose(summed(scaled, weight=7.0)(SAMPLES), summed()(SAMPLES), rtol=1e-12)


def test_a_part_without_weight_adds_nothing() -> None:
    parts = [PARTS[0], PARTS[1] | {"weight": 0}]
    np.testing.assert_allclose(summed(parts)(SAMPLES), summed(PARTS[:1])(SAMPLES), rtol=1e-12)


def test_two_equal_quadratics_are_one_at_the_midpoint_with_the_same_strength() -> None:
    example = WeightedSumReward.example()(SAMPLES)
    middle = parse_reward({"kind": "quadratic", "centre": [0, 0]})
    from rewards.quadratic import QuadraticConfig, QuadraticReward

    assert isinstance(middle, QuadraticConfig)
    np.testing.assert_allclose(example, QuadraticReward(middle)(SAMPLES) - 9, rtol=1e-12)


def test_a_sum_has_no_basin_and_no_known_supremum() -> None:
    assert find_basins([summed()], SAMPLES) is None
    assert np.isnan(known_suprema([summed()])).all()


def test_sums_may_be_nested() -> None:
    nested = {"kind": "weighted-sum", "parts": PARTS}
    np.testing.assert_allclose(summed([nested])(SAMPLES), summed()(SAMPLES), rtol=1e-12)


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        ([PARTS[0] | {"weight": 0}], "parts: expected at least one positive weight, got only zero"),
        ([], "parts: .*at least 1 item"),
        ([{"kind": "cubic"}], "reward: expected one of .*, got 'cubic'"),
        ([PARTS[0] | {"gamma": -1}], "reward 'quadratic': gamma"),
        (
            [PARTS[0], PARTS[1] | {"standardise": True}],
            r"parts\.1\.standardise: expected false, got true for 'gaussian-bump'; standardise",
        ),
    ],
)
def test_parts_that_cannot_be_are_refused(parts: object, text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        summed(parts)


def test_a_run_under_a_sum_settles_at_the_compromise(make_run: MakeRun) -> None:
    from flows.results import metrics_of

    both = [{"kind": "quadratic", "centre": [c, 0.0]} for c in (-3.0, 3.0)]
    rewards = [{"kind": "weighted-sum", "parts": both}]
    context = make_run(changes={"rewards": rewards, "iterations": 5})
    last = metrics_of(context, 5)
    assert last["variance_total"] < 0.2 * metrics_of(context, 0)["variance_total"]
    assert last["reward_mean.weighted-sum-1"] == pytest.approx(-9, abs=0.5)
