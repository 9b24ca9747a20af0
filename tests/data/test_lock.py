"""Run lock: one holder at a time, free at once when the holder dies."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from data.errors import Locked
from data.lock import holder, run_lock

HOLD = """
import sys, time
from pathlib import Path
from data.lock import run_lock
with run_lock(Path(sys.argv[1]), "first"):
    print("held", flush=True)
    time.sleep(600)
"""


def start_holder(folder: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_runner_is_told_who_holds_the_run(tmp_path: Path) -> None:
    process = start_holder(tmp_path)
    try:
        message = f"run 'first' is being worked on by process {process.pid} on host"
        with pytest.raises(Locked, match=message), run_lock(tmp_path, "first"):
            pass
        found = holder(tmp_path)
        assert found is not None
        assert found["pid"] == process.pid
    finally:
        process.kill()
        process.communicate()


def test_the_lock_of_a_killed_holder_is_free_at_once(tmp_path: Path) -> None:
    process = start_holder(tmp_path)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert holder(tmp_path) is None
    with run_lock(tmp_path, "first"):
        found = holder(tmp_path)
        assert found is not None
        assert found["pid"] == os.getpid()


def test_a_released_lock_has_no_holder(tmp_path: Path) -> None:
    with run_lock(tmp_path, "first"):
        pass
    assert holder(tmp_path) is None


def test_looking_for_the_holder_does_not_take_the_lock(tmp_path: Path) -> None:
    with run_lock(tmp_path, "first"):
        assert holder(tmp_path) is not None
        message = "wait for it to end or stop it, then resume"
        with pytest.raises(Locked, match=message), run_lock(tmp_path, "first"):
            pass
