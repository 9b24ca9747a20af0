"""The command `sweep`: many runs of one experiment, several at a time."""

from typing import Annotated

import typer

from data.store import Store
from flows.creation import check_numerics
from flows.sweep import create_sweep, parse_axis, plan_sweep, points
from pluralist.launch import read_request
from pluralist.options import (
    STORE_PATH,
    AcceptOption,
    ConcurrencyOption,
    JsonOption,
    SetOption,
    StoreOption,
)
from pluralist.output import print_note
from pluralist.run_commands import NameOption, PrefectOption, PresetOption, TargetArgument
from pluralist.sweep_launch import finish_sweep, show_sweep_plan
from tasks.selection import check_selection


def register(application: typer.Typer) -> None:
    """Add this command to the application."""
    application.command()(sweep)


def sweep(
    target: TargetArgument,
    over: Annotated[
        list[str],
        typer.Option("--over", metavar="KEY=VALUES", help="Axis: `q=0.1,0.3`, `seed=0..19`."),
    ],
    preset: PresetOption = None,
    settings: SetOption = None,
    name: NameOption = None,
    concurrency: ConcurrencyOption = None,
    prefect: PrefectOption = True,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only count the members; changes nothing.")
    ] = False,
    accept_numerics: AcceptOption = False,
    as_json: JsonOption = False,
    store: StoreOption = STORE_PATH,
) -> None:
    """Run every combination of axis values; the same call again runs only what is missing."""
    opened = Store(store)
    request = read_request(target, preset, settings or [])
    axes = [parse_axis(text) for text in over]
    members = points(request.domain, request.base, axes, request.preset.arms)
    if dry_run:
        planned = plan_sweep(request.domain, members, name=name, preset=request.preset_name)
        show_sweep_plan(opened, planned, as_json=as_json)
        return
    warnings = (
        warning
        for member in members
        for warning in check_selection(member.config.selection, member.config.num_candidates)
    )
    for warning in dict.fromkeys(warnings):
        print_note(f"warning: {warning}")
    records = create_sweep(opened, request.domain, members, name=name, preset=request.preset_name)
    records = [check_numerics(opened, record, accept=accept_numerics) for record in records]
    finish_sweep(
        opened,
        records,
        str(records[0].group),
        prefect=prefect and all(record.config["runtime"]["prefect"] for record in records),
        concurrency=concurrency,
        as_json=as_json,
    )
