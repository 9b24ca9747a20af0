"""Cutting the candidates of a stage into shards that are committed one by one.

A shard has its own seed and commit, so a crash costs at most one shard and any number of
workers gives the same rows. With a single shard nothing extra is written.
"""

import logging
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa

from data.artifact import find_artifact
from data.canonical import digest_of
from data.commit import Attempt, discard_attempts
from data.errors import CorruptArtifact
from data.files import discard_folder
from data.quarantine import quarantine
from tasks.context import RunContext
from tasks.places import Place

LOG = logging.getLogger("pluralist.shards")
ROWS = "rows.parquet"


def sharded_table(
    context: RunContext,
    place: Place,
    make_rows: Callable[[int, int, int], pa.Table],
    *,
    num_rows: int,
    schema: pa.Schema,
    fingerprint: str,
) -> pa.Table:
    """The `num_rows` rows of a stage, `make_rows(shard, start, stop)` giving one shard's.

    `fingerprint` is that of the whole table; committed shards of another one are replaced.
    """
    size = context.config.runtime.shard_rows
    if num_rows <= size:
        return make_rows(0, 0, num_rows)
    tables = []
    for shard, start in enumerate(range(0, num_rows, size)):
        folder = context.folder(place) / f"shard-{shard:04d}"
        shard_fingerprint = digest_of({"table": fingerprint, "shard": shard})
        rows = _committed_rows(folder, shard_fingerprint)
        if rows is None:
            discard_attempts(folder)
            with Attempt(folder) as attempt:
                rows = make_rows(shard, start, min(start + size, num_rows))
                attempt.write_table(ROWS, rows, schema)
                attempt.publish(
                    run=context.run,
                    iteration=place.iteration,
                    stage=place.stage,
                    shard=shard,
                    fingerprint=shard_fingerprint,
                    numerics=context.numerics,
                )
        tables.append(rows.select(schema.names).cast(schema))
    return pa.concat_tables(tables)


def _committed_rows(folder: Path, fingerprint: str) -> pa.Table | None:
    """Verified rows of a committed shard; a damaged one is set aside and None."""
    try:
        artifact = find_artifact(folder)
        if artifact is None:
            return None
        if artifact.fingerprint == fingerprint:
            return artifact.table(ROWS)
    except CorruptArtifact as error:
        LOG.warning("shard set aside in %s: %s", quarantine(folder), error)
        return None
    discard_folder(folder)
    return None
