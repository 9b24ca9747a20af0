"""Telling whoever listens in this process how far a run is."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tasks.stage import Outcome


@dataclass(frozen=True)
class Step:
    """One committed place of a run: `done` of `total` places are committed."""

    run: str
    outcome: Outcome
    done: int
    total: int


Listener = Callable[[Step], None]

_listeners: list[Listener] = []


@contextlib.contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Have `listener` called for every step of any run in this process."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


def tell(step: Step) -> None:
    """Pass `step` to all listeners."""
    for listener in _listeners:
        listener(step)
