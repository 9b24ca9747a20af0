"""Options and arguments that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

from data.errors import MissingArtifact
from data.store import DEFAULT_STORE, RunRecord, Store


def _complete_run(incomplete: str) -> list[str]:
    store = Store(Path(DEFAULT_STORE))
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
STORE_PATH = Path(DEFAULT_STORE)


def find_records(store: Store, name: str) -> list[RunRecord]:
    """The run called `name`, or every run of the group called so.

    Raises `MissingArtifact` naming what there is.
    """
    group = store.find_group(name)
    if group is not None:
        missing = [run for run in group.runs.values() if store.find_run(run) is None]
        if missing:
            raise MissingArtifact(
                f"group {name!r} was interrupted while it was created: no run {missing[0]!r}; "
                "repeat the same `pluralist run` to complete it"
            )
        return [store.read_run(run) for run in group.runs.values()]
    record = store.find_run(name)
    if record is None:
        present = [*store.group_names(), *store.run_names()]
        shown = ", ".join(present[:10]) + (" ..." if len(present) > 10 else "")
        raise MissingArtifact(
            f"no run or group {name!r} in store {store.root}; there is: {shown or 'nothing yet'}"
        )
    return [record]
