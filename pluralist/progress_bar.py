"""Progress of runs on stderr: a bar with time left on a terminal, a line each tenth elsewhere."""

import contextlib
import sys
from collections.abc import Iterator

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from flows.progress import Step, listening
from pluralist.output import print_note, stderr


@contextlib.contextmanager
def progress_shown() -> Iterator[None]:
    """Show the progress of every run in this process until the block ends."""
    shown = _bars() if sys.stderr.isatty() else _lines()
    with shown:
        yield


@contextlib.contextmanager
def _bars() -> Iterator[None]:
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[place]}", markup=False),
    )
    bars: dict[str, TaskID] = {}
    with Progress(*columns, console=stderr(), transient=False) as progress:

        def listener(step: Step) -> None:
            if step.run not in bars:
                bars[step.run] = progress.add_task(step.run, total=step.total, place="")
            progress.update(bars[step.run], completed=step.done, place=str(step.outcome.place))

        with listening(listener):
            yield


@contextlib.contextmanager
def _lines() -> Iterator[None]:
    tenths: dict[str, int] = {}

    def listener(step: Step) -> None:
        tenth = 10 * step.done // step.total
        if tenth > tenths.get(step.run, 0):
            tenths[step.run] = tenth
            print_note(f"{step.run}: {10 * tenth} % ({step.outcome.place})")

    with listening(listener):
        yield
