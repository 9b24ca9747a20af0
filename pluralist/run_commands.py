"""Commands that make runs go: run, resume, fork, plan."""

from typing import Annotated

import typer

from data.errors import ConfigError, ProvenanceMismatch
from data.store import GroupRecord, RunRecord, Store
from flows.creation import check_numerics, describe_change, find_records
from flows.domain import Plain, find_domain, merge, parse_settings
from flows.fork import fork_group, fork_run
from flows.rounds import is_complete
from pluralist.launch import create_requested, execute, read_request, report
from pluralist.options import (
    STORE_PATH,
    AcceptOption,
    ConcurrencyOption,
    JsonOption,
    RunArgument,
    SetOption,
    StoreOption,
)
from pluralist.output import print_json, print_note
from pluralist.planning import plan_runs, print_plan
from pluralist.sweep_launch import finish_sweep
from tasks.settings import RunConfig, parse_config

TargetArgument = Annotated[
    str, typer.Argument(metavar="DOMAIN|CONFIG.YAML", help="Domain, or a YAML configuration.")
]
PresetOption = Annotated[
    str | None, typer.Option("--preset", help="Named configuration of the domain.")
]
NameOption = Annotated[str | None, typer.Option("--name", help="Name of the run or group.")]
PrefectOption = Annotated[
    bool, typer.Option("--prefect/--no-prefect", help="Run as Prefect flows, or without.")
]
StrictOption = Annotated[bool, typer.Option("--strict", help="Exit 11 when a claim does not hold.")]


def register(application: typer.Typer) -> None:
    """Add these commands to the application."""
    for command in (run, resume, fork, plan):
        application.command()(command)


def run(
    target: TargetArgument,
    preset: PresetOption = None,
    settings: SetOption = None,
    name: NameOption = None,
    prefect: PrefectOption = True,
    strict: StrictOption = False,
    accept_numerics: AcceptOption = False,
    as_json: JsonOption = False,
    store: StoreOption = STORE_PATH,
) -> None:
    """Run an experiment; the same call resumes it, or prints its results again."""
    opened = Store(store)
    request = read_request(target, preset, settings or [])
    records = create_requested(opened, request, name, accept_numerics=accept_numerics)
    execute(opened, records, prefect=prefect and _wants_prefect(records))
    report(opened, records, experiment=request.preset.experiment, as_json=as_json, strict=strict)


def resume(
    name: Annotated[
        str | None, typer.Argument(metavar="[RUN]", help="Default: the newest unfinished run.")
    ] = None,
    settings: SetOption = None,
    prefect: PrefectOption = True,
    strict: StrictOption = False,
    concurrency: ConcurrencyOption = None,
    accept_numerics: AcceptOption = False,
    as_json: JsonOption = False,
    store: StoreOption = STORE_PATH,
) -> None:
    """Go on with a run or group where it stopped; committed stages are verified and kept."""
    opened = Store(store)
    name = name or _newest_unfinished(opened)
    records = [
        check_numerics(opened, _extended(opened, record, settings or []), accept=accept_numerics)
        for record in find_records(opened, name)
    ]
    _finish(
        opened,
        records,
        opened.find_group(name),
        prefect=prefect,
        as_json=as_json,
        command="resume",
        strict=strict,
        concurrency=concurrency,
    )


def fork(
    origin: RunArgument,
    settings: SetOption = None,
    name: NameOption = None,
    prefect: PrefectOption = True,
    accept_numerics: AcceptOption = False,
    as_json: JsonOption = False,
    store: StoreOption = STORE_PATH,
) -> None:
    """Make a new run or group, with a changed configuration or after one of a release before.

    Every stage that neither touches is taken over.
    """
    opened = Store(store)
    parents = find_records(opened, origin)
    group = opened.find_group(origin)

    def change(parent: RunRecord) -> RunConfig:
        return _changed(parent, settings or [])

    if group is None:
        records = [fork_run(opened, parents[0], change(parents[0]), name=name)]
    else:
        records = fork_group(opened, group, parents, change, name=name)
    records = [check_numerics(opened, record, accept=accept_numerics) for record in records]
    for record in records:
        print_note(f"{record.run}: forked from {record.forked_from}")
    _finish(
        opened,
        records,
        None if group is None else opened.find_group(str(records[0].group)),
        prefect=prefect,
        as_json=as_json,
        command="fork",
    )


