"""The command `forecast`: what a loop will do, before it costs anything."""

from pathlib import Path
from typing import Annotated

import typer

from data.errors import ConfigError, MissingArtifact
from data.store import Store
from flows.domain import FAMILY
from pluralist.forecast_run import forecast_run
from pluralist.forecast_view import Shown, draw_forecasts, plain_forecast, show_forecast
from pluralist.launch import read_request
from pluralist.options import STORE_PATH, JsonOption, SetOption, StoreOption
from pluralist.output import print_json, print_line
from pluralist.run_commands import PresetOption
from tasks.forecast import forecast_config


def register(application: typer.Typer) -> None:
    """Add this command to the application."""
    application.command()(forecast)


def forecast(
    target: Annotated[str, typer.Argument(help="A domain, a YAML file, or a run of the store.")],
    preset: PresetOption = None,
    settings: SetOption = None,
    iteration: Annotated[
        int | None, typer.Option("--iteration", help="Draw stage of the run to start from; last.")
    ] = None,
    rounds: Annotated[
        int | None,
        typer.Option(
            "--rounds", min=1, help="Rounds ahead; all, or those left of a run (30 or more)."
        ),
    ] = None,
    outside: Annotated[
        float, typer.Option("--outside", min=0.0, max=1.0, help="Outside mass to be reached.")
    ] = 0.01,
    plot: Annotated[
        Path | None, typer.Option("--plot", "-o", help="Write the figure into this folder.")
    ] = None,
    as_json: JsonOption = False,
    store: StoreOption = STORE_PATH,
) -> None:
    """Predict where a loop settles, what dies out, and how large a pool has to be."""
    if not target.endswith((".yaml", ".yml")) and target not in FAMILY.available():
        opened = Store(store)
        if opened.find_run(target) is None:
            raise MissingArtifact(
                f"forecast: expected a domain ({', '.join(FAMILY.available())}), a YAML file or a "
                f"run of {opened.root}, got {target!r}; `pluralist ls` names the runs"
            )
        if preset or settings:
            raise ConfigError(
                "forecast RUN: expected no --preset and no --set, which belong to a configuration; "
                "leave them out, or name a domain"
            )
        shown = [Shown(target, *forecast_run(opened, target, iteration, rounds))]
    else:
        if iteration is not None:
            raise ConfigError(
                f"forecast {target}: expected no --iteration, which belongs to a run, got "
                f"{iteration}; leave it out, or name a run"
            )
        request = read_request(target, preset, settings or [])
        shown = [
            Shown(arm or target, forecast_config(config, rounds or config.iterations))
            for arm, config in request.configs.items()
        ]
    paths = draw_forecasts(shown, plot) if plot is not None else []
    if as_json:
        plain = [plain_forecast(one, outside) for one in shown]
        print_json("forecast", {"forecasts": plain, "figures": [str(path) for path in paths]})
        return
    for one in shown:
        show_forecast(one, outside)
    for path in paths:
        print_line(f"figure     {path}")
