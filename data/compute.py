"""Where the numbers of a stage are computed: set once a stage, read by whoever computes."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController


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
    """Compute on `on` inside; a new thread does not inherit it.

    numpy's and scipy's linear algebra takes as many threads, whatever OMP_NUM_THREADS says: their
    number decides the last bits.
    """
    token = _CURRENT.set(on)
    try:
        with _linear_algebra().limit(limits=on.threads, user_api="blas"):
            yield
    finally:
        _CURRENT.reset(token)


@cache
def _linear_algebra() -> "ThreadpoolController":
    # scipy has a library of its own, which a controller made before would not know.
    import scipy.linalg  # noqa: F401
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
