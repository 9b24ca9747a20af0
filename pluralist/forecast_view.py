"""A forecast as text, as plain values and as a figure."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from data.files import storage_errors
from pluralist.output import print_line, print_table
from tasks.forecast import Forecast
from tasks.forecast_words import warnings_of

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Shown:
    """A forecast, what it is of, and the interval of its last shares if it has one."""

    name: str
    forecast: Forecast
    # (R,), (R,): of the share after one round
    interval: tuple[FloatArray, FloatArray] | None = None


def show_forecast(shown: Shown, outside: float) -> None:
    """Print fate, shares, pool, outside mass, effect of q, assumptions and warnings."""
    found, ahead = shown.forecast, len(shown.forecast.path) - 1
    print_line(f"{shown.name}: {found.fate}{' (but see below)' if found.departures else ''}\n")
    header = ["basin of", "weight", "limit share", "share now"]
    columns: list[list[Any]] = [
        found.names, found.weights.tolist(), found.limit.round(9).tolist(),
        found.path[0].round(9).tolist(),
    ]  # fmt: skip
    if shown.interval is not None:
        header += ["after 1", "low", "high"]
        columns += [values.tolist() for values in (found.path[1], *shown.interval)]
    header.append(f"after {ahead}")
    columns.append(found.path[-1].round(9).tolist())
    columns.append(["survives" if kept else "dies out" for kept in found.survives])
    print_table([*header, "fate"], list(zip(*columns, strict=True)))
    size = "infinite" if found.pool_size is None else found.pool_size
    safe = found.smallest_safe_pool or "none"
    print_line(f"\npool       K {size}; the smallest that keeps every preference: {safe}")
    if found.outside is not None:
        reached = found.rounds_to(outside)
        when = f"after {reached} rounds" if reached is not None else f"not within {ahead} rounds"
        print_line(f"outside    at most {outside:g} {when} ({found.outside[-1]:.2g} at the end)")
    for assumption in found.assumptions:
        print_line(f"assumes    {assumption}")
    for warning in warnings_of(found):
        print_line(f"warning    {warning}")
    if found.effect_of_q:
        print_line("")
        rows = [(q, round(share, 9), number or "") for q, share, number in found.effect_of_q]
        print_table(("q", "limit share of basin 1", "modes"), rows)
    print_line("")


def plain_forecast(shown: Shown, outside: float) -> dict[str, Any]:
    """The forecast as plain values."""
    found = shown.forecast
    return {
        "name": shown.name,
        "fate": found.fate,
        "collapses": found.collapses,
        "departures": found.departures,
        "pool_size": found.pool_size,
        "smallest_safe_pool": found.smallest_safe_pool,
        "num_modes": found.num_modes,
        "basins": [
            {
                "reward": reward,
                "weight": float(found.weights[i]),
                "limit_share": float(found.limit[i]),
                "share_at_end": float(found.path[-1, i]),
                "interval": shown.interval and [float(bound[i]) for bound in shown.interval],
                "survives": found.survives[i],
            }
            for i, reward in enumerate(found.names)
        ],
        "path": found.path.tolist(),
        "outside": None if found.outside is None else found.outside.tolist(),
        "rounds_to_outside": {"mass": outside, "rounds": found.rounds_to(outside)},
        "effect_of_q": [
            {"q": q, "limit_share": share, "num_modes": number}
            for q, share, number in found.effect_of_q
        ],
        "assumptions": found.assumptions,
        "warnings": warnings_of(found),
    }


def draw_forecasts(shown: list[Shown], folder: Path) -> list[Path]:
    """Write forecast.png and .svg into `folder`: shares over rounds, then the effect of q."""
    from tasks.figures import save_figure
    from tasks.panels import band, new_figure

    effect = shown[0].forecast.effect_of_q
    figure, panels = new_figure(len(shown) + bool(effect))
    for panel, one in zip(panels, shown, strict=False):
        found = one.forecast
        steps = np.arange(len(found.path), dtype=np.float64)
        for i, reward in enumerate(found.names):
            band(panel, steps, found.path[:, i][np.newaxis], label=reward, colour=str(i))
            panel.axhline(found.limit[i], color="0.4", linewidth=0.8, linestyle="--")
        panel.set_title(f"{one.name}: {found.fate}")
        panel.set_xlabel("rounds from here")
        panel.set_ylabel("share of the basin (limit dashed)")
        panel.set_ylim(-0.03, 1.03)
    if effect:
        q = np.array([row[0] for row in effect])
        share = np.array([row[1] for row in effect])
        size = shown[0].forecast.pool_size or "∞"
        band(panels[-1], q, share[np.newaxis], label=f"K = {size}", colour="0")
        panels[-1].plot([0, 1], [0, 1], color="0.4", linewidth=0.8, linestyle=":")
        panels[-1].set_xlabel("q, weight of reward 1")
        panels[-1].set_ylabel("limit share of basin 1")
    with storage_errors(folder):
        return save_figure(figure, folder, "forecast")
