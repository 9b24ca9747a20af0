"""What the next model is trained on: curated rows, real rows, earlier rounds.

N candidates, M winners (or, in expectation, R N rows of chances), f the share of real rows.
"""

import numpy as np
import pyarrow as pa

from data.seeds import stage_rng
from tasks.context import RunContext
from tasks.real_rows import real_rows
from tasks.sample import CANDIDATES
from tasks.select_stage import WINNERS_FILE
from tasks.survivor_pool import competitors, positions_of

NOT_PAYLOAD = ("candidate_id", "group", "mass")
# Stream of the retrain stage that picks real rows; stream 0 is the training's own.
REAL_STREAM = 1


def curated_rows(
    candidates: pa.Table,  # N rows
    winners: pa.Table,  # M rows
) -> pa.Table:
    """Payload of each winner in draw order, M rows; a candidate that won twice stands twice.

    `candidates` are in order of their numbers.
    """
    names = [name for name in candidates.column_names if name in NOT_PAYLOAD]
    rows = positions_of(winners["candidate_id"].to_numpy(), candidates["candidate_id"].to_numpy())
    return candidates.drop_columns(names).take(rows)


def training_set(context: RunContext, t: int) -> pa.Table:
    """Rows that p_{t+1} is trained on.

    M curated rows of iteration t; a share f of them replaced by real rows drawn with
    replacement; or the curated sets of all iterations up to t, with every real row once if
    f > 0. Under scheme `expected` the rows carry a column `weight`, the reward's weight times
    the candidate's chance.
    """
    config = context.config
    if config.selection.scheme == "expected":
        return _weighted(context, t)
    if config.training.accumulate:
        parts = [real_rows(config)] if config.training.real_share > 0 else []
        return pa.concat_tables([*parts, context.accumulated("curated", t, _curated)])
    curated = _curated(context, t)
    if config.training.real_share == 0:
        return curated
    return _mixed(curated, real_rows(config), context, t)


def _curated(context: RunContext, t: int) -> pa.Table:
    return curated_rows(
        competitors(context, t, "sample", CANDIDATES), context.table(t, "select", WINNERS_FILE)
    )


def _weighted(context: RunContext, t: int) -> pa.Table:
    winners = context.table(t, "select", WINNERS_FILE)
    shares = np.array(context.config.weights_at(t))[winners["active_reward"].to_numpy()]
    weights = shares * winners["probability"].to_numpy()
    return _curated(context, t).append_column("weight", pa.array(weights))


def _mixed(curated: pa.Table, real: pa.Table, context: RunContext, t: int) -> pa.Table:
    """round(f M) rows of `curated`, chosen at random, replaced by rows of `real`."""
    num_real = round(context.config.training.real_share * curated.num_rows)
    rng = stage_rng(context.config.seed, "retrain", t, stream=REAL_STREAM)
    kept = np.sort(rng.permutation(curated.num_rows)[num_real:])
    drawn = rng.integers(real.num_rows, size=num_real)
    return pa.concat_tables([curated.take(kept), real.take(drawn).cast(curated.schema)])
