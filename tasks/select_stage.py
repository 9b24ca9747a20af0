"""Stage `select`: the winner of every curated draw, from the committed scores and draws."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from data.commit import Attempt
from data.schemas import FLIPS, POOLS, SURVIVORS, WINNERS, scores_schema
from data.seeds import stage_rng
from tasks.bradley_terry import Winners, select
from tasks.context import RunContext
from tasks.draw_stage import DRAWS_FILE, SCORES
from tasks.feedback import draw_flips, noisy_scores, with_opposites
from tasks.places import Place
from tasks.sample import CANDIDATES
from tasks.stage import StageFacts
from tasks.survivor_pool import (
    FILTER_STREAM,
    SURVIVOR_DRAWS_FILE,
    SURVIVORS_FILE,
    competitors,
)

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.integer]

WINNERS_FILE = "winners.parquet"
# Independent uses of randomness within the stage; the choice itself has stream 0.
NOISE_STREAM, FLIP_STREAM = 1, 2


def compute(context: RunContext, place: Place, attempt: Attempt) -> StageFacts:
    """Write winners.parquet, survivors.parquet where a pool grows, pools.parquet if
    `selection.keep_pools` asks for it, and what disturbed the choice: noisy_scores.parquet and
    flips.parquet.
    """
    assert place.iteration is not None
    names, t = context.config.reward_names, place.iteration
    candidates = context.table(t, "sample", CANDIDATES)
    table, draws = context.table(t, "draw", SCORES), context.table(t, "draw", DRAWS_FILE)
    if context.config.pool is not None:
        table = _grown_pool(context, t, attempt, table)
    scores = np.column_stack([table[name].to_numpy() for name in names])
    if context.config.selection.scheme == "expected":
        rows = _chances(context, candidates, scores)
    else:
        active = draws["active_reward"].to_numpy()
        ids = table["candidate_id"].to_numpy()
        winners = _choose(context, t, attempt, candidates, scores, active)
        rows = pa.table(
            {
                "draw_id": draws["draw_id"],
                "active_reward": draws["active_reward"],
                "candidate_id": ids[winners.candidate_id],
                "probability": winners.probability,
            }
        )
        if winners.pools is not None:
            pools = pa.array([ids[pool] for pool in winners.pools], pa.list_(pa.int32()))
            kept = pa.table({"draw_id": draws["draw_id"], "candidate_ids": pools})
            attempt.write_table("pools.parquet", kept, POOLS)
    attempt.write_table(WINNERS_FILE, rows, WINNERS)
    return StageFacts(rows_in=table.num_rows, rows_out=rows.num_rows)


def _grown_pool(
    context: RunContext,
    t: int,
    attempt: Attempt,
    scores: pa.Table,  # n rows, of the candidates of round t
) -> pa.Table:
    """Scores of pool_t; writes survivors.parquet, who of this round is in it.

    The seeds all are. Later candidates are drawn as winners are, but none twice.
    """
    names, selection = context.config.reward_names, context.config.selection
    if t == 0:
        kept = {
            "draw_id": scores["candidate_id"],
            "candidate_id": scores["candidate_id"],
        }
        attempt.write_table(SURVIVORS_FILE, pa.table(kept), SURVIVORS)
        return scores
    active = context.table(t, "draw", SURVIVOR_DRAWS_FILE)["active_reward"].to_numpy()
    found = select(
        np.column_stack([scores[name].to_numpy() for name in names]),
        active,
        scheme="all",
        pool_size=None,
        temperature=selection.temperature,
        replacement=False,
        rng=stage_rng(context.config.seed, "select", t, stream=FILTER_STREAM),
    )
    draw_ids = np.arange(len(active), dtype=np.int32)
    ids = scores["candidate_id"].to_numpy()[found.candidate_id]
    attempt.write_table(
        SURVIVORS_FILE, pa.table({"draw_id": draw_ids, "candidate_id": ids}), SURVIVORS
    )
    joining = scores.take(np.sort(found.candidate_id))
    return pa.concat_tables([competitors(context, t - 1, "draw", SCORES), joining])


def _choose(
    context: RunContext,
    t: int,
    attempt: Attempt,
    candidates: pa.Table,  # n rows
    scores: FloatArray,  # (n, R)
    active: IntArray,  # (m,)
) -> Winners:
    """One winner a draw, after whatever disturbs the scores and the draws."""
    seed, selection = context.config.seed, context.config.selection
    if selection.score_noise > 0:
        rng = stage_rng(seed, "select", t, stream=NOISE_STREAM)
        scores = noisy_scores(scores, selection.score_noise, rng=rng)
        names = context.config.reward_names
        columns = dict(zip(names, scores.T, strict=True))
        noisy = pa.table({"candidate_id": candidates["candidate_id"], **columns})
        attempt.write_table("noisy_scores.parquet", noisy, scores_schema(names))
    if selection.flip_probability > 0:
        rng = stage_rng(seed, "select", t, stream=FLIP_STREAM)
        flipped = draw_flips(len(active), selection.flip_probability, rng=rng)
        draw_ids = np.arange(len(active), dtype=np.int32)
        attempt.write_table(
            "flips.parquet", pa.table({"draw_id": draw_ids, "flipped": flipped}), FLIPS
        )
        scores, active = with_opposites(scores, active, flipped)
    return select(
        scores,
        active,
        scheme=selection.scheme,
        pool_size=selection.pool_size,
        temperature=selection.temperature,
        replacement=selection.replacement,
        rng=stage_rng(seed, "select", t),
        groups=candidates["group"].to_numpy(),
        keep_pools=selection.keep_pools,
    )


def _chances(
    context: RunContext,
    candidates: pa.Table,  # n rows with their masses
    scores: FloatArray,  # (n, R)
) -> pa.Table:  # R * n rows
    """Every candidate under every reward, reward by reward; the draw is the reward's number."""
    # Only here: the theory is not needed to draw winners.
    from tasks.expected_selection import expected_winners

    selection, ids = context.config.selection, candidates["candidate_id"].to_numpy()
    chances = expected_winners(
        scores,
        candidates["mass"].to_numpy(),
        pool_size=selection.pool_size,
        temperature=selection.temperature,
    )
    reward = np.repeat(np.arange(len(chances)), len(ids))
    return pa.table(
        {
            "draw_id": reward.astype(np.int32),
            "active_reward": reward.astype(np.int16),
            "candidate_id": np.tile(ids, len(chances)),
            "probability": chances.ravel(),
        }
    )
