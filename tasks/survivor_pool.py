"""A pool that grows by the survivors of every round (paper, section C.6).

pool_0 is a set of real rows, the seeds; round t >= 1 samples N rows from p_t, keeps some of them
by the law winners are drawn by, and adds these survivors: pool_t = pool_{t-1} + survivors_t.
Winners are then drawn from pool_t. A row keeps the score it got when it came.
"""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from data.errors import ConfigError
from data.seeds import stage_rng
from tasks.places import Place

if TYPE_CHECKING:
    from tasks.context import RunContext
    from tasks.settings import RunConfig

IntArray = npt.NDArray[np.int64]

SURVIVORS_FILE = "survivors.parquet"
SURVIVOR_DRAWS_FILE = "survivor_draws.parquet"
# Streams of the stages beside their own use of randomness.
SEEDS_STREAM, DRAWS_STREAM, FILTER_STREAM = 2, 1, 3


def first_candidate_id(config: "RunConfig", iteration: int) -> int:
    """Number of the first candidate of round t; with a pool they count through all rounds."""
    if config.pool is None or iteration == 0:
        return 0
    return config.pool.num_seeds + (iteration - 1) * config.num_candidates


def choose_seeds(
    real: pa.Table,
    config: "RunConfig",
) -> pa.Table:  # num_seeds rows
    """The real rows that make pool_0, each at most once; raises `ConfigError` for too few."""
    assert config.pool is not None
    wanted = config.pool.num_seeds
    if real.num_rows < wanted:
        raise ConfigError(
            f"pool.num_seeds: expected at most the {real.num_rows} real rows there are, got "
            f"{wanted}; lower it, or give more"
        )
    rng = stage_rng(config.seed, "sample", 0, stream=SEEDS_STREAM)
    return real.take(np.sort(rng.permutation(real.num_rows)[:wanted]))


def competitors(context: "RunContext", t: int, stage: str, name: str) -> pa.Table:
    """Rows of a table by candidate for all that compete in round t, in order of their numbers.

    `stage` is `sample` or `draw`, `name` its table. Without a pool that is the round's own
    table; with one, the survivors of every round up to t.
    """
    if context.config.pool is None:
        return context.table(t, stage, name)
    kind = f"pool {stage}/{name}"
    return context.accumulated(kind, t, lambda run, s: _survivors_of(run, s, stage, name))


def _survivors_of(context: "RunContext", t: int, stage: str, name: str) -> pa.Table:
    rows = context.open_place(Place(t, stage)).table(name)
    kept = context.open_place(Place(t, "select")).table(SURVIVORS_FILE)["candidate_id"]
    return rows.take(positions_of(np.sort(kept.to_numpy()), rows["candidate_id"].to_numpy()))


def positions_of(
    wanted: npt.NDArray[np.integer],  # (m,)
    ids: npt.NDArray[np.integer],  # (n,), ascending
) -> IntArray:  # (m,)
    """Row of each wanted candidate in a table ordered by their numbers."""
    found: IntArray = np.searchsorted(ids, wanted)
    assert (found < len(ids)).all() and (ids[found] == wanted).all(), "no such candidate"
    return found
