"""The loop: opening, then sample -> draw -> select -> retrain -> evaluate, again and again.

The same places are committed by the same functions whether Prefect runs them or not; Prefect
only decides how many places one task covers.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from data.canonical import canonical_json
from data.errors import PluralistError
from data.files import replace_file, storage_errors
from data.lock import run_lock
from data.manifest import MANIFEST
from data.store import RunRecord, Store
from flows.progress import Step, tell
from tasks.context import RunContext
from tasks.places import ITERATION_STAGES, Place, all_places, iteration_places, opening_places
from tasks.run_prompts import check_prompts
from tasks.run_weights import check_weights
from tasks.shard_pool import shard_pool
from tasks.stage import Outcome, run_place

# Runs a named batch of places and returns one outcome for each.
RunBatch = Callable[[RunContext, str, Sequence[Place]], list[Outcome]]
AfterIteration = Callable[[RunContext, int], None]

FAILURE = "failure.json"


def batches(
    iterations: int, granularity: str, shared: Sequence[str]
) -> Iterator[tuple[str, list[Place]]]:
    """Named batches of places in order: one place, one iteration, or the whole run at a time.

    `shared` are the run's shared stages.
    """
    if granularity == "run":
        yield "run", list(all_places(iterations, shared))
        return
    steps = [("initial", opening_places(shared))]
    steps += [(f"iteration-{t:04d}", iteration_places(t)) for t in range(iterations)]
    for name, places in steps:
        if granularity == "iteration":
            yield name, places
        else:
            for place in places:
                yield str(place), [place]


def run_here(context: RunContext, _name: str, places: Sequence[Place]) -> list[Outcome]:
    """Run a batch in this process without Prefect."""
    return [run_place(context, place) for place in places]


def rounds(
    context: RunContext,
    *,
    run_batch: RunBatch = run_here,
    after_iteration: AfterIteration | None = None,
) -> int:
    """Commit every missing place of the run, holding its lock; returns how many were computed.

    `after_iteration(context, k)` is called once p_k is evaluated. A failure is written to the
    run's failure.json, which the next success removes.
    """
    folder = context.store.run_folder(context.run)
    config = context.config
    shared = context.fingerprints.shared
    total = len(opening_places(shared)) + len(ITERATION_STAGES) * config.iterations
    done = computed = 0
    # Workers end before the lock is free for another process.
    with run_lock(folder, context.run), shard_pool(context):
        try:
            check_weights(context)
            check_prompts(context)
            for name, places in batches(config.iterations, config.runtime.granularity, shared):
                for outcome in run_batch(context, name, places):
                    done += 1
                    computed += outcome.how == "computed"
                    tell(Step(context.run, outcome, done, total))
                    fresh = outcome.how != "reused"
                    if after_iteration and fresh and outcome.place.stage == "evaluate":
                        t = outcome.place.iteration
                        after_iteration(context, 0 if t is None else t + 1)
        except PluralistError as error:
            _note_failure(folder, error)
            raise
        with storage_errors(folder):
            (folder / FAILURE).unlink(missing_ok=True)
    return computed


def is_complete(store: Store, record: RunRecord) -> bool:
    """Whether every stage of the run is committed; what runs share is not looked for."""
    iterations = record.config["iterations"]
    if store.models_evaluated(record.run, iterations) <= iterations:
        return False
    # Looked at one by one only now: a stage in the middle may have been set aside. As text,
    # since a sweep asks this of every member and paths cost more than the question.
    folder = str(store.run_folder(record.run))
    return all(
        os.path.exists(f"{folder}/{place}/{MANIFEST}")
        for place in all_places(iterations)
        if place.stage != "initial"
    )


def _note_failure(folder: Path, error: PluralistError) -> None:
    record: dict[str, Any] = {
        "error": type(error).__name__,
        "exit_code": error.exit_code,
        "message": str(error),
        "pid": os.getpid(),
    }
    try:
        replace_file(folder / FAILURE, canonical_json(record) + b"\n")
    except OSError:
        # The disk may be what failed; the error itself is about to be reported.
        return
