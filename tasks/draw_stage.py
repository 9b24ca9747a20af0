"""Stage `draw`: every reward of every candidate, and the active reward of every curated draw."""

import logging

import numpy as np
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
from tasks.shards import sharded_table
from tasks.stage import StageFacts

LOG = logging.getLogger("pluralist.stage")
SCORES = "scores.parquet"
DRAWS_FILE = "draws.parquet"


def compute(context: RunContext, place: Place, attempt: Attempt) -> StageFacts:
    """Write scores.parquet (every reward of every candidate) and draws.parquet (M rows)."""
    assert place.iteration is not None
    config, t = context.config, place.iteration
    fingerprint = context.fingerprints.of_scores(place)
    if not _adopt_scores(context, place, attempt, fingerprint):
        candidates = context.table(t, "sample", CANDIDATES)
        schema = scores_schema(config.reward_names)

        def make_rows(_shard: int, start: int, stop: int) -> pa.Table:
            rows = candidates.slice(start, stop - start)
            scores = context.scores(rows)
            columns = dict(zip(config.reward_names, scores.T, strict=True))
            return pa.table({"candidate_id": rows["candidate_id"], **columns})

        scores = sharded_table(
            context,
            place,
            make_rows,
            num_rows=candidates.num_rows,
            schema=schema,
            fingerprint=fingerprint,
        )
        attempt.write_table(SCORES, scores, schema, fingerprint=fingerprint)
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
    draw_ids = np.arange(len(active), dtype=np.int32)
    attempt.write_table(DRAWS_FILE, pa.table({"draw_id": draw_ids, "active_reward": active}), DRAWS)
    return StageFacts(rows_in=config.num_candidates, rows_out=len(active))


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
