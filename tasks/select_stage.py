"""Stage `select`: the winner of every curated draw, from the committed scores and draws."""

import numpy as np
import pyarrow as pa

from data.commit import Attempt
from data.schemas import POOLS, WINNERS
from data.seeds import stage_rng
from tasks.bradley_terry import select
from tasks.context import RunContext
from tasks.draw_stage import DRAWS_FILE, SCORES
from tasks.places import Place
from tasks.sample import CANDIDATES
from tasks.stage import StageFacts


def compute(context: RunContext, place: Place, attempt: Attempt) -> StageFacts:
    """Write winners.parquet, and pools.parquet when `selection.keep_pools` asks for it."""
    assert place.iteration is not None
    config, t = context.config, place.iteration
    candidates = context.table(t, "sample", CANDIDATES)
    scores, draws = context.table(t, "draw", SCORES), context.table(t, "draw", DRAWS_FILE)
    winners = select(
        np.column_stack([scores[name].to_numpy() for name in config.reward_names]),
        draws["active_reward"].to_numpy(),
        scheme=config.selection.scheme,
        pool_size=config.selection.pool_size,
        temperature=config.selection.temperature,
        replacement=config.selection.replacement,
        rng=stage_rng(config.seed, "select", t),
        groups=candidates["group"].to_numpy(),
        keep_pools=config.selection.keep_pools,
    )
    table = pa.table(
        {
            "draw_id": draws["draw_id"],
            "active_reward": draws["active_reward"],
            "candidate_id": winners.candidate_id,
            "probability": winners.probability,
        }
    )
    attempt.write_table("winners.parquet", table, WINNERS)
    if winners.pools is not None:
        pools = pa.array([np.asarray(pool) for pool in winners.pools], pa.list_(pa.int32()))
        kept = pa.table({"draw_id": draws["draw_id"], "candidate_ids": pools})
        attempt.write_table("pools.parquet", kept, POOLS)
    return StageFacts(rows_in=scores.num_rows, rows_out=table.num_rows)
