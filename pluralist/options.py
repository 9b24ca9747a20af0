"""Options and arguments that several commands share."""

import os
from pathlib import Path
from typing import Annotated

import typer

from data.store import DEFAULT_STORE, Store


def _complete_run(incomplete: str) -> list[str]:
    store = Store(Path(os.environ.get("PLURALIST_STORE", DEFAULT_STORE)))
    names = [*store.run_names(), *store.group_names()]
    return [name for name in names if name.startswith(incomplete)]


StoreOption = Annotated[
    Path,
    typer.Option("--store", envvar="PLURALIST_STORE", help="Folder of the artifact store."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]
RunArgument = Annotated[
    str, typer.Argument(help="Name of a run or group.", autocompletion=_complete_run)
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change one configuration key; repeatable."),
]
AcceptOption = Annotated[
    bool,
    typer.Option("--accept-numerics", help="Go on in another numerics class; marks the run."),
]
ConcurrencyOption = Annotated[
    int | None,
    typer.Option(
        "--concurrency", min=1, help="Members of a sweep at a time; default: one a usable core."
    ),
]
STORE_PATH = Path(DEFAULT_STORE)
