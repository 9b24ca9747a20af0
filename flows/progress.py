"""Telling whoever listens in this process how far a run is."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol


class Ended(Protocol):
    """What has just ended: the outcome of a stage, or a member of a sweep."""

    @property
    def place(self) -> object:
        """Where it lies, to be shown as text."""


@dataclass(frozen=True)
class Step:
    """One committed place of a run: `done` of `total` places are committed.

    Of a sweep, `run` is the group and the places are its members.
    """

    run: str
    outcome: Ended
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
