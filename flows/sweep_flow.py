"""A sweep under Prefect: one flow, one small task a member, the work in worker processes."""

from collections.abc import Iterator, Sequence
from typing import Any

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.futures import as_completed
from prefect.task_runners import ThreadPoolTaskRunner

from data.errors import PluralistError
from flows.sweep_members import Ending, MembersFailed, SweepOutcome, run_members
from flows.worker_pool import WorkerPool
from tasks.shell import is_worth_retrying


def run_flow(store: str, group: str, concurrency: int) -> SweepOutcome:
    """Run the flow `sweep` with as many tasks at a time; raises what it raises."""
    runner: Any = ThreadPoolTaskRunner(max_workers=concurrency)
    outcome: SweepOutcome = sweep.with_options(task_runner=runner)(
        store=store, group=group, concurrency=concurrency
    )
    return outcome


@flow(name="sweep", flow_run_name="sweep {group}", persist_result=False, validate_parameters=False)
def sweep(store: str, group: str, concurrency: int) -> SweepOutcome:
    """Run the members of sweep `group` of the store at `store`, one task each.

    Raises `MembersFailed` once all others have ended.
    """
    outcome = run_members(store, group, concurrency, _in_tasks)
    if outcome.failed:
        raise MembersFailed(outcome)
    return outcome


def _in_tasks(pool: WorkerPool, runs: Sequence[str], _concurrency: int) -> Iterator[Ending]:
    @task(
        name="member",
        task_run_name="{run}",
        cache_policy=NO_CACHE,
        persist_result=False,
        retries=2,
        retry_delay_seconds=2,
        retry_condition_fn=is_worth_retrying,
    )
    def member(run: str) -> int:
        """Finish one member in a worker process; returns the number of places computed."""
        return pool.run(run)

    waiting = {member.submit(run): run for run in runs}
    for future in as_completed(list(waiting)):
        ending: Any = future.result(raise_on_failure=False)
        if isinstance(ending, BaseException) and not isinstance(ending, PluralistError):
            raise ending
        yield waiting[future], ending
