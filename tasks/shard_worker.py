"""A worker process that makes shards of a run, as its parent asks for them by number.

It is started by `tasks.shard_pool`, takes no lock (publishing is create-only) and never imports
Prefect. Its context stays, so a model is loaded once an iteration.
"""

from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

from data.errors import ProvenanceMismatch
from data.numerics import differences
from tasks.context import RunContext
from tasks.places import Place
from tasks.shards import ShardedTable, make_shard
from tasks.stage import COMPUTE
from tasks.worker_service import answered, serve

OUT_OF_MEMORY = (
    "expected the work to fit into memory, it did not; lower runtime.shard_workers, "
    "runtime.shard_rows or runtime.batch_size, then resume"
)


def main() -> None:
    """Answer requests {store, run, iteration, stage, shard} until stdin ends."""
    serve(answer)


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """Make and commit one shard: {shard}, or {error, message}."""
    return answered(lambda: _made(request), out_of_memory=OUT_OF_MEMORY)


def _made(request: dict[str, Any]) -> dict[str, Any]:
    context = _context(request["store"], request["run"])
    _check_numerics(context)
    place = Place(request["iteration"], request["stage"])
    module, _ = COMPUTE[place.stage]
    table: ShardedTable = import_module(module).sharded(context, place)
    with context.session():
        make_shard(context, place, table, request["shard"])
    return {"shard": request["shard"]}


def _check_numerics(context: RunContext) -> None:
    """Raise `ProvenanceMismatch` where this process computes in another class than the run."""
    if not context.accepts(context.numerics):
        rows = differences(context.record.numerics, context.numerics)
        table = "\n".join(f"  {key}: {old} -> {new}" for key, old, new in rows)
        raise ProvenanceMismatch(
            f"{context.run}: expected worker processes of the run's numerics class, got another "
            f"one (expected -> found):\n{table}\nmake equal GPUs visible, or set "
            "runtime.shard_workers=1"
        )


@lru_cache(maxsize=1)
def _context(store: str, run: str) -> RunContext:
    return RunContext.open(Path(store), run)


if __name__ == "__main__":
    main()