def plan(
    target: Annotated[
        str, typer.Argument(metavar="RUN|DOMAIN|CONFIG.YAML", help="What would be run.")
    ],
    preset: PresetOption = None,
    settings: SetOption = None,
    name: NameOption = None,
    as_json: JsonOption = False,
    store: StoreOption = STORE_PATH,
) -> None:
    """Show which stages are committed and which would run, with time and disk; changes nothing."""
    opened = Store(store)
    if _is_known(opened, target):
        configs = {
            record.run: (_changed(record, settings or []), record)
            for record in find_records(opened, target)
        }
        runs = plan_runs(opened, configs)
    else:
        request = read_request(target, preset, settings or [])
        base = request.name(name)
        planned = {
            base if arm is None else f"{base}-{arm}-s{config.seed}": config
            for arm, config in request.configs.items()
        }
        runs = plan_runs(
            opened, {run: (config, opened.find_run(run)) for run, config in planned.items()}
        )
    if as_json:
        print_json("plan", [one.plain() for one in runs])
    else:
        print_plan(opened, runs)


def _finish(
    store: Store,
    records: list[RunRecord],
    group: GroupRecord | None,
    *,
    prefect: bool,
    as_json: bool,
    command: str,
    strict: bool = False,
    concurrency: int | None = None,
) -> None:
    """Run what is missing of a run, group or sweep and print what it shows."""
    prefect = prefect and _wants_prefect(records)
    if group is not None and group.axes is not None:
        finish_sweep(
            store,
            records,
            group.group,
            prefect=prefect,
            concurrency=concurrency,
            as_json=as_json,
            command=command,
        )
        return
    execute(store, records, prefect=prefect)
    report(
        store,
        records,
        experiment=group.experiment if group else None,
        as_json=as_json,
        strict=strict,
        command=command,
    )


def _wants_prefect(records: list[RunRecord]) -> bool:
    return all(record.config["runtime"]["prefect"] for record in records)


def _is_known(store: Store, target: str) -> bool:
    if target.endswith((".yaml", ".yml")):
        return False
    return store.find_group(target) is not None or store.find_run(target) is not None


def _changed(record: RunRecord, settings: list[str]) -> RunConfig:
    changes: Plain = parse_settings(settings, record.config)
    return parse_config(find_domain(record.domain).expand(merge(record.config, changes)))


def _extended(store: Store, record: RunRecord, settings: list[str]) -> RunRecord:
    """The record with what may change in place: where and how it runs, and more iterations.

    That is all that the fingerprint of a configuration leaves out.
    """
    changed = _changed(record, settings)
    config = changed.model_dump(mode="json")
    if changed.fingerprint != record.config_fingerprint:
        raise ProvenanceMismatch(describe_change(record, config))
    if config == record.config:
        return record
    if config["iterations"] < record.config["iterations"]:
        raise ConfigError(
            f"iterations: expected at least {record.config['iterations']}, which run "
            f"{record.run!r} already has, got {config['iterations']}; fork it for a shorter one"
        )
    extended = record.model_copy(update={"config": config})
    store.update_run(extended)
    return extended


def _newest_unfinished(store: Store) -> str:
    waiting: list[tuple[float, str]] = []
    for run in store.run_names():
        record = store.read_run(run)
        if not is_complete(store, record):
            created = (store.run_folder(run) / "run.json").stat().st_mtime
            waiting.append((created, record.group or run))
    if not waiting:
        raise ConfigError(
            f"resume: expected an unfinished run in store {store.root}, found none; "
            "`pluralist ls` lists the finished ones, `pluralist run` starts one"
        )
    return max(waiting)[1]
