"""Sweeps: many runs of one domain as a group, several at a time in worker processes."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from data.errors import PluralistError
from data.store import RunRecord, Store
from flows.creation import find_records
from flows.sweep_members import (
    Ending,
    MembersFailed,
    SweepOutcome,
    gpus_of_member,
    run_members,
    threads_of,
    unfinished,
)
from flows.sweep_points import Axis, Point, parse_axis, points
from flows.sweep_records import create_sweep, default_sweep_name, plan_sweep
from flows.worker_pool import WorkerPool, usable_cores
from tasks.gpus import num_gpus

__all__ = [
    "Axis", "MembersFailed", "Point", "SweepOutcome", "create_sweep", "default_concurrency",
    "default_sweep_name", "parse_axis", "plan_sweep", "points", "run_sweep", "unfinished",
]  # fmt: skip


def run_sweep(
    store_path: str, group: str, *, concurrency: int | None = None, prefect: bool
) -> SweepOutcome:
    """Run every member of `group` that is not complete, `concurrency` at a time in processes.

    A failing member does not stop the others. The default concurrency is the number of usable
    cores over the threads of a member, on GPUs their number over those of a member. Under Prefect
    there is one flow with one task a member; when nothing is left to do, none is started.
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
    """Members at a time that keep all usable cores busy, or all GPUs; at least 1."""
    if each := gpus_of_member(records):
        return max(1, num_gpus() // each)
    # A member that shares its shards waits while its own processes work.
    processes = max(int(record.config["runtime"].get("shard_workers", 1)) for record in records)
    return max(1, usable_cores() // (threads_of(records) * processes))


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
