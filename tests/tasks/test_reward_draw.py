"""The active reward of each draw has the law of its weights, and the two ablations theirs."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from scipy.stats import chisquare

from data.errors import BadNumbers, ConfigError
from tasks.reward_draw import draw_active_rewards

SIGNIFICANCE = 1e-3  # of each chi-square test; seeds are fixed, so a pass stays a pass


def drawn(weights: Sequence[float], num_draws: int = 1000, **given: Any) -> Any:
    defaults: dict[str, Any] = {
        "mode": "per-draw",
        "iteration": 0,
        "rng": np.random.default_rng(5),
    }
    return draw_active_rewards(num_draws, weights, **(defaults | given))


def test_per_draw_rewards_follow_the_normalised_weights_and_skip_weight_zero() -> None:
    active = drawn([0.0, 3.0, 1.0, 0.0, 4.0, 0.0], num_draws=80_000)
    counts = np.bincount(active, minlength=6)
    assert active.dtype == np.int16
    assert counts[[0, 3, 5]].tolist() == [0, 0, 0]
    assert chisquare(counts[[1, 2, 4]], [30_000, 10_000, 40_000]).pvalue > SIGNIFICANCE


def test_per_draw_rewards_of_neighbouring_draws_are_independent() -> None:
    pairs = drawn([1.0, 3.0], num_draws=80_000).reshape(-1, 2)
    counts = np.bincount(2 * pairs[:, 0] + pairs[:, 1], minlength=4)
    assert chisquare(counts, [2_500, 7_500, 7_500, 22_500]).pvalue > SIGNIFICANCE


@pytest.mark.parametrize("uniform", [0.0, np.nextafter(1.0, 0.0)])
def test_the_ends_of_the_unit_interval_draw_a_reward_of_positive_weight(uniform: float) -> None:
    class Fixed(np.random.Generator):
        def random(self, size: Any = None, *_: Any, **__: Any) -> Any:
            return np.full(size, uniform)

    weights = [0.0, *[0.1] * 10, 0.0]
    active = drawn(weights, num_draws=1, rng=Fixed(np.random.PCG64(0)))
    assert active.tolist() == [1 if uniform == 0 else 10]


def test_per_round_repeats_one_reward_that_follows_the_weights() -> None:
    rng = np.random.default_rng(1)
    rounds = [drawn([1.0, 3.0], num_draws=7, mode="per-round", rng=rng) for _ in range(4_000)]
    assert all(len(set(active.tolist())) == 1 and len(active) == 7 for active in rounds)
    counts = np.bincount([active[0] for active in rounds], minlength=2)
    assert chisquare(counts, [1_000, 3_000]).pvalue > SIGNIFICANCE


def test_alternate_takes_the_rewards_of_positive_weight_in_turn() -> None:
    turns = [
        drawn([0.2, 0.0, 0.8], num_draws=3, mode="alternate", iteration=t).tolist()
        for t in range(4)
    ]
    assert turns == [[0] * 3, [2] * 3, [0] * 3, [2] * 3]


def test_multiplying_every_weight_leaves_the_draws_unchanged() -> None:
    small, huge = drawn([0.25, 0.75]), drawn([2.0**1020, 3 * 2.0**1020])
    np.testing.assert_array_equal(small, huge)


@pytest.mark.parametrize(
    ("weights", "error", "text"),
    [
        ([0.5, -0.5], ConfigError, "expected no negative number, got .0.5, -0.5.; set weight 0"),
        ([0.0, 0.0], ConfigError, "expected a positive sum, got .0.0, 0.0.; give a reward"),
        ([], ConfigError, "expected one number a reward, got shape .0,.; pass a flat list"),
        ([1.0, np.nan], BadNumbers, "expected finite numbers.*repair the weight of reward 1"),
        ([np.inf, 1.0], BadNumbers, "expected finite numbers.*repair the weight of reward 0"),
    ],
)
def test_impossible_weights_are_refused(
    weights: list[float], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        drawn(weights)


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(ConfigError, match="expected per-draw, per-round or alternate, got 'often'"):
        drawn([1.0], mode="often")
