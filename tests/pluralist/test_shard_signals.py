"""Interruptions of a run whose shards several processes share: exit code, no worker left."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from data.store import Store
from flows.creation import create_runs
from flows.domain import arm_configs, find_domain, find_preset
from flows.rounds import rounds
from pluralist.listing import stage_digests
from tasks.context import RunContext
from tasks.shard_pool import MODULE

pytestmark = pytest.mark.slow  # every test starts processes that import everything

Process = subprocess.Popen[str]
ITERATIONS = 400


def start(root: Path, *arguments: str, iterations: int = ITERATIONS) -> Process:
    settings = [f"iterations={iterations}", "runtime.shard_rows=50", "runtime.shard_workers=2"]
    command = [sys.executable, "-m", "tests.command_line", "run", "gmm", "--preset", "smoke"]
    command += [word for setting in settings for word in ("--set", setting)]
    return subprocess.Popen(
        [*command, "--name", "shared", "--store", str(root), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
    )


def workers_at_work(root: Path, process: Process) -> list[psutil.Process]:
    """The workers, once the run is in the middle of its work."""
    deadline = time.monotonic() + 120
    while not (root / "runs/shared/iteration-0002/evaluate/manifest.json").exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    found = psutil.Process(process.pid).children(recursive=True)
    workers = [one for one in found if MODULE in one.cmdline()]
    assert len(workers) == 2, "the same two serve all stages"
    return workers


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("prefect", ["--no-prefect", "--prefect"])
def test_a_signal_ends_run_and_workers_and_says_how_to_resume(
    tmp_path: Path, number: signal.Signals, code: int, prefect: str
) -> None:
    process = start(tmp_path, prefect)
    workers = workers_at_work(tmp_path, process)
    os.killpg(process.pid, number)  # to the whole group, as the terminal does
    out, err = process.communicate(timeout=120)
    assert process.returncode == code, err
    assert f"resume with: pluralist resume shared --store {tmp_path}" in err
    assert "Traceback" not in err
    assert out == ""
    _, alive = psutil.wait_procs(workers, timeout=10)
    assert alive == []


def test_a_killed_run_leaves_no_worker(tmp_path: Path) -> None:
    process = start(tmp_path, "--no-prefect")
    workers = workers_at_work(tmp_path, process)
    process.kill()
    process.communicate()
    _, alive = psutil.wait_procs(workers, timeout=10)
    assert alive == []


def test_under_prefect_two_workers_give_the_digests_of_one_process(tmp_path: Path) -> None:
    process = start(tmp_path / "shared", "--prefect", iterations=2)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    store, domain = Store(tmp_path / "alone"), find_domain("gmm")
    changes = {"iterations": 2, "runtime": {"shard_rows": 50}}
    configs = arm_configs(domain, find_preset(domain, "smoke"), changes)
    (record,) = create_runs(store, domain, configs, name="shared")
    rounds(RunContext(store, record))
    shared = Store(tmp_path / "shared")
    assert stage_digests(shared, shared.read_run("shared")) == stage_digests(store, record)
