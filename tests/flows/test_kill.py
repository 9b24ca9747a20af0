"""SIGKILL at every stage boundary and inside every write: nothing committed is lost.

A fork server imports the loop once, so that each of the several hundred killed processes costs
milliseconds. Every child cuts its own power at one numbered operation of the store.
"""

import multiprocessing
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

import pytest

from data.store import Store
from flows.creation import find_records
from pluralist.listing import run_digest, stage_digests
from pluralist.verification import verify_run
from tests.flows.killed_process import (
    count_operations,
    create_group_until,
    fork,
    fork_until,
    resume,
    resume_group,
    run_until,
)


@pytest.fixture(scope="module")
def server() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        [
            "tests.flows.killed_process",
            "flows.gmm",
            "tasks.evaluate",
            "tasks.select_stage",
            "tasks.draw_stage",
            "sklearn.mixture",
        ]
    )
    return context


@pytest.fixture
def memory_path(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is one: the order of operations is tested, not the disk."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else tmp_path) as name:
        yield Path(name)


def run_child(server: ForkServerContext, target: Callable[..., None], *arguments: Any) -> int:
    process = server.Process(target=target, args=arguments)
    process.start()
    process.join()
    assert process.exitcode is not None
    return process.exitcode


def committed(root: Path, run: str = "killed") -> dict[str, str]:
    store = Store(root)
    record = store.find_run(run)
    if record is None:
        return {}
    return {str(place): digest for place, digest in stage_digests(store, record)}


def manifests(root: Path) -> dict[Path, bytes]:
    paths = (root / "runs").glob("*/*/*/manifest.json")
    return {path: path.read_bytes() for path in paths}


@pytest.mark.slow  # hundreds of processes
@pytest.mark.timeout(600)
def test_a_kill_at_any_operation_then_resume_gives_the_digests_of_an_uninterrupted_run(
    memory_path: Path, server: ForkServerContext
) -> None:
    result = server.SimpleQueue()
    assert run_child(server, count_operations, memory_path / "whole", result) == 0
    operations = result.get()
    expected = committed(memory_path / "whole")
    assert len(expected) == 7, "p_0, its evaluation and the five stages of one iteration"
    assert operations > 200

    for operation in range(1, operations + 1):
        root = memory_path / f"killed-{operation}"
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
        shutil.rmtree(root)


@pytest.mark.slow  # dozens of processes
def test_a_kill_at_any_operation_of_creating_a_group_can_be_resumed(
    memory_path: Path, server: ForkServerContext
) -> None:
    operation = 0
    while True:
        operation += 1
        root = memory_path / f"killed-{operation}"
        ended = run_child(server, create_group_until, root, operation)
        if ended == 0:
            break
        assert ended == -signal.SIGKILL
        if operation % 3 == 1:  # a third of the cuts is run to the end
            assert run_child(server, resume_group, root) == 0
            store = Store(root)
            for record in find_records(store, "pair"):
                report = verify_run(store, record)
                assert (report.stages, report.problems) == (7, [])
        shutil.rmtree(root, ignore_errors=True)
    assert operation > 20


@pytest.mark.slow  # dozens of processes
def test_a_kill_at_any_operation_of_a_fork_leaves_both_runs_whole(
    memory_path: Path, server: ForkServerContext
) -> None:
    whole = memory_path / "whole"
    assert run_child(server, resume, whole) == 0
    assert run_child(server, fork, whole) == 0
    expected = committed(whole, "forked")
    origin = memory_path / "origin"
    assert run_child(server, resume, origin) == 0
    operation = 1
    while True:
        root = memory_path / f"killed-{operation}"
        shutil.copytree(origin, root)
        ended = run_child(server, fork_until, root, operation)
        if ended == 0:
            break
        assert ended == -signal.SIGKILL
        assert run_child(server, fork, root) == 0
        assert committed(root, "forked") == expected
        assert verify_run(Store(root), Store(root).read_run("killed")).problems == []
        shutil.rmtree(root)
        operation += 9  # every ninth operation, so that each kind is met
    assert operation > 100


def test_the_digest_of_a_run_is_that_of_its_stages_in_order(
    tmp_path: Path, server: ForkServerContext
) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        assert run_child(server, resume, tmp_path / name) == 0
    first, second = (Store(tmp_path / name) for name in ("a", "b"))
    stages = stage_digests(first, first.read_run("killed"))
    assert stages == stage_digests(second, second.read_run("killed"))
    assert run_digest(stages) != run_digest(stages[::-1])
