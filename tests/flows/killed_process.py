"""What the killed processes of test_kill.py do; importable, so that a fork server knows it."""

import os
import signal
from multiprocessing.queues import SimpleQueue
from pathlib import Path

from data import failpoints
from data.store import Store
from flows.creation import create_runs
from flows.domain import arm_configs, find_domain, find_preset
from flows.rounds import rounds
from tasks.context import RunContext

SETTINGS = {
    "iterations": 1,
    "num_candidates": 60,
    "selection": {"num_curated": 60},
    "evaluation": {"num_samples": 40},
    # Two shards, so that the commits of shards are cut as well.
    "runtime": {"shard_rows": 32},
}


def create(root: Path) -> RunContext:
    """The run `killed` of the store at `root`."""
    store = Store(root)
    domain = find_domain("gmm")
    configs = arm_configs(domain, find_preset(domain, "smoke"), SETTINGS)
    (record,) = create_runs(store, domain, configs, name="killed", preset="smoke")
    return RunContext(store, record)


def run_until(root: Path, operation: int) -> None:
    """Run the loop and die at the given operation of the store."""
    passed = 0

    def cut(_name: str, _path: Path) -> None:
        nonlocal passed
        passed += 1
        if passed == operation:
            os.kill(os.getpid(), signal.SIGKILL)

    failpoints.install(cut)
    rounds(create(root))


def count_operations(root: Path, result: "SimpleQueue[int]") -> None:
    """Run the loop to its end and report how many operations the store saw."""
    passed = 0

    def count(_name: str, _path: Path) -> None:
        nonlocal passed
        passed += 1

    failpoints.install(count)
    rounds(create(root))
    result.put(passed)


def resume(root: Path) -> None:
    """Go on with the run."""
    rounds(create(root))
