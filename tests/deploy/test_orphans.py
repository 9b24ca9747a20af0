"""Which servers are taken for left behind: real processes that look like a server, and no more."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator

import psutil
import pytest

from deploy import orphans as module
from deploy.orphans import FACTORY, OWNER, orphans, owner_mark, stop_orphans

SLEEP = "import time; time.sleep(60)"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "print('ready', flush=True); time.sleep(60)"
)
# Starts a server with its own mark and ends at once, without waiting for it.
OWNER_THAT_DIES = """
import os, subprocess, sys
from deploy.orphans import FACTORY, OWNER, owner_mark
server = subprocess.Popen(
    [sys.executable, "-c", sys.argv[1], FACTORY],
    env={**os.environ, OWNER: owner_mark()},
    stdout=subprocess.PIPE if "ready" in sys.argv[1] else subprocess.DEVNULL,
)
if server.stdout:
    server.stdout.readline()
print(server.pid, flush=True)
"""

StartServer = Callable[[str | None], int]


@pytest.fixture
def start_server() -> Iterator[StartServer]:
    """`start_server(mark)` starts what looks like a server, as a child of this process."""
    started = []

    def start(mark: str | None) -> int:
        environment = {name: value for name, value in os.environ.items() if name != OWNER}
        if mark is not None:
            environment[OWNER] = mark
        server = subprocess.Popen([sys.executable, "-c", SLEEP, FACTORY], env=environment)
        started.append(server)
        return server.pid

    yield start
    for server in started:
        server.kill()
        server.wait()


def leave_behind(program: str = SLEEP) -> int:
    """Process id of a server whose owner has died."""
    owner = [sys.executable, "-c", OWNER_THAT_DIES, program]
    return int(subprocess.run(owner, stdout=subprocess.PIPE, check=True).stdout)


def has_ended(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_a_server_whose_owner_lives_is_left_alone(start_server: StartServer) -> None:
    assert start_server(owner_mark()) not in orphans()


def test_a_clock_that_was_set_does_not_make_an_orphan(start_server: StartServer) -> None:
    assert start_server(f"{os.getpid()}:1000000.0") not in orphans()


def test_a_server_without_a_mark_is_not_ours(start_server: StartServer) -> None:
    assert start_server(None) not in orphans()


def test_a_server_whose_owner_died_is_found_and_stopped() -> None:
    left = leave_behind()
    assert left in orphans()
    assert left in stop_orphans()
    assert has_ended(left)
    assert left not in orphans()


def test_a_server_that_does_not_listen_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STOP_TIMEOUT", 0.5)
    left = leave_behind(STUBBORN)
    assert left in stop_orphans()
    assert has_ended(left)


def test_a_dead_owner_nobody_has_waited_for_is_dead() -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER_THAT_DIES, SLEEP], stdout=subprocess.PIPE, text=True
    )
    os.waitid(os.P_PID, owner.pid, os.WEXITED | os.WNOWAIT)
    assert psutil.Process(owner.pid).status() == psutil.STATUS_ZOMBIE
    stopped = stop_orphans()
    left, _ = owner.communicate()
    assert int(left) in stopped


def test_a_server_of_another_container_is_not_for_us_to_judge(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    left = leave_behind()
    here = module._pid_namespace(os.getpid())
    with monkeypatch.context() as patched:
        patched.setattr(
            module, "_pid_namespace", lambda pid: here if pid == os.getpid() else "pid:[1]"
        )
        assert left not in orphans()
    assert left in stop_orphans()


def test_a_server_of_another_user_is_not_for_us_to_judge(monkeypatch: pytest.MonkeyPatch) -> None:
    left = leave_behind()
    with monkeypatch.context() as patched:
        patched.setattr("os.getuid", lambda: 12345)
        assert left not in orphans()
    assert left in stop_orphans()
