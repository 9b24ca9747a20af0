"""Where the numbers of a stage are computed: set once a stage, read by whoever computes."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True)
class Compute:
    """Device ("cpu", "cuda") and threads of one stage.

    `deterministic` asks for algorithms that give equal bits every time; a GPU pays for it.
    """

    device: str = "cpu"
    threads: int = 1
    deterministic: bool = True


ONE_CPU_THREAD = Compute()
_CURRENT: ContextVar[Compute] = ContextVar("compute")


def compute() -> Compute:
    """What the present stage computes on; one CPU thread outside any."""
    return _CURRENT.get(ONE_CPU_THREAD)


@contextmanager
def computing(on: Compute) -> Iterator[None]:
    """Compute on `on` inside; a new thread does not inherit it."""
    token = _CURRENT.set(on)
    try:
        yield
    finally:
        _CURRENT.reset(token)
