"""Basins of length preferences: bins around targets, and texts that lie in neither."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

from data.texts import text_table
from flows.results import metrics_of
from rewards.length import LengthConfig, LengthReward
from rewards.quadratic import QuadraticReward
from rewards.registry import NO_BASIN, find_basins, leave_outside
from tasks.metrics import basin_masses, reward_moments, winner_leakage
from tasks.round_facts import Round, measure_round
from tests.flows.conftest import MakeRun

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


def texts_with(lengths: list[int]) -> pa.Table:
    texts = [" ".join(["word"] * length) for length in lengths]
    ids = [np.zeros(length, dtype=np.int32) for length in lengths]
    return text_table(ids, texts, np.ones(len(texts), dtype=bool))


def lengths_at(*targets: int) -> list[LengthReward]:
    return [LengthReward(LengthConfig(target=target)) for target in targets]


def test_texts_in_neither_bin_are_outside_and_no_mass_of_a_basin() -> None:
    rewards = lengths_at(10, 20)
    samples = texts_with([10, 7, 13, 6, 14, 0, 17, 23, 24, 20])
    labels = find_basins(rewards, samples)
    assert labels is not None
    assert labels.tolist() == [0, 0, 0, -1, -1, -1, 1, 1, -1, 1]
    assert leave_outside(rewards)
    assert basin_masses(labels, 2).tolist() == [0.3, 0.3]


def test_bins_of_near_targets_do_not_overlap() -> None:
    labels = find_basins(lengths_at(10, 15), texts_with([7, 8, 12, 13, 17, 18]))
    assert labels is not None
    assert labels.tolist() == [-1, 0, 0, 1, 1, -1]


def test_leakage_is_the_share_of_winners_under_one_target_in_the_bin_of_the_other() -> None:
    rng = np.random.default_rng(0)
    lengths, active = rng.integers(0, 30, 400), rng.integers(0, 2, 400)
    labels = find_basins(lengths_at(10, 20), texts_with(lengths.tolist()))
    assert labels is not None
    leaked = winner_leakage(active, labels, 2)
    for own, other, target in ((0, 1, 20), (1, 0, 10)):
        mine = lengths[active == own]
        assert leaked[own, other] == pytest.approx(np.mean(np.abs(mine - target) <= 3))
        in_none = np.abs(mine[:, np.newaxis] - [10, 20]).min(axis=1) > 3
        assert leaked[own, 2] == pytest.approx(in_none.mean())
    np.testing.assert_allclose(leaked.sum(axis=1), 1)


def test_a_round_without_any_text_in_a_bin_has_no_masses_and_leaks_to_the_outside() -> None:
    labels = find_basins(lengths_at(10, 20), texts_with([0, 0, 40]))
    assert labels is not None
    assert basin_masses(labels, 2).tolist() == [0, 0]
    np.testing.assert_array_equal(
        winner_leakage(np.array([0, 0, 1]), labels, 2), [[0, 0, 1], [0, 0, 1]]
    )


def test_rewards_of_a_finished_arm_have_moments_of_their_lengths() -> None:
    samples = texts_with([10, 20, 15])
    scores = np.column_stack([reward(samples) for reward in lengths_at(10, 20)])
    means, variances = reward_moments(scores)
    assert means == pytest.approx([-5, -5])
    assert variances == pytest.approx([50 / 3, 50 / 3])


# On the plane a point has as many "words" as its x rounded: whole scores, equal for many points,
# and most of p_0 in no bin. So every stage meets them in a run of a second.
HALF_WIDTH = 1.0


def bins(lengths: FloatArray, targets: Sequence[float], half_width: float) -> IntArray:
    """Number of the nearest target, `NO_BASIN` where it is further away than `half_width`."""
    away = np.abs(np.subtract.outer(lengths, np.array(targets)))
    return np.where(away.min(axis=1) <= half_width, away.argmin(axis=1), NO_BASIN)


def rounded(reward: QuadraticReward, samples: pa.Table) -> FloatArray:
    away: FloatArray = np.abs(np.round(samples["x"].to_numpy()) - reward.config.centre[0])
    return -away


def rounded_bins(rewards: Sequence[QuadraticReward], samples: pa.Table) -> IntArray:
    centres = [reward.config.centre[0] for reward in rewards]
    return bins(np.round(samples["x"].to_numpy()), centres, HALF_WIDTH)


def test_a_run_under_whole_scores_measures_bins_and_leakage_every_round(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QuadraticReward, "__call__", rounded)
    monkeypatch.setattr(QuadraticReward, "basin_labels", staticmethod(rounded_bins))
    monkeypatch.setattr(QuadraticReward, "leaves_outside", True, raising=False)
    context = make_run(changes={"iterations": 2, "evaluation": {"basin_epsilon": HALF_WIDTH}})
    for t in (0, 1):
        measured = metrics_of(context, t + 1)
        words = np.round(context.table(t, "sample", "candidates.parquet")["x"].to_numpy())
        winners = context.table(t, "select", "winners.parquet")
        won, active = words[winners["candidate_id"].to_numpy()], winners["active_reward"]
        for own, target in ((1, 3.0), (2, -3.0)):
            mine = won[active.to_numpy() == own - 1]
            in_other = np.abs(mine - target) <= HALF_WIDTH
            leaked = measured[f"leakage.quadratic-{own}.quadratic-{3 - own}"]
            assert leaked == pytest.approx(in_other.mean())
            in_none = np.abs(np.abs(mine) - 3) > HALF_WIDTH
            assert measured[f"leakage.quadratic-{own}.outside"] == pytest.approx(in_none.mean())
        found = measure_round(context, t)
        assert isinstance(found, Round)
        expected = [np.mean(np.abs(words - target) <= HALF_WIDTH) for target in (-3, 3)]
        assert found.facts.masses == pytest.approx(expected)
        assert found.facts.outside == pytest.approx(1 - sum(expected))
        # Half the width of a bin is the theory's epsilon: both count the same samples.
        masses = [measured[f"basin_mass.quadratic-{i}"] for i in (1, 2)]
        high = [measured[f"high_reward_mass.quadratic-{i}"] for i in (1, 2)]
        assert masses == pytest.approx(high)
        assert measured["outside_mass"] == pytest.approx(1 - sum(masses))
