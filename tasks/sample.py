"""Stage `sample`: candidates x_1 .. x_N drawn from the model p_t, or its whole support.

Where a pool grows over the rounds, iteration 0 holds its seeds, which are real rows.
"""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from data.commit import Attempt
from data.errors import ConfigError
from data.schemas import CANDIDATE_KEYS
from data.seeds import stage_seed
from data.texts import PROMPT_FIELD
from generators.registry import Generator
from tasks.context import RunContext
from tasks.places import Place
from tasks.prompt_groups import prompt_rows
from tasks.real_rows import real_rows
from tasks.shards import ShardedTable, sharded_table
from tasks.stage import StageFacts
from tasks.survivor_pool import choose_seeds, first_candidate_id

CANDIDATES = "candidates.parquet"


def numbered(
    payload: pa.Table,  # n rows
    *,
    start: int = 0,
    groups: npt.NDArray[np.integer] | None = None,  # (n,)
) -> pa.Table:
    """`payload` with candidate_id counting from `start` and its group, or 0, in front."""
    ids = np.arange(start, start + payload.num_rows, dtype=np.int32)
    if groups is None:
        groups = np.zeros(payload.num_rows)
    keys = {"candidate_id": ids, "group": groups.astype(np.int32)}
    columns = {name: payload[name] for name in payload.column_names}
    return pa.table({**keys, **columns})


def support_of(model: Generator) -> pa.Table:
    """Every sample the model can give, with its probability in column `mass`.

    Raises `ConfigError` for a model family without a finite support.
    """
    support = getattr(model, "support", None)
    if support is None:
        raise ConfigError(
            f"selection.scheme 'expected': expected a generator with a finite support, got "
            f"{model.config.kind!r}; use generator 'density', or scheme 'all' or 'fresh'"
        )
    table: pa.Table = support()
    return table


def shard_rows(
    context: RunContext, place: Place, shard: int, start: int, stop: int
) -> pa.Table:  # stop - start rows
    """Candidates `start` .. `stop`, drawn from p_t under the seed of their shard."""
    assert place.iteration is not None
    seed = stage_seed(context.config.seed, "sample", place.iteration, shard=shard)
    model, asked = (
        context.model(place.iteration),
        prompt_rows(context.config, place.iteration, start, stop),
    )
    groups, prompts = (None, None) if asked is None else asked
    payload = model.sample(stop - start, seed=seed, prompts=prompts)
    first = first_candidate_id(context.config, place.iteration)
    return numbered(payload, start=first + start, groups=groups)


def sharded(context: RunContext, place: Place) -> ShardedTable:
    """candidates.parquet as it is made in shards."""
    assert place.iteration is not None
    return ShardedTable(
        rows=shard_rows,
        num_rows=context.config.num_candidates,
        schema=_schema(context, place.iteration),
        fingerprint=context.fingerprints.of(place),
    )


def compute(context: RunContext, place: Place, attempt: Attempt) -> StageFacts:
    """Write candidates.parquet: candidate_id, group and the domain's payload, N rows."""
    assert place.iteration is not None
    if context.config.selection.scheme == "expected":
        support = support_of(context.model(place.iteration))
        schema = pa.schema([*CANDIDATE_KEYS, *support.schema])
        attempt.write_table(CANDIDATES, numbered(support), schema)
        return StageFacts(rows_in=0, rows_out=support.num_rows)
    if context.config.pool is not None and place.iteration == 0:
        seeds = numbered(choose_seeds(real_rows(context.config), context.config))
        attempt.write_table(CANDIDATES, seeds, _schema(context, 0))
        return StageFacts(rows_in=0, rows_out=seeds.num_rows)
    table = sharded(context, place)
    attempt.write_table(CANDIDATES, sharded_table(context, place, table), table.schema)
    return StageFacts(rows_in=0, rows_out=table.num_rows)


def _schema(context: RunContext, iteration: int) -> pa.Schema:
    payload = context.model(iteration).schema
    prompt = [PROMPT_FIELD] if context.config.prompts is not None else []
    return pa.schema([*CANDIDATE_KEYS, *prompt, *payload])
