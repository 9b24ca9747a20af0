"""Stage `draw`: every reward of every candidate, and the active reward of every curated draw."""

import logging

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from data.artifact import find_artifact
from data.commit import Attempt
from data.errors import CorruptArtifact
from data.schemas import DRAWS, scores_schema
from data.seeds import stage_rng
from tasks.context import RunContext
from tasks.places import Place
from tasks.reward_draw import draw_active_rewards
from tasks.sample import CANDIDATES
from tasks.shards import ShardedTable, sharded_table
from tasks.stage import StageFacts
from tasks.survivor_pool import DRAWS_STREAM, SURVIVOR_DRAWS_FILE

LOG = logging.getLogger("pluralist.stage")
SCORES = "scores.parquet"
DRAWS_FILE = "draws.parquet"


def shard_rows(
    context: RunContext, place: Place, _shard: int, start: int, stop: int
) -> pa.Table:  # stop - start rows
    """Every reward of the candidates `start` .. `stop`."""
    assert place.iteration is not None
    candidates = context.rows(place.iteration, "sample", CANDIDATES, start, stop)
    columns = dict(zip(context.config.reward_names, context.scores(candidates).T, strict=True))
    return pa.table({"candidate_id": candidates["candidate_id"], **columns})


def sharded(context: RunContext, place: Place) -> ShardedTable:
    """scores.parquet as it is made in shards."""
    num_rows = context.open_place(Place(place.iteration, "sample")).manifest.entry(CANDIDATES).rows
    assert num_rows is not None, "a table has rows"
    return ShardedTable(
        rows=shard_rows,
        num_rows=num_rows,
        schema=scores_schema(context.config.reward_names),
        fingerprint=context.fingerprints.of_scores(place),
    )


def compute(context: RunContext, place: Place, attempt: Attempt) -> StageFacts:
    """Write scores.parquet (every reward of every candidate) and draws.parquet (M rows).

    Where a pool grows, survivor_draws.parquet too: the active rewards of who joins it.
    """
    assert place.iteration is not None
    config, t = context.config, place.iteration
    table = sharded(context, place)
    if not _adopt_scores(context, place, attempt, table.fingerprint):
        # Read here once for the shards made in this process and for the stages that follow.
        context.table(t, "sample", CANDIDATES)
        scores = sharded_table(context, place, table)
        attempt.write_table(SCORES, scores, table.schema, fingerprint=table.fingerprint)
    if config.selection.scheme == "expected":
        # Nothing is drawn: each reward counts once, with its weight in `retrain`.
        active = np.arange(len(config.rewards), dtype=np.int16)
    else:
        active = draw_active_rewards(
            config.selection.num_curated,
            np.asarray(config.weights_at(t)),
            mode=config.selection.active_reward,
            iteration=t,
            rng=stage_rng(config.seed, "draw", t),
        )
    attempt.write_table(DRAWS_FILE, _draws(active), DRAWS)
    if config.pool is not None and t > 0:
        keeping = draw_active_rewards(
            config.pool.num_survivors,
            np.asarray(config.weights_at(t)),
            mode=config.selection.active_reward,
            iteration=t,
            rng=stage_rng(config.seed, "draw", t, stream=DRAWS_STREAM),
        )
        attempt.write_table(SURVIVOR_DRAWS_FILE, _draws(keeping), DRAWS)
    return StageFacts(rows_in=table.num_rows, rows_out=len(active))


def _draws(
    active: npt.NDArray[np.int16],  # (m,)
) -> pa.Table:  # m rows
    draw_ids = np.arange(len(active), dtype=np.int32)
    return pa.table({"draw_id": draw_ids, "active_reward": active})


def _adopt_scores(context: RunContext, place: Place, attempt: Attempt, fingerprint: str) -> bool:
    """Take scores.parquet over from a run this one was forked from, if it is the same."""
    for origin in context.origins():
        folder = context.store.stage_folder(origin, place.iteration, place.stage)
        try:
            theirs = find_artifact(folder)
            if theirs is None or theirs.manifest.numerics != context.numerics:
                continue
            entry = theirs.manifest.entry(SCORES)
            if entry.fingerprint == fingerprint:
                attempt.adopt(theirs, [entry])
                return True
        except CorruptArtifact as error:
            LOG.warning("%s %s: not taken over from %s: %s", context.run, place, origin, error)
    return False
