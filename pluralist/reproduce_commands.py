"""The command `reproduce`: experiments by name, with a verdict, a figure and a page each."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data.errors import ClaimNotMet, ConfigError
from data.store import Store
from pluralist.launch import note_how_to_resume
from pluralist.options import (
    STORE_PATH,
    ConcurrencyOption,
    JsonOption,
    SetOption,
    StoreOption,
)
from pluralist.output import print_json, print_line, print_note, print_table
from pluralist.run_commands import PrefectOption
from tasks.claims import HOLDS

if TYPE_CHECKING:
    from flows.reproduction import Reproduction


def register(application: typer.Typer) -> None:
    """Add this command to the application."""
    application.command()(reproduce)


def reproduce(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[EXPERIMENT]...", help="E1, E5, C9, ...")
    ] = None,
    list_all: Annotated[bool, typer.Option("--list", help="Name every experiment.")] = False,
    quick: Annotated[bool, typer.Option("--quick", help="Fewer seeds and points.")] = False,
    preset: Annotated[
        str | None, typer.Option("--preset", help="Setting, where an experiment has several.")
    ] = None,
    settings: SetOption = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder of the pages; STORE/reports.")
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 11 unless every claim holds.")
    ] = False,
    prefect: PrefectOption = True,
    concurrency: ConcurrencyOption = None,
    as_json: JsonOption = False,
    store: StoreOption = STORE_PATH,
) -> None:
    """Run experiments of the paper by name and judge them; runs that exist are reused."""
    from flows.experiment import FAMILY, Scale, find_experiment

    if list_all:
        _show_list(as_json=as_json)
        return
    if not names:
        raise ConfigError(
            f"reproduce: expected an experiment, one of {', '.join(FAMILY.available())}; "
            "`--list` says what each is"
        )
    chosen = [find_experiment(name) for name in dict.fromkeys(name.lower() for name in names)]
    from flows.reproduce import reproduce as run_experiment
    from flows.reproduction import plain_outcome
    from pluralist.sweep_launch import run_members

    def run_group(opened: Store, group: str) -> list[str]:
        outcome = run_members(opened, group, prefect=prefect, concurrency=concurrency)
        for _, error in outcome.failed:
            print_note(f"error: {error}")
        return [run for run, _ in outcome.failed]

    made: list[Reproduction] = []
    for experiment in chosen:
        scale = experiment.scale(quick=quick, preset=preset)
        print_note(f"{experiment.name} ({scale.name}): {experiment.title}")
        folder = (output or store / "reports") / scale.name
        try:
            outcome = run_experiment(
                Store(store),
                experiment,
                scale=scale,
                folder=folder,
                run_group=run_group,
                settings=settings or [],
            )
        except BaseException as error:
            waiting = [one.name for one in chosen[len(made) :]]
            flags = [*Scale(quick, preset).options, *_folder_option(output)]
            flags += [f"--set {shlex.quote(text)}" for text in settings or []]
            note_how_to_resume(Store(store), " ".join(["reproduce", *waiting, *flags]), error)
            raise
        made.append(outcome)
        if not as_json:
            _show(made[-1])
    if as_json:
        print_json("reproduce", {"experiments": [plain_outcome(one) for one in made]})
    failed = [one.experiment.name for one in made if one.verdict != HOLDS]
    if strict and failed:
        raise ClaimNotMet(f"{', '.join(failed)} did not hold, and --strict was given")


def _folder_option(output: Path | None) -> list[str]:
    return [] if output is None else ["--output", shlex.quote(str(output))]


def _show_list(*, as_json: bool) -> None:
    from flows.experiment import FAMILY, find_experiment
    from flows.reproduce import num_runs

    found = [find_experiment(name) for name in FAMILY.available()]
    rows = [
        (
            one.name,
            one.title,
            ", ".join(one.presets),
            num_runs(one.study(True)),
            num_runs(one.study(False)),
        )
        for one in found
    ]
    if as_json:
        keys = ("name", "title", "presets", "quick_runs", "full_runs")
        print_json(
            "reproduce", {"experiments": [dict(zip(keys, row, strict=True)) for row in rows]}
        )
    else:
        print_table(("experiment", "what it asks", "presets", "runs, quick", "runs, full"), rows)


def _show(made: "Reproduction") -> None:
    if made.claims:
        print_table(
            ("claim", "measured", "required", "verdict"),
            [(one.claim, one.measured, one.required, one.verdict) for one in made.claims],
        )
    if made.printed:
        print_table(
            ("quantity", "paper", "measured"),
            [(one.quantity, one.printed, one.measured) for one in made.printed],
        )
    for remark in made.remarks:
        print_line(f"remark     {remark}")
    print_line(
        f"\n{made.experiment.name}: {made.verdict} ({made.scale.name}, {made.num_runs} runs)\n"
    )
    print_line(f"page       {made.page}")
    if made.figure is not None:
        print_line(f"figure     {made.figure}")
    for path in made.gallery.values():
        print_line(f"gallery    {path}")
    if made.results is not None:
        print_line(f"results    {made.results}")
    print_line("")
