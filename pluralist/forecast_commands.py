"""The command `forecast`: what a loop will do, before it costs anything."""

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from data.errors import ConfigError, MissingArtifact
from data.files import storage_errors
from data.store import Store
from flows.domain import FAMILY
from pluralist.forecast_run import forecast_run
from pluralist.launch import read_request
from pluralist.options import STORE_PATH, JsonOption, SetOption, StoreOption
from pluralist.output import print_json, print_line, print_table
from pluralist.run_commands import PresetOption
from tasks.forecast import Forecast, forecast_config, warnings_of


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
        typer.Option("--rounds", min=1, help="Rounds ahead; those of the configuration."),
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
        shown = [(target, *forecast_run(opened, target, iteration, rounds))]
    else:
        request = read_request(target, preset, settings or [])
        shown = [
            (arm or target, forecast_config(config, rounds or config.iterations), None)
            for arm, config in request.configs.items()
        ]
    for name, found, interval in shown:
        if not as_json:
            _show(name, found, interval, outside)
    paths = _draw(shown, plot) if plot is not None else []
    if as_json:
        plain = [_plain(name, found, interval, outside) for name, found, interval in shown]
        print_json("forecast", {"forecasts": plain, "figures": [str(path) for path in paths]})
    else:
        for path in paths:
            print_line(f"figure     {path}")


def _show(name: str, found: Forecast, interval: Any, outside: float) -> None:
    print_line(f"{name}: {'collapses' if found.collapses else 'stays plural'}\n")
    low_high = (
        [("", "")] * len(found.names) if interval is None else list(zip(*interval, strict=True))
    )
    rows = [
        (reward, found.weights[i], found.limit[i], found.path[-1, i], *low_high[i],
         "survives" if found.survives[i] else "dies out")
        for i, reward in enumerate(found.names)
    ]  # fmt: skip
    ahead = f"share after {len(found.path) - 1}"
    print_table(("basin of", "weight", "limit share", ahead, "low", "high", "fate"), rows)
    print_line("")
    size = "infinite" if found.pool_size is None else found.pool_size
    safe = found.smallest_safe_pool or "none"
    print_line(f"pool size K {size}; smallest K that keeps every preference: {safe}")
    if found.outside is not None:
        reached = found.rounds_to(outside)
        when = f"after {reached} rounds" if reached is not None else "not within these rounds"
        print_line(f"outside mass {outside:g}: {when} (at the end {found.outside[-1]:.2g})")
    if found.effect_of_q:
        print_table(("q", "limit share of basin 1"), found.effect_of_q)
    for assumption in found.assumptions:
        print_line(f"assumes    {assumption}")
    for warning in warnings_of(found):
        print_line(f"warning    {warning}")
    print_line("")


def _plain(name: str, found: Forecast, interval: Any, outside: float) -> dict[str, Any]:
    return {
        "name": name,
        "collapses": found.collapses,
        "pool_size": found.pool_size,
        "smallest_safe_pool": found.smallest_safe_pool,
        "num_modes": found.num_modes,
        "basins": [
            {
                "reward": reward,
                "weight": float(found.weights[i]),
                "limit_share": float(found.limit[i]),
                "share_at_end": float(found.path[-1, i]),
                "interval": None if interval is None else [float(one[i]) for one in interval],
                "survives": found.survives[i],
            }
            for i, reward in enumerate(found.names)
        ],
        "path": found.path.tolist(),
        "outside": None if found.outside is None else found.outside.tolist(),
        "rounds_to_outside": {"mass": outside, "rounds": found.rounds_to(outside)},
        "effect_of_q": [{"q": q, "limit_share": share} for q, share in found.effect_of_q],
        "assumptions": found.assumptions,
        "warnings": warnings_of(found),
    }


def _draw(shown: list[tuple[str, Forecast, Any]], folder: Path) -> list[Path]:
    from tasks.figures import save_figure
    from tasks.panels import band, new_figure

    figure, panels = new_figure(len(shown) + 1)
    for panel, (name, found, _) in zip(panels, shown, strict=False):
        steps = np.arange(len(found.path))
        for i, reward in enumerate(found.names):
            band(panel, steps, found.path[:, i][np.newaxis], label=reward, colour=str(i))
            panel.axhline(found.limit[i], color="0.4", linewidth=0.8, linestyle="--")
        panel.set_title(name, fontsize=10)
        panel.set_xlabel("k of the model p_k")
        panel.set_ylabel("share of the basin (limit dashed)")
        panel.set_ylim(-0.03, 1.03)
    found = shown[0][1]
    if found.effect_of_q:
        shares = np.array(found.effect_of_q)
        size = "∞" if found.pool_size is None else found.pool_size
        band(panels[-1], shares[:, 0], shares[:, 1][np.newaxis], label=f"K = {size}", colour="0")
        panels[-1].plot([0, 1], [0, 1], color="0.4", linewidth=0.8, linestyle=":")
        panels[-1].set_xlabel("q, weight of reward 1")
        panels[-1].set_ylabel("limit share of basin 1")
    else:
        panels[-1].set_visible(False)
    with storage_errors(folder):
        return save_figure(figure, folder, "forecast")
