"""Stage `select` as committed: noisy scores and flips are those the winners were chosen by."""

from typing import Any

import numpy as np
import pytest

from data.seeds import stage_rng
from tasks.bradley_terry import select
from tasks.context import RunContext
from tasks.places import Place
from tests.flows.conftest import MakeRun

NAMES = ("quadratic-1", "quadratic-2")


def scores_of(context: RunContext, stage: str, file: str, t: int) -> Any:
    table = context.table(t, stage, file)
    return np.column_stack([table[name].to_numpy() for name in NAMES])


def files_of(context: RunContext, t: int) -> set[str]:
    return {entry.path for entry in context.open_place(Place(t, "select")).manifest.files}


def chosen_again(context: RunContext, t: int, scores: Any, active: Any) -> Any:
    selection = context.config.selection
    return select(
        scores,
        active,
        scheme=selection.scheme,
        pool_size=selection.pool_size,
        temperature=selection.temperature,
        replacement=selection.replacement,
        rng=stage_rng(context.config.seed, "select", t),
    )


def test_a_plain_selection_writes_winners_alone(make_run: MakeRun) -> None:
    assert files_of(make_run(), 1) == {"winners.parquet"}


def test_winners_are_chosen_by_the_committed_noisy_scores(make_run: MakeRun) -> None:
    context = make_run(changes={"selection": {"score_noise": 2.0}})
    assert files_of(context, 1) == {"winners.parquet", "noisy_scores.parquet"}
    plain = scores_of(context, "draw", "scores.parquet", 1)
    noisy = scores_of(context, "select", "noisy_scores.parquet", 1)
    assert (noisy - plain).std() == pytest.approx(2.0, rel=4 / np.sqrt(2 * noisy.size))
    winners = context.table(1, "select", "winners.parquet")
    again = chosen_again(context, 1, noisy, winners["active_reward"].to_numpy())
    np.testing.assert_array_equal(winners["candidate_id"].to_numpy(), again.candidate_id)
    np.testing.assert_array_equal(winners["probability"].to_numpy(), again.probability)


def test_noise_is_another_in_every_round_and_under_every_seed(make_run: MakeRun) -> None:
    changes = {"selection": {"score_noise": 1.0}}
    first, other = make_run("a", changes), make_run("b", changes | {"seed": 1})

    def noise(context: RunContext, t: int) -> Any:
        plain = scores_of(context, "draw", "scores.parquet", t)
        return (scores_of(context, "select", "noisy_scores.parquet", t) - plain)[:, 0]

    noises = [noise(first, 0), noise(first, 1), noise(other, 0)]
    assert np.abs(np.corrcoef(noises) - np.eye(3)).max() < 4 / np.sqrt(200)


def test_flipped_draws_are_won_by_the_opposite_preference(make_run: MakeRun) -> None:
    context = make_run(changes={"selection": {"flip_probability": 0.3, "temperature": 0.0}})
    assert files_of(context, 1) == {"winners.parquet", "flips.parquet"}
    flips = context.table(1, "select", "flips.parquet")
    flipped = flips["flipped"].to_numpy(zero_copy_only=False)
    assert flips["draw_id"].to_pylist() == list(range(200))
    assert flipped.mean() == pytest.approx(0.3, abs=4 * np.sqrt(0.21 / 200))
    scores = scores_of(context, "draw", "scores.parquet", 1)
    winners = context.table(1, "select", "winners.parquet")
    active, ids = winners["active_reward"].to_numpy(), winners["candidate_id"].to_numpy()
    # At temperature 0 a draw is won by the best, a flipped one by the worst.
    wanted = np.where(flipped, scores.argmin(axis=0)[active], scores.argmax(axis=0)[active])
    np.testing.assert_array_equal(ids, wanted)


def test_the_winners_table_names_the_reward_that_was_drawn_not_its_opposite(
    make_run: MakeRun,
) -> None:
    context = make_run(changes={"selection": {"flip_probability": 1.0}})
    drawn = context.table(0, "draw", "draws.parquet")["active_reward"]
    assert context.table(0, "select", "winners.parquet")["active_reward"].equals(drawn)


def test_flips_and_noise_leave_each_other_as_they_were(make_run: MakeRun) -> None:
    both = make_run("both", {"selection": {"flip_probability": 0.2, "score_noise": 1.0}})
    flips = make_run("flips", {"selection": {"flip_probability": 0.2}})
    noise = make_run("noise", {"selection": {"score_noise": 1.0}})
    assert files_of(both, 0) == {"winners.parquet", "flips.parquet", "noisy_scores.parquet"}
    for other, file in ((flips, "flips.parquet"), (noise, "noisy_scores.parquet")):
        assert both.table(0, "select", file).equals(other.table(0, "select", file))


def test_kept_pools_stand_beside_the_winners(make_run: MakeRun) -> None:
    selection = {"scheme": "fresh", "pool_size": 3, "keep_pools": True}
    context = make_run(changes={"selection": selection})
    pools = context.table(1, "select", "pools.parquet")["candidate_ids"].to_pylist()
    ids = context.table(1, "select", "winners.parquet")["candidate_id"].to_pylist()
    assert len(pools) == 200
    assert all(len(pool) == 3 and one in pool for pool, one in zip(pools, ids, strict=True))


def test_in_expectation_every_candidate_stands_under_every_reward(make_idealised: MakeRun) -> None:
    context = make_idealised({"selection": {"scheme": "expected", "pool_size": 4}})
    winners = context.table(1, "select", "winners.parquet")
    assert winners["candidate_id"].to_pylist() == [*range(101), *range(101)]
    assert winners["draw_id"].to_pylist() == winners["active_reward"].to_pylist()
    chances = winners["probability"].to_numpy().reshape(2, 101)
    np.testing.assert_allclose(chances.sum(axis=1), 1.0, rtol=1e-9)
