"""The members of a sweep: which are missing, finishing them, how each ended."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from data.errors import PluralistError
from data.store import RunRecord, Store
from flows.creation import find_records
from flows.progress import Step, tell
from flows.rounds import is_complete
from flows.worker_pool import WorkerPool

# What one member ended with: the number of places it computed, or its error.
Ending = tuple[str, int | PluralistError]
RunAll = Callable[[WorkerPool, Sequence[str], int], Iterator[Ending]]


@dataclass(frozen=True)
class SweepOutcome:
    """How a sweep ended: complete members and failed ones with their errors, in member order.

    `computed` is the number of places of every member that had to be computed now.
    """

    completed: list[str]
    failed: list[tuple[str, PluralistError]]
    computed: dict[str, int] = field(default_factory=dict)


class MembersFailed(PluralistError):
    """Some members of a sweep failed; `outcome` tells which. Ends like the first of them."""

    def __init__(self, outcome: SweepOutcome) -> None:
        number = len(outcome.completed) + len(outcome.failed)
        super().__init__(
            f"{len(outcome.failed)} of {number} members failed: {outcome.failed[0][1]}"
        )
        self.outcome = outcome
        self.exit_code = outcome.failed[0][1].exit_code


@dataclass(frozen=True)
class _Member:
    """A member that has ended, as progress shows it."""

    place: str


def unfinished(store: Store, records: Iterable[RunRecord]) -> list[RunRecord]:
    """The members that are not complete, seen from manifests alone; no file is verified."""
    return [record for record in records if not is_complete(store, record)]


def run_members(store_path: str, group: str, concurrency: int, run_all: RunAll) -> SweepOutcome:
    """Have `run_all` finish the members that are not complete, telling the progress."""
    store = Store(Path(store_path))
    records = find_records(store, group)
    waiting = [record.run for record in unfinished(store, records)]
    computed: dict[str, int] = {}
    failed: dict[str, PluralistError] = {}
    done = len(records) - len(waiting)
    with WorkerPool(
        store_path, size=concurrency, threads=threads_of(records), gpus=gpus_of_member(records)
    ) as pool:
        for run, ending in run_all(pool, waiting, concurrency):
            done += 1
            if isinstance(ending, PluralistError):
                failed[run] = ending
            else:
                computed[run] = ending
            tell(Step(group, _Member(run), done, len(records)))
    order = [record.run for record in records]
    return SweepOutcome(
        completed=[run for run in order if run not in failed],
        failed=[(run, failed[run]) for run in order if run in failed],
        computed={run: computed[run] for run in order if run in computed},
    )


def threads_of(records: Sequence[RunRecord]) -> int:
    """Threads of the member that asks for the most."""
    return max(int(record.config["runtime"]["threads"]) for record in records)


def gpus_of_member(records: Sequence[RunRecord]) -> int:
    """GPUs of the member that asks for the most; 0 when none computes on one."""
    return max(_gpus(record.config) for record in records)


def _gpus(config: Mapping[str, Any]) -> int:
    runtime = config["runtime"]
    if runtime.get("device", "cpu") != "cuda":
        return 0
    return max(int(config["generator"].get("processes", 1)), int(runtime.get("shard_workers", 1)))
