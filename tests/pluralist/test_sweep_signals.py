"""Interruptions of a real sweep: exit code, the resume command, no worker left behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from data.store import Store
from flows.creation import find_records
from flows.sweep import Axis, run_sweep
from tests.flows.sweeps import digests, make_sweep

pytestmark = pytest.mark.slow  # every test starts processes that import everything

Process = subprocess.Popen[str]
ITERATIONS = 40
AXES = [Axis("seed", tuple(range(4)))]


def start(root: Path, *arguments: str) -> Process:
    command = (sys.executable, "-m", "tests.command_line", "resume", "swept")
    return subprocess.Popen(
        [*command, "--concurrency", "2", "--store", str(root), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
    )


def workers_at_work(store: Store, process: Process) -> list[psutil.Process]:
    """The workers of the sweep, once two members are in the middle of their work."""
    runs = [f"swept-s{seed}" for seed in (0, 1)]
    deadline = time.monotonic() + 120
    while any(store.models_evaluated(run, ITERATIONS) < 3 for run in runs):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    found = psutil.Process(process.pid).children(recursive=True)
    workers = [one for one in found if "flows.sweep_worker" in one.cmdline()]
    assert len(workers) == 2
    return workers


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("prefect", ["--no-prefect", "--prefect"])
def test_a_signal_ends_sweep_and_workers_and_says_how_to_resume(
    tmp_path: Path, number: signal.Signals, code: int, prefect: str
) -> None:
    store, _ = make_sweep(tmp_path, AXES, changes={"iterations": ITERATIONS})
    process = start(tmp_path, prefect)
    workers = workers_at_work(store, process)
    os.killpg(process.pid, number)  # to the whole group, as the terminal does
    out, err = process.communicate(timeout=120)
    assert process.returncode == code, err
    assert f"resume with: pluralist resume swept --store {tmp_path}" in err
    assert "Traceback" not in err
    assert out == ""
    _, alive = psutil.wait_procs(workers, timeout=10)
    assert alive == []


def test_a_killed_sweep_leaves_no_worker_and_resumes_to_the_same_digests(tmp_path: Path) -> None:
    changes = {"iterations": ITERATIONS}
    store, records = make_sweep(tmp_path / "cut", AXES, changes=changes)
    process = start(store.root, "--no-prefect")
    workers = workers_at_work(store, process)
    process.kill()
    process.communicate()
    _, alive = psutil.wait_procs(workers, timeout=10)
    assert alive == []

    outcome = run_sweep(str(store.root), "swept", concurrency=2, prefect=False)
    assert outcome.failed == []
    assert 0 < sum(outcome.computed.values()) < len(records) * (2 + 5 * ITERATIONS)
    whole, expected = make_sweep(tmp_path / "whole", AXES, changes=changes)
    run_sweep(str(whole.root), "swept", concurrency=2, prefect=False)
    assert digests(store, find_records(store, "swept")) == digests(whole, expected)
