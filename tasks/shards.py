"""Cutting the candidates of a stage into shards that are committed one by one.

A shard has its own seed and commit, so a crash costs at most one shard and any number of
workers gives the same rows. With a single shard nothing extra is written.
"""

from collections.abc import Callable

import pyarrow as pa

from data.artifact import find_artifact
from data.canonical import digest_of
from data.commit import Attempt, discard_attempts
from data.files import discard_folder
from tasks.context import RunContext
from tasks.places import Place

ROWS = "rows.parquet"


def sharded_table(
    context: RunContext,
    place: Place,
    make_rows: Callable[[int, int, int], pa.Table],
    *,
    schema: pa.Schema,
    fingerprint: str,
) -> pa.Table:
    """All candidates' rows of a stage, `make_rows(shard, start, stop)` giving one shard's.

    `fingerprint` is that of the whole table; committed shards of another one are replaced.
    """
    num_rows, size = context.config.num_candidates, context.config.runtime.shard_rows
    if num_rows <= size:
        return make_rows(0, 0, num_rows)
    tables = []
    for shard, start in enumerate(range(0, num_rows, size)):
        folder = context.folder(place) / f"shard-{shard:04d}"
        shard_fingerprint = digest_of({"table": fingerprint, "shard": shard})
        artifact = find_artifact(folder)
        if artifact is not None and artifact.fingerprint != shard_fingerprint:
            discard_folder(folder)
            artifact = None
        if artifact is None:
            discard_attempts(folder)
            with Attempt(folder, root=context.store.root) as attempt:
                rows = make_rows(shard, start, min(start + size, num_rows))
                attempt.write_table(ROWS, rows, schema)
                artifact = attempt.publish(
                    run=context.run,
                    iteration=place.iteration,
                    stage=place.stage,
                    shard=shard,
                    fingerprint=shard_fingerprint,
                )
        tables.append(artifact.table(ROWS))
    return pa.concat_tables(tables)
