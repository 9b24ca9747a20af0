"""A worker process of a sweep: runs members one after the other, as its parent asks for them.

It is started by `flows.worker_pool`, and never imports Prefect.
"""

from pathlib import Path
from typing import Any

from flows.rounds import rounds
from tasks.context import RunContext
from tasks.worker_service import answered, serve

OUT_OF_MEMORY = (
    "expected the work to fit into memory, it did not; lower num_candidates, "
    "runtime.batch_size, runtime.shard_rows or --concurrency, then resume"
)


def main() -> None:
    """Answer requests {store, run} until stdin ends."""
    serve(lambda request: answer(request["store"], request["run"]))


def answer(store: str, run: str) -> dict[str, Any]:
    """Run one member: {computed: number of places}, or {error, message}."""
    return answered(
        lambda: {"computed": rounds(RunContext.open(Path(store), run))},
        out_of_memory=OUT_OF_MEMORY,
    )


if __name__ == "__main__":
    main()
