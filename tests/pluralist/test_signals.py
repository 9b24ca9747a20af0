"""Interruptions of a real process: exit code, the resume command, nothing lost, nothing left."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from data.store import Store
from deploy.orphans import FACTORY
from pluralist.listing import run_digest, stage_digests

pytestmark = pytest.mark.slow  # every test starts processes that import everything

Process = subprocess.Popen[str]


def command(store: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "tests.command_line", *arguments, "--store", str(store)]


def start(store: Path, *arguments: str) -> Process:
    return subprocess.Popen(
        command(store, *arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def run_arguments(*more: str) -> tuple[str, ...]:
    settings = ("--set", "iterations=400", "--name", "long")
    return ("run", "gmm", "--preset", "smoke", *settings, *more)


def wait_for_stage(store: Path, process: Process) -> None:
    deadline = time.monotonic() + 120
    while not (store / "runs/long/iteration-0002/evaluate/manifest.json").exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("prefect", ["--no-prefect", "--prefect"])
def test_a_signal_ends_the_run_cleanly_and_says_how_to_resume(
    store: Path, number: signal.Signals, code: int, prefect: str
) -> None:
    process = start(store, *run_arguments(prefect))
    wait_for_stage(store, process)
    process.send_signal(number)
    out, err = process.communicate(timeout=120)
    assert process.returncode == code, err
    assert f"resume with: pluralist resume long --store {store}" in err
    assert "Traceback" not in err
    assert out == ""
    assert not embedded_servers(process.pid)


def test_a_second_runner_ends_with_code_6_and_names_the_first(store: Path) -> None:
    first = start(store, *run_arguments("--no-prefect"))
    try:
        wait_for_stage(store, first)
        second = subprocess.run(
            command(store, "resume", "long", "--no-prefect"),
            capture_output=True,
            text=True,
            check=False,
        )
        assert second.returncode == 6
        assert f"is being worked on by process {first.pid} on host" in second.stderr
        listed = subprocess.run(command(store, "ls"), capture_output=True, text=True, check=True)
        assert "running" in listed.stdout
    finally:
        first.kill()
        first.communicate()


def test_a_killed_run_under_prefect_resumes_and_its_server_is_stopped_by_the_next_start(
    store: Path, tmp_path: Path
) -> None:
    process = start(store, *run_arguments("--prefect"))
    wait_for_stage(store, process)
    process.kill()
    process.communicate()
    left = embedded_servers(process.pid)
    assert len(left) == 1, "the kill leaves the server behind"

    settings = ("--set", "iterations=5", "--name", "other", "--no-prefect")
    finished = subprocess.run(
        command(store, "run", "gmm", "--preset", "smoke", "--set", "iterations=1"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    assert f"stopped the embedded Prefect server {left[0]} of a killed run" in finished.stderr
    assert not psutil.pid_exists(left[0])
    assert "Traceback" not in finished.stderr

    killed = Store(store)
    committed = stage_digests(killed, killed.read_run("long"))
    subprocess.run(
        command(tmp_path / "whole", "run", "gmm", "--preset", "smoke", *settings), check=True
    )
    whole = Store(tmp_path / "whole")
    expected = stage_digests(whole, whole.read_run("other"))
    common = min(len(committed), len(expected))
    assert common >= 17
    assert run_digest(committed[:common]) == run_digest(expected[:common])


def embedded_servers(owner: int) -> list[int]:
    found = []
    for candidate in psutil.process_iter():
        try:
            mark = candidate.environ().get("PLURALIST_SERVER_OWNER", "")
            if FACTORY in candidate.cmdline() and mark.startswith(f"{owner}:"):
                found.append(candidate.pid)
        except psutil.Error:
            continue
    return found


@pytest.fixture(autouse=True)
def _no_server_left() -> Iterator[None]:
    yield
    for pid in embedded_servers(os.getpid()):
        psutil.Process(pid).kill()
