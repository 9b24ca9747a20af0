"""What the killed processes of test_text_kill.py do; importable, for the fork server."""

import os
import re
import signal
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from data import failpoints
from tests.flows import text_runs

# What a cut calls a piece of work -> the function that is called for each.
WORK = {
    "generate": ("generators.lm_generation", "_Batch", "_logits"),  # a token of a batch
    "score": ("tasks.scoring", "_checked"),  # one reward of a batch
    "train": ("generators.lm_training", "_State", "advance"),  # an optimizer step
}


def run_until(root: Path, name: str, pattern: str, number: int) -> None:
    """Run or resume the tiny text run and die at what matches the pattern for that time.

    That is `operation path` of the store, or `work path` before a piece of work, where the path
    is the one that the store was last asked for.
    """
    matched, latest = 0, ""

    def notice(what: str) -> None:
        nonlocal matched
        matched += re.search(pattern, what) is not None
        if matched == number:
            os.kill(os.getpid(), signal.SIGKILL)

    def operation(kind: str, path: Path) -> None:
        nonlocal latest
        latest = str(path.relative_to(root))
        notice(f"{kind} {latest}")

    def piece_of(work: str) -> None:
        notice(f"{work} {latest}")

    failpoints.install(operation)
    for work, (module, *names) in WORK.items():
        owner: Any = import_module(module)
        for one in names[:-1]:
            owner = getattr(owner, one)
        function = getattr(owner, names[-1])
        setattr(owner, names[-1], _noticed(function, partial(piece_of, work)))
    text_runs.run(root, name)


def resume(root: Path, name: str) -> None:
    """Run the tiny text run to its end."""
    text_runs.run(root, name)


def _noticed(function: Callable[..., Any], notice: Callable[[], None]) -> Callable[..., Any]:
    def call(*arguments: Any, **named: Any) -> Any:
        notice()
        return function(*arguments, **named)

    return call
