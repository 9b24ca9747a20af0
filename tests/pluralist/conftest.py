"""Calling the command line in this process."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pluralist.application import run_application

Cli = Callable[..., int]


@pytest.fixture
def cli(tmp_path: Path) -> Iterator[Cli]:
    """`cli("run", "gmm", ...)` runs one command on the store of this test; returns its code."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def call(*arguments: str) -> int:
        needs_store = arguments[0] != "config"
        store = ("--store", str(tmp_path / "store")) if needs_store else ()
        return run_application([*arguments, *store])

    yield call
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture
def smoke(cli: Cli, capsys: pytest.CaptureFixture[str]) -> Cli:
    """The command line after one finished run called `first`."""
    assert cli("run", "gmm", "--preset", "smoke", "--name", "first", "--no-prefect") == 0
    capsys.readouterr()
    return cli
