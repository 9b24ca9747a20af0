"""What the killed processes of test_kill.py do; importable, so that a fork server knows it."""

import os
import signal
from multiprocessing.queues import SimpleQueue
from pathlib import Path

from data import failpoints
from data.store import Store
from flows.creation import create_runs, find_records
from flows.domain import Plain, arm_configs, find_domain, find_preset
from flows.fork import fork_run
from flows.rounds import rounds
from tasks.context import RunContext
from tasks.settings import parse_config
from tasks.worker_process import WorkerProcess

SETTINGS: Plain = {
    "iterations": 1,
    "num_candidates": 60,
    "selection": {"num_curated": 60},
    "evaluation": {"num_samples": 40},
    # Two shards, so that the commits of shards are cut as well.
    "runtime": {"shard_rows": 32},
}


# In the environment of the workers of a killed process: its store.
MARK = "PLURALIST_TEST_KILLED"


def create(root: Path, changes: Plain | None = None) -> RunContext:
    """The run `killed` of the store at `root`, with `changes` to `SETTINGS`."""
    store = Store(root)
    domain = find_domain("gmm")
    configs = arm_configs(domain, find_preset(domain, "smoke"), SETTINGS | (changes or {}))
    (record,) = create_runs(store, domain, configs, name="killed", preset="smoke")
    return RunContext(store, record)


def create_group(root: Path) -> None:
    """Both arms of preset `paper` as the group `pair` of the store at `root`."""
    domain = find_domain("gmm")
    configs = arm_configs(domain, find_preset(domain, "paper"), SETTINGS)
    create_runs(Store(root), domain, configs, name="pair", preset="paper")


def create_group_until(root: Path, operation: int) -> None:
    """Create the group and die at the given operation of the store."""
    failpoints.install(_killer(operation))
    create_group(root)


def resume_group(root: Path) -> None:
    """What `pluralist resume pair` does, or `pluralist run` when the kill came too early."""
    store = Store(root)
    if store.find_group("pair") is None:
        create_group(root)
    for record in find_records(store, "pair"):
        rounds(RunContext(store, record))


def fork_until(root: Path, operation: int) -> None:
    """Fork the run `killed` under another q, run the fork and die at the given operation."""
    failpoints.install(_killer(operation))
    fork(root)


def fork(root: Path) -> None:
    """The run `forked`, taken over from `killed` as far as it goes."""
    store = Store(root)
    origin = store.read_run("killed")
    config = parse_config({**origin.config, "q": 0.9})
    rounds(RunContext(store, fork_run(store, origin, config, name="forked")))


def _killer(operation: int) -> failpoints.Hook:
    passed = 0

    def cut(_name: str, _path: Path) -> None:
        nonlocal passed
        passed += 1
        if passed == operation:
            os.kill(os.getpid(), signal.SIGKILL)

    return cut


def run_until(root: Path, operation: int) -> None:
    """Run the loop and die at the given operation of the store."""
    failpoints.install(_killer(operation))
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


def share(root: Path, workers: int) -> None:
    """Go on with the run in six shards that so many processes share."""
    rounds(create(root, {"runtime": {"shard_rows": 10, "shard_workers": workers}}))


def share_until(root: Path, answers: int) -> None:
    """`share` between two processes, and die at the given answer of one of them."""
    os.environ[MARK] = str(root)
    received = 0
    receive = WorkerProcess.receive

    def receive_and_die(self: WorkerProcess) -> Plain | None:
        nonlocal received
        answer = receive(self)
        received += 1
        if received == answers:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    WorkerProcess.receive = receive_and_die  # type: ignore[method-assign]
    share(root, 2)
