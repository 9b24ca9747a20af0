"""The parent flow: several runs, one domain subflow each; and the same without Prefect."""

import logging
from pathlib import Path

from prefect import flow
from prefect.runtime import flow_run

from data.errors import PluralistError
from flows.domain import find_domain
from flows.rounds import rounds
from tasks.context import RunContext

LOG = logging.getLogger("pluralist.retrain")


def name_of_parent() -> str:
    """Name of the parent flow run: its first run and how many follow."""
    runs = flow_run.parameters["runs"]
    return f"retrain {runs[0]}" + (f" and {len(runs) - 1} more" if len(runs) > 1 else "")


@flow(
    name="retrain",
    flow_run_name=name_of_parent,
    persist_result=False,
    validate_parameters=False,
)
def retrain(store: str, runs: list[str]) -> None:
    """Run or resume each of `runs` in the store at `store`, one domain subflow after the other.

    A run that fails does not stop the others; the first failure is raised when all have ended.
    """
    failures: list[PluralistError] = []
    for run in runs:
        try:
            context = RunContext.open(Path(store), run)
            find_domain(context.record.domain).flow(store=store, run=run)
        except PluralistError as error:
            failures.append(error)
    _raise_first(failures)


def retrain_here(store: str, runs: list[str]) -> None:
    """The work of `retrain` in this process without Prefect; same places, same digests."""
    failures: list[PluralistError] = []
    for run in runs:
        try:
            rounds(RunContext.open(Path(store), run))
        except PluralistError as error:
            failures.append(error)
    _raise_first(failures)


def _raise_first(failures: list[PluralistError]) -> None:
    """Raise the first failure after naming the others on stderr."""
    for other in failures[1:]:
        LOG.error("error: %s", other)
    if failures:
        raise failures[0]
