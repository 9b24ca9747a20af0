"""Embedded servers left behind: a mark names the owner of each, and a later run stops them.

A server lives in a session of its own, so a run that is killed cannot take it along. While its
owner lives, the server is the owner's child; the mark tells who that was.
"""

import contextlib
import os

import psutil

OWNER = "PLURALIST_SERVER_OWNER"
FACTORY = "prefect.server.api.server:create_app"
STOP_TIMEOUT = 10.0


def owner_mark() -> str:
    """Value of the variable `OWNER` for a server started by this process: its id and its start."""
    return f"{os.getpid()}:{psutil.Process().create_time()}"


def orphans() -> list[int]:
    """Process ids of embedded servers whose owner is dead."""
    return [process.pid for process in _orphaned()]


def stop_orphans() -> list[int]:
    """Stop every embedded server whose owner is dead; returns their process ids."""
    found = _orphaned()
    for process in found:
        with contextlib.suppress(psutil.Error):
            process.terminate()
    _, alive = psutil.wait_procs(found, timeout=STOP_TIMEOUT)
    for process in alive:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(alive, timeout=STOP_TIMEOUT)
    return [process.pid for process in found]


def _orphaned() -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if FACTORY in process.cmdline() and _is_ours(process) and _owner_is_dead(process):
                found.append(process)
    return found


def _is_ours(process: psutil.Process) -> bool:
    """Whether this user started the server, and not in a container.

    A container counts its processes from 1, so the id in the mark would mean another one here.
    """
    same_user = process.uids().real == os.getuid()
    return same_user and _pid_namespace(process.pid) == _pid_namespace(os.getpid())


def _pid_namespace(pid: int) -> str:
    try:
        return os.readlink(f"/proc/{pid}/ns/pid")
    except FileNotFoundError:  # a system without them
        return ""


def _owner_is_dead(process: psutil.Process) -> bool:
    """Whether the process in the mark is no longer the parent; without a mark there is no owner.

    Only the parent is compared: start times shift when the clock is set, and a process id may
    belong to another by now, or to a dead one nobody has waited for.
    """
    mark = process.environ().get(OWNER)
    return mark is not None and mark.partition(":")[0] != str(process.ppid())
