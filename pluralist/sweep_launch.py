"""Running a sweep from the command line, and what a finished one shows."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from data.errors import PluralistError
from data.store import GroupRecord, RunRecord, Store
from flows.creation import find_records
from flows.results import MAIN_METRICS
from flows.sweep import SweepOutcome, default_concurrency, run_sweep, unfinished
from pluralist.launch import is_mendable, note_how_to_resume
from pluralist.output import print_json, print_line, print_note, print_table
from pluralist.progress_bar import progress_shown

if TYPE_CHECKING:
    import pandas as pd


def finish_sweep(
    store: Store,
    records: Sequence[RunRecord],
    group: str,
    *,
    prefect: bool,
    concurrency: int | None,
    as_json: bool,
    command: str = "sweep",
) -> None:
    """Run what is missing, write results.parquet, print the table and raise the first failure.

    The other failures are named on stderr before.
    """
    try:
        outcome = run_members(store, group, prefect=prefect, concurrency=concurrency)
    except BaseException as stopped:
        note_how_to_resume(store, f"resume {group}", stopped)
        raise
    _report(store, records, group, outcome, as_json=as_json, command=command)
    if outcome.failed:
        for _, error in outcome.failed[1:]:
            print_note(f"error: {error}")
        mendable = [error for _, error in outcome.failed if is_mendable(error)]
        note_how_to_resume(store, f"resume {group}", (mendable or [outcome.failed[0][1]])[0])
        raise outcome.failed[0][1]


def show_sweep_plan(store: Store, planned: GroupRecord, *, as_json: bool) -> None:
    """How many members there would be, and how many of them are complete; changes nothing."""
    missing = unfinished(store, planned.members)
    plan = {
        "group": planned.group,
        "members": len(planned.members),
        "complete": len(planned.members) - len(missing),
        "to_run": len(missing),
        "concurrency": default_concurrency(planned.members),
        "runs": [{"run": one.run, "arm": one.arm, "axes": one.axes} for one in planned.members],
    }
    if as_json:
        print_json("sweep", plan)
        return
    for key in ("group", "members", "complete", "to_run", "concurrency"):
        print_line(f"{key.replace('_', ' '):<12} {plan[key]}")
    print_line(f"{'first':<12} {planned.members[0].run}")
    print_line(f"{'last':<12} {planned.members[-1].run}")


def run_members(
    store: Store, group: str, *, prefect: bool, concurrency: int | None
) -> SweepOutcome:
    """Run what is missing of `group`, with progress; a server is started only if needed."""
    path, records = str(store.root), find_records(store, group)
    if prefect and unfinished(store, records):
        from pluralist.prefect_session import prefect_answering

        with prefect_answering():
            return run_sweep(path, group, concurrency=concurrency, prefect=True)
    with progress_shown():
        return run_sweep(path, group, concurrency=concurrency, prefect=False)


def _report(
    store: Store,
    records: Sequence[RunRecord],
    group: str,
    outcome: SweepOutcome,
    *,
    as_json: bool,
    command: str,
) -> None:
    # Here, because pandas takes its time and most commands do not need it.
    from flows.sweep_results import axis_keys, collect, summarise_over_seeds, write_results

    frame = collect(store, records)
    results = write_results(store, group, frame)
    by = (["arm"] if any(record.arm for record in records) else []) + axis_keys(records)
    summaries = {metric: summarise_over_seeds(frame, by, metric) for metric in _main(frame)}
    if as_json:
        content = {
            "group": group,
            "members": len(records),
            "complete": len(outcome.completed),
            "failed": [_failure(run, error) for run, error in outcome.failed],
            "by": by,
            "summary": [
                {"metric": metric, **row}
                for metric, summary in summaries.items()
                for row in summary.to_dict("records")
            ],
            "results": str(results),
        }
        print_json(command, content)
        return
    if summaries:
        print_table([*by, "runs", *summaries], _rows(by, summaries))
        print_line("\nof the last model: mean over seeds [95 % interval]")
    print_line(f"members    {len(outcome.completed)} of {len(records)} complete")
    print_line(f"artifacts  {store.root / 'runs'}")
    print_line(f"results    {results}")


def _main(frame: "pd.DataFrame") -> list[str]:
    """Names of the main metrics of the last models, kind by kind."""
    names = list(dict.fromkeys(frame["metric"]))
    return [name for kind in MAIN_METRICS for name in names if name.startswith(kind)]


def _rows(by: Sequence[str], summaries: "dict[str, pd.DataFrame]") -> list[list[Any]]:
    """One row for every combination of `by`: its values, its number of runs, its cells."""
    rows: dict[str, list[Any]] = {}
    cells: dict[tuple[str, str], str] = {}
    for metric, summary in summaries.items():
        for *keys, mean, low, high, num in summary.itertuples(index=False, name=None):
            row = repr(keys)  # as text, since NaN does not equal itself
            rows.setdefault(row, [*keys, num])
            interval = "" if math.isnan(low) else f" [{low:.4g}, {high:.4g}]"
            cells[row, metric] = f"{mean:.4g}{interval}"
    return [
        [*values, *(cells.get((row, metric), "-") for metric in summaries)]
        for row, values in rows.items()
    ]


def _failure(run: str, error: PluralistError) -> dict[str, Any]:
    return {
        "run": run,
        "error": type(error).__name__,
        "exit_code": error.exit_code,
        "message": str(error),
    }
