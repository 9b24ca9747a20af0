"""Sweeps: many runs of one domain as a group, several at a time in worker processes."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path

from data.errors import PluralistError
from data.store import RunRecord, Store
from flows.creation import find_records
from flows.progress import Step, tell
from flows.rounds import is_complete
from flows.sweep_points import Axis, Point, parse_axis, points
from flows.sweep_records import create_sweep, default_sweep_name, plan_sweep
from flows.worker_pool import WorkerPool, usable_cores

__all__ = [
    "Axis", "MembersFailed", "Point", "SweepOutcome", "create_sweep", "default_concurrency",
    "default_sweep_name", "parse_axis", "plan_sweep", "points", "run_sweep", "unfinished",
]  # fmt: skip

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


def run_sweep(
    store_path: str, group: str, *, concurrency: int | None = None, prefect: bool
) -> SweepOutcome:
    """Run every member of `group` that is not complete, `concurrency` at a time in processes.

    A failing member does not stop the others. The default concurrency is the number of usable
    cores over the threads of a member. Under Prefect there is one flow with one task a member;
    when nothing is left to do, none is started.
    """
    store = Store(Path(store_path))
    records = find_records(store, group)
    if not unfinished(store, records):
        return SweepOutcome([record.run for record in records], [])
    concurrency = concurrency or default_concurrency(records)
    if not prefect:
        return run_members(store_path, group, concurrency, _in_threads)
    # Here, because whoever runs without Prefect should not wait for its import.
    from flows.sweep_flow import run_flow

    try:
        return run_flow(store_path, group, concurrency)
    except MembersFailed as failure:
        return failure.outcome


def default_concurrency(records: Sequence[RunRecord]) -> int:
    """Members at a time that keep all usable cores busy, at least 1."""
    return max(1, usable_cores() // _threads(records))


def run_members(store_path: str, group: str, concurrency: int, run_all: RunAll) -> SweepOutcome:
    """Have `run_all` finish the members that are not complete, telling the progress."""
    store = Store(Path(store_path))
    records = find_records(store, group)
    waiting = [record.run for record in unfinished(store, records)]
    computed: dict[str, int] = {}
    failed: dict[str, PluralistError] = {}
    done = len(records) - len(waiting)
    with WorkerPool(store_path, size=concurrency, threads=_threads(records)) as pool:
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


def _in_threads(pool: WorkerPool, runs: Sequence[str], concurrency: int) -> Iterator[Ending]:
    with ThreadPoolExecutor(max_workers=concurrency) as threads:
        waiting = {threads.submit(_ending, pool, run): run for run in runs}
        try:
            for future in as_completed(waiting):
                yield waiting[future], future.result()
        except BaseException:
            threads.shutdown(wait=False, cancel_futures=True)
            pool.close()  # or the executor would wait for the present members
            raise


def _ending(pool: WorkerPool, run: str) -> int | PluralistError:
    try:
        return pool.run(run)
    except PluralistError as error:
        return error


def _threads(records: Sequence[RunRecord]) -> int:
    """Threads of the member that asks for the most."""
    return max(int(record.config["runtime"]["threads"]) for record in records)
