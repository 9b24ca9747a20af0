"""Cutting the candidates of a stage into shards that are committed one by one.

A shard has its own seed and commit, so a crash costs at most one shard and any number of
workers gives the same rows. With a single shard nothing extra is written.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from data.artifact import find_artifact
from data.canonical import digest_of
from data.commit import Attempt, discard_attempts
from data.errors import CorruptArtifact
from data.files import discard_folder
from data.parquet import require_schema
from data.quarantine import quarantine
from tasks.context import RunContext
from tasks.places import Place
from tasks.shard_pool import shard_pool

LOG = logging.getLogger("pluralist.shards")
ROWS = "rows.parquet"

# (context, place, shard, start, stop) -> rows `start` .. `stop` of the table; no closure, so
# that another process can be asked for a shard by its number.
ShardRows = Callable[[RunContext, Place, int, int, int], pa.Table]


@dataclass(frozen=True)
class ShardedTable:
    """A table that a stage makes in shards; `fingerprint` is that of the whole table.

    A stage with such a table has a function `sharded(context, place)` that describes it.
    """

    rows: ShardRows
    num_rows: int
    schema: pa.Schema
    fingerprint: str

    def fingerprint_of(self, shard: int) -> str:
        """Fingerprint of one shard; a committed shard of another one is replaced."""
        return digest_of({"table": self.fingerprint, "shard": shard})


def sharded_table(context: RunContext, place: Place, table: ShardedTable) -> pa.Table:
    """The rows of `table`: those of committed shards, the others made and committed now.

    With `runtime.shard_workers` above 1, other processes make what is missing.
    """
    runtime = context.config.runtime
    if table.num_rows <= runtime.shard_rows:
        return table.rows(context, place, 0, 0, table.num_rows)
    shards = range(-(-table.num_rows // runtime.shard_rows))
    found = {shard: _committed_rows(context, place, table, shard) for shard in shards}
    missing = [shard for shard, rows in found.items() if rows is None]
    if runtime.shard_workers > 1 and len(missing) > 1:
        _make_elsewhere(context, place, missing)
        found |= {shard: _committed_rows(context, place, table, shard) for shard in missing}
    rows = [
        committed if committed is not None else make_shard(context, place, table, shard)
        for shard, committed in found.items()
    ]
    return pa.concat_tables([require_schema(one, table.schema, ROWS) for one in rows])


def make_shard(context: RunContext, place: Place, table: ShardedTable, shard: int) -> pa.Table:
    """Compute and commit one shard of `table`; its rows."""
    folder, size = _folder(context, place, shard), context.config.runtime.shard_rows
    discard_attempts(folder)
    with Attempt(folder) as attempt:
        start = shard * size
        rows = table.rows(context, place, shard, start, min(start + size, table.num_rows))
        attempt.write_table(ROWS, rows, table.schema)
        attempt.publish(
            run=context.run,
            iteration=place.iteration,
            stage=place.stage,
            shard=shard,
            fingerprint=table.fingerprint_of(shard),
            numerics=context.numerics,
        )
    return rows


def _make_elsewhere(context: RunContext, place: Place, shards: Sequence[int]) -> None:
    with shard_pool(context) as pool:
        pool.make(str(context.store.root), context.run, place, shards)


def _folder(context: RunContext, place: Place, shard: int) -> Path:
    return context.folder(place) / f"shard-{shard:04d}"


def _committed_rows(
    context: RunContext, place: Place, table: ShardedTable, shard: int
) -> pa.Table | None:
    """Verified rows of a committed shard; a damaged one is set aside and None.

    One of another fingerprint or numerics class is discarded: the stage is published under the
    present class, so all of its rows are of that one.
    """
    folder = _folder(context, place, shard)
    try:
        artifact = find_artifact(folder)
        if artifact is None:
            return None
        is_same = artifact.fingerprint == table.fingerprint_of(shard)
        if is_same and artifact.manifest.numerics == context.numerics:
            return artifact.table(ROWS)
    except CorruptArtifact as error:
        LOG.warning("shard set aside in %s: %s", quarantine(folder), error)
        return None
    discard_folder(folder)
    return None
