"""Commands that read: ls, show, verify. They never change a run (verify only when asked)."""

import contextlib
from typing import Annotated, Any

import typer

from data.artifact import Artifact
from data.errors import ConfigError, CorruptArtifact
from data.lock import run_lock
from data.quarantine import quarantine
from data.store import Store
from flows.creation import find_records
from pluralist.listing import list_runs, run_row
from pluralist.options import STORE_PATH, JsonOption, RunArgument, StoreOption
from pluralist.output import format_size, print_json, print_line, print_note, print_table
from pluralist.tables import describe_file, print_file
from pluralist.verification import verify_run
from tasks.context import RunContext
from tasks.places import ITERATION_STAGES, Place, opening_places


def register(application: typer.Typer) -> None:
    """Add these commands to the application."""
    for command in (ls, show, verify):
        application.command()(command)


def ls(as_json: JsonOption = False, store: StoreOption = STORE_PATH) -> None:
    """List all runs with their state, read from the store alone."""
    opened = Store(store)
    rows = list_runs(opened, with_digests=as_json)
    if as_json:
        print_json("ls", rows)
        return
    columns = ("run", "domain", "state", "models", "iterations", "created")
    print_table(columns, [[row[column] for column in columns] for row in rows])
    if not rows:
        print_note(f"no runs in {opened.root}; `pluralist run gmm` makes the first")


def show(
    name: RunArgument,
    iteration: Annotated[
        str | None, typer.Argument(help="Number of an iteration, `initial` or `last`.")
    ] = None,
    stage: Annotated[str | None, typer.Argument(help="One of the stages.")] = None,
    unsafe: Annotated[
        bool, typer.Option("--unsafe", help="Show unsafe prompts and their answers too.")
    ] = False,
    as_json: JsonOption = False,
    store: StoreOption = STORE_PATH,
) -> None:
    """Show a run, one of its iterations, or the tables of one stage; everything is verified."""
    opened = Store(store)
    if iteration is None:
        _show_runs(opened, name, as_json=as_json)
        return
    records = find_records(opened, name)
    if len(records) > 1:
        runs = ", ".join(record.run for record in records)
        raise ConfigError(f"show ITERATION: expected a run, got the group {name!r} of {runs}")
    context = RunContext(opened, records[0])
    places = _places(context, iteration)
    if stage is None:
        _show_iteration(context, places, as_json=as_json)
        return
    by_stage = {place.stage: place for place in places}
    if stage not in by_stage:
        raise ConfigError(f"stage: expected one of {', '.join(by_stage)}, got {stage!r}")
    artifact = context.open_place(by_stage[stage])
    asked = context.config.prompts
    hide = None if unsafe or asked is None else asked.source
    files = [describe_file(artifact, entry, hide=hide) for entry in artifact.manifest.files]
    if as_json:
        manifest = artifact.manifest.model_dump(mode="json")
        print_json("show", {"manifest": manifest, "files": files})
        return
    print_line(f"{name} {by_stage[stage]}  {artifact.folder}\n")
    for described in files:
        print_file(described)


def verify(
    name: RunArgument,
    quarantine_damaged: Annotated[
        bool, typer.Option("--quarantine", help="Set damaged stages aside to be made again.")
    ] = False,
    as_json: JsonOption = False,
    store: StoreOption = STORE_PATH,
) -> None:
    """Read every committed byte of a run or group again and compare; exit 5 on any difference."""
    opened = Store(store)
    reports = []
    for record in find_records(opened, name):
        # Nobody may repair or write while stages are set aside.
        folder = opened.run_folder(record.run)
        with run_lock(folder, record.run) if quarantine_damaged else contextlib.nullcontext():
            report = verify_run(opened, record)
            for damaged in report.damaged if quarantine_damaged else ():
                print_note(f"set aside: {quarantine(damaged)}")
        reports.append(report)
    if as_json:
        print_json("verify", [report.plain() for report in reports])
    else:
        rows = [
            (one.run, one.stages, one.files, format_size(one.size), len(one.problems), one.digest)
            for one in reports
        ]
        columns = ("run", "stages", "files", "bytes", "problems", "content digest")
        print_table(columns, rows)
    problems = [problem for report in reports for problem in report.problems]
    if problems:
        raise CorruptArtifact("\n  ".join([f"{len(problems)} problems:", *problems]))


def _show_runs(store: Store, name: str, *, as_json: bool) -> None:
    rows = [run_row(store, record, with_digests=as_json) for record in find_records(store, name)]
    if as_json:
        print_json("show", rows)
        return
    for record, row in zip(find_records(store, name), rows, strict=True):
        for key, value in row.items():
            if value is not None and value != {}:
                print_line(f"{key:<12} {_in_words(value)}")
        print_line(f"{'folder':<12} {store.run_folder(record.run)}")
        if row["models"]:
            context = RunContext(store, record)
            last = int(row["models"]) - 1
            place = Place(last - 1 if last else None, "evaluate")
            metrics = context.open_place(place).table("metrics.parquet").to_pylist()
            print_line("")
            rows_shown = [(metric["metric"], metric["value"]) for metric in metrics]
            print_table((f"metric of p_{last}", "value"), rows_shown)
        print_line("")


def _in_words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} = {one}" for key, one in value.items())
    return str(value)


def _show_iteration(context: RunContext, places: list[Place], *, as_json: bool) -> None:
    found: list[tuple[Place, Artifact]] = [
        (place, artifact) for place in places if (artifact := context.find(place)) is not None
    ]
    rows: list[dict[str, Any]] = [
        {
            "stage": place.stage,
            "files": [entry.path for entry in artifact.manifest.files],
            "rows": sum(entry.rows or 0 for entry in artifact.manifest.files),
            "bytes": artifact.manifest.size,
            "seconds": round(artifact.manifest.wall_seconds, 4),
            "reused_from": artifact.manifest.reused_from,
            "content_digest": artifact.content_digest,
        }
        for place, artifact in found
    ]
    if as_json:
        print_json("show", rows)
        return
    columns = ("stage", "rows", "bytes", "seconds", "files")
    print_table(
        columns,
        [
            [", ".join(row["files"]) if column == "files" else row[column] for column in columns]
            for row in rows
        ],
    )


def _places(context: RunContext, iteration: str) -> list[Place]:
    last = context.config.iterations - 1
    if iteration == "initial":
        return opening_places(context.fingerprints.shared)
    number = (
        last
        if iteration == "last"
        else int(iteration)
        if iteration.isascii() and iteration.isdecimal()
        else None
    )
    if number is None or number > last:
        raise ConfigError(
            f"iteration: expected initial, last or a number from 0 to {last}, got {iteration!r}"
        )
    return [Place(number, stage) for stage in ITERATION_STAGES]
