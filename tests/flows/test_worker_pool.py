"""Worker processes: warm, replaced when killed, never left behind, free of Prefect."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from data.errors import MissingArtifact, PluralistError, StageFailed
from data.store import Store
from flows import sweep_worker
from flows.sweep import Axis
from flows.worker_pool import PoolClosed, WorkerPool, usable_cores
from tasks.context import RunContext
from tests.flows.sweeps import NUM_PLACES, make_sweep

LONG = {"iterations": 4000}


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[WorkerPool]:
    with WorkerPool(str(tmp_path), size=1) as pool:
        yield pool


def wait_for(store: Store, run: str) -> None:
    """Until the run is in the middle of its work."""
    deadline = time.monotonic() + 60
    while store.models_evaluated(run, 4000) < 3:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_one_worker_serves_many_members(pool: WorkerPool, tmp_path: Path) -> None:
    _, records = make_sweep(tmp_path, [Axis("seed", (0, 1, 2))])
    assert [pool.run(record.run) for record in records] == [NUM_PLACES] + [NUM_PLACES - 1] * 2
    assert pool.run(records[0].run) == 0
    assert len(pool.pids) == 1


def test_an_error_comes_back_as_itself_and_the_worker_stays(
    pool: WorkerPool, tmp_path: Path
) -> None:
    Store(tmp_path).create()
    for _ in range(2):
        with pytest.raises(MissingArtifact, match="absent: no run 'absent' in store"):
            pool.run("absent")
    assert len(pool.pids) == 1


def test_a_killed_worker_fails_its_member_only_and_is_replaced(
    pool: WorkerPool, tmp_path: Path
) -> None:
    store, (long,) = make_sweep(tmp_path, [Axis("seed", (0,))], "long", LONG)
    _, (short,) = make_sweep(tmp_path, [Axis("seed", (0,))], "short")
    failures: list[BaseException] = []

    def ask() -> None:
        try:
            pool.run(long.run)
        except StageFailed as error:
            failures.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    wait_for(store, long.run)
    (pid,) = pool.pids
    os.kill(pid, signal.SIGKILL)
    asking.join(60)
    assert f"{long.run}: expected its worker process to answer" in str(failures[0])
    assert "it ended with signal 9" in str(failures[0])
    assert pool.run(short.run) == NUM_PLACES - 1
    assert pool.pids != [pid]


def test_a_worker_killed_while_idle_fails_the_next_member(pool: WorkerPool, tmp_path: Path) -> None:
    _, (record,) = make_sweep(tmp_path, [Axis("seed", (0,))])
    pool.run(record.run)
    os.kill(pool.pids[0], signal.SIGKILL)
    with pytest.raises(StageFailed, match="it ended with signal 9"):
        pool.run(record.run)
    assert pool.run(record.run) == 0


def test_closing_ends_workers_at_once_and_whoever_waits_is_told(tmp_path: Path) -> None:
    store, records = make_sweep(tmp_path, [Axis("seed", (0, 1, 2))], "long", LONG)
    endings: list[str] = []

    def ask(run: str) -> None:
        try:
            closing.run(run)
        except PoolClosed as error:
            endings.append(str(error))

    with WorkerPool(str(tmp_path), size=2) as closing:
        threads = [threading.Thread(target=ask, args=(record.run,)) for record in records]
        for thread in threads:
            thread.start()
        wait_for(store, records[0].run)
        pids = closing.pids
        assert len(pids) <= 2
    for thread in threads:
        thread.join(30)
    assert endings == ["the workers of this sweep have ended"] * 3
    assert not any(psutil.pid_exists(pid) for pid in pids)


PARENT = """
import sys
from flows.worker_pool import WorkerPool
import threading, time
pool = WorkerPool(sys.argv[1], size=2)
for run in sys.argv[2:]:
    threading.Thread(target=pool.run, args=(run,), daemon=True).start()
while len(pool.pids) < 2:
    time.sleep(0.01)
print(*pool.pids, flush=True)
time.sleep(600)
"""


@pytest.mark.slow  # a parent of its own and two workers import everything
def test_a_killed_parent_leaves_no_worker_and_ctrl_c_does_not_reach_them(tmp_path: Path) -> None:
    store, records = make_sweep(tmp_path, [Axis("seed", (0, 1))], "long", LONG)
    runs = [record.run for record in records]
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path), *runs],
        stdout=subprocess.PIPE,
        text=True,
        process_group=0,
    )
    try:
        assert parent.stdout is not None
        workers = [psutil.Process(int(pid)) for pid in parent.stdout.readline().split()]
        for run in runs:
            wait_for(store, run)
        assert {os.getpgid(worker.pid) for worker in workers}.isdisjoint({parent.pid})
    finally:
        parent.kill()
        parent.communicate()
    _, alive = psutil.wait_procs(workers, timeout=10)
    assert alive == [], "stdin has ended, so they must have too"


def test_workers_import_from_where_the_parent_does_and_never_prefect(tmp_path: Path) -> None:
    code = "import sys, flows.sweep_worker; sys.exit('prefect' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    assert usable_cores() >= 1


def test_a_bug_comes_back_with_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object) -> None:
        raise KeyError("impossible")

    monkeypatch.setattr(sweep_worker, "rounds", fail)
    monkeypatch.setattr(RunContext, "open", lambda *_arguments: None)
    reply = sweep_worker.answer("store", "run")
    assert reply["error"] == ""
    assert "KeyError: 'impossible'" in reply["message"]


def test_a_lack_of_memory_and_errors_of_others_become_documented_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Foreign(StageFailed):
        pass

    for raised, name, message in (
        (MemoryError(), "StageFailed", "expected the work to fit into memory"),
        (Foreign("theirs"), "StageFailed", "theirs"),
        (PluralistError("ours"), "PluralistError", "ours"),
    ):

        def fail(*_arguments: object, error: Exception = raised) -> None:
            raise error

        monkeypatch.setattr(RunContext, "open", fail)
        reply = sweep_worker.answer("store", "run")
        assert reply["error"] == name
        assert message in reply["message"]
