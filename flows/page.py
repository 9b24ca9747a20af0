"""The Markdown page of a reproduced experiment."""

import json
import math
from collections.abc import Iterable, Sequence
from typing import Any

from data.configuration import SOURCE_TAGS, field_rows
from flows.reproduction import Reproduction


def render_page(made: Reproduction) -> str:
    """Verdict, claims, numbers beside print, remarks, figure, settings with their sources."""
    experiment = made.experiment
    parts = [
        f"# {experiment.name}: {experiment.title}",
        f"**Verdict: {made.verdict}** ({made.scale.name} scale, {made.num_runs} runs)",
        f"Claim: {experiment.claim}",
        f"Source: {experiment.source}",
    ]
    if made.claims:
        claims = [(one.claim, one.measured, one.required, one.verdict) for one in made.claims]
        parts.append(_table(("claim", "measured", "required", "verdict"), claims))
    if made.figure is not None:
        parts.append(f"![{experiment.title}]({made.figure.name})")
    parts += [f"![{experiment.title}: {name}]({path.name})" for name, path in made.gallery.items()]
    if made.printed:
        rows = [
            (one.quantity, one.printed, one.measured, one.measured - one.printed)
            for one in made.printed
        ]
        parts += ["## Beside print", _table(("quantity", "paper", "measured", "difference"), rows)]
    if made.table is not None:
        rows = [tuple(row) for row in made.table.itertuples(index=False)]
        parts += ["## Measured", _table(tuple(map(str, made.table.columns)), rows)]
    if made.excerpts:
        parts.append("## Samples")
        parts += [f"### {heading}\n\n{shown}" for heading, shown in made.excerpts.items()]
    if made.remarks:
        parts += ["## Remarks", "\n".join(f"- {remark}" for remark in made.remarks)]
    if made.failed:
        parts += ["## Failed runs", "\n".join(f"- `{run}`" for run in made.failed)]
    parts += ["## How it was run", _how(made), "## Settings of the base run", _settings(made)]
    return "\n\n".join(parts) + "\n"


def _how(made: Reproduction) -> str:
    command = " ".join(["pluralist reproduce", made.experiment.name, *made.scale.options])
    if made.results is None:
        lines = [f"- `{command}`", f"- pluralist {made.package_version}; no run was started"]
    else:
        lines = [
            f"- `{command}`",
            f"- group `{made.group}` of {made.num_runs} runs; every number is in "
            f"[{made.results.name}]({made.results.name})",
            f"- pluralist {made.package_version}; numerics class "
            + ", ".join(f"{key} {value}" for key, value in _flat(made.numerics)),
        ]
    lines.append(f"- stand-ins used: {'; '.join(made.stand_ins) or 'none'}")
    for block in made.study.blocks:
        axes = "; ".join(f"{key} = {_listed(values)}" for key, values in block.axes.items())
        arm = f"arm `{block.arm}`: " if block.arm else ""
        changes = f"; changes {json.dumps(block.changes)}" if block.changes else ""
        lines.append(f"- {arm}{axes}{changes}")
    return "\n".join(lines)


def _settings(made: Reproduction) -> str:
    rows = [
        (f"`{row['path']}`", f"`{row['value']}`", row["meaning"], row["source"])
        for row in field_rows(made.study.base)
    ]
    tags = ", ".join(f"{tag} {meaning}" for tag, meaning in SOURCE_TAGS.items())
    return f"Sources: {tags}.\n\n" + _table(("key", "value", "meaning", "source"), rows)


def _listed(values: Iterable[Any]) -> str:
    shown = list(values)
    whole = all(type(value) is int for value in shown)
    if whole and len(shown) > 3 and shown == list(range(shown[0], shown[-1] + 1)):
        return f"{shown[0]}..{shown[-1]}"
    return ", ".join(map(_value, shown))


def _value(value: Any) -> str:
    """An axis value as in YAML, numbers with four digits."""
    if isinstance(value, float):
        return f"{value:.4g}"
    return (
        json.dumps(value) if value is None or isinstance(value, bool | dict | list) else str(value)
    )


def _flat(values: dict[str, object], prefix: str = "") -> list[tuple[str, object]]:
    found: list[tuple[str, object]] = []
    for key, value in values.items():
        name = f"{prefix}{key}"
        found += _flat(value, f"{name}.") if isinstance(value, dict) else [(name, value)]
    return found


def _table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    lines += ["| " + " | ".join(map(_cell, row)) + " |" for row in rows]
    return "\n".join(lines)


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return "-" if math.isnan(value) else f"{value:.4g}"
    return str(value).replace("|", "\\|").replace("\n", " ")
