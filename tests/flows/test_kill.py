"""SIGKILL at every stage boundary and inside every write: nothing committed is lost.

A fork server imports the loop once, so that each of the several hundred killed processes costs
milliseconds. Every child cuts its own power at one numbered operation of the store.
"""

import multiprocessing
import os
import signal
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest

from data import failpoints
from data.store import Store
from flows.creation import create_runs
from flows.domain import arm_configs, find_domain, find_preset
from flows.rounds import rounds
from pluralist.listing import run_digest, stage_digests
from pluralist.verification import verify_run
from tasks.context import RunContext

SETTINGS = {
    "iterations": 2,
    "num_candidates": 60,
    "selection": {"num_curated": 60},
    "evaluation": {"num_samples": 40},
    # Two shards, so that the commits of shards are cut as well.
    "runtime": {"shard_rows": 32},
}


def create(root: Path) -> RunContext:
    store = Store(root)
    domain = find_domain("gmm")
    configs = arm_configs(domain, find_preset(domain, "smoke"), SETTINGS)
    (record,) = create_runs(store, domain, configs, name="killed", preset="smoke")
    return RunContext(store, record)


def run_until(root: Path, operation: int) -> None:
    """Child process: run the loop and die at the given operation of the store."""
    passed = 0

    def cut(_name: str, _path: Path) -> None:
        nonlocal passed
        passed += 1
        if passed == operation:
            os.kill(os.getpid(), signal.SIGKILL)

    failpoints.install(cut)
    rounds(create(root))


def count_operations(root: Path, result: "multiprocessing.SimpleQueue[int]") -> None:
    """Child process: run the loop to its end and report how many operations the store saw."""
    passed = 0

    def count(_name: str, _path: Path) -> None:
        nonlocal passed
        passed += 1

    failpoints.install(count)
    rounds(create(root))
    result.put(passed)


def resume(root: Path) -> None:
    """Child process: go on with the run."""
    rounds(create(root))


@pytest.fixture(scope="module")
def server() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, "tasks.evaluate", "sklearn.mixture"])
    return context


def run_child(server: ForkServerContext, target: object, *arguments: object) -> int:
    process = server.Process(target=target, args=arguments)  # type: ignore[arg-type]
    process.start()
    process.join()
    assert process.exitcode is not None
    return process.exitcode


def committed(root: Path) -> dict[str, str]:
    store = Store(root)
    record = store.find_run("killed")
    if record is None:
        return {}
    return {str(place): digest for place, digest in stage_digests(store, record)}


def manifests(root: Path) -> dict[Path, bytes]:
    paths = (root / "runs").glob("*/*/*/manifest.json")
    return {path: path.read_bytes() for path in paths}


@pytest.mark.slow  # hundreds of processes
@pytest.mark.timeout(600)
def test_a_kill_at_any_operation_then_resume_gives_the_digests_of_an_uninterrupted_run(
    tmp_path: Path, server: ForkServerContext
) -> None:
    result = server.SimpleQueue()
    assert run_child(server, count_operations, tmp_path / "whole", result) == 0
    operations = result.get()
    expected = committed(tmp_path / "whole")
    assert len(expected) == 12, "p_0, its evaluation and two iterations of five stages"
    assert operations > 200

    for operation in range(1, operations + 1):
        root = tmp_path / f"killed-{operation}"
        assert run_child(server, run_until, root, operation) == -signal.SIGKILL, "it fired"

        before, left = committed(root), manifests(root)
        assert before.items() <= expected.items()
        record = Store(root).find_run("killed")
        if record is not None:
            problems = verify_run(Store(root), record).problems
            assert problems == [], "no published manifest refers to missing bytes"

        assert run_child(server, resume, root) == 0
        assert committed(root) == expected
        after = manifests(root)
        assert left.items() <= after.items(), "completed stages are not computed again"
        assert not list(root.glob("runs/*/*/*/shard-*")), "shards end with their stage"
        attempts = list(root.glob("runs/*/*/*/attempt-*"))
        assert len(attempts) == len(list(root.glob("runs/*/*/*/manifest.json")))


def test_the_digest_of_a_run_is_that_of_its_stages_in_order(
    tmp_path: Path, server: ForkServerContext
) -> None:
    for name in ("a", "b"):
        assert run_child(server, resume, tmp_path / name) == 0
    first, second = (Store(tmp_path / name) for name in ("a", "b"))
    stages = stage_digests(first, first.read_run("killed"))
    assert stages == stage_digests(second, second.read_run("killed"))
    assert run_digest(stages) != run_digest(stages[::-1])
