"""Run lock: one process at a time works on a run on this host; the kernel frees a dead one's.

The lock saves work. Data are protected by create-only publishing of deterministic content.
"""

import contextlib
import fcntl
import json
import os
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from data.errors import Locked, StorageError
from data.files import storage_errors

LOCK = "lock"
OWNER_KEYS = {"host", "pid", "process_started", "locked_at"}


@contextlib.contextmanager
def run_lock(folder: Path, run: str) -> Iterator[None]:
    """Hold the lock of the run in `folder`; raises `Locked` naming the holder when it is taken.

    flock on an open file: it is free the moment its holder dies, however it died.
    """
    path = folder / LOCK
    with storage_errors(path):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Locked(
                f"run {run!r} is being worked on by {describe_holder(folder)}; "
                "wait for it to end or stop it, then resume"
            ) from None
        except OSError as error:
            raise StorageError(
                f"{path}: expected a file system with locks (flock), got {error.strerror}; "
                "choose another --store"
            ) from error
        with storage_errors(path):
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, json.dumps(_this_process()).encode(), 0)
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def holder(folder: Path) -> dict[str, Any] | None:
    """Owner record of the live process that holds the run's lock, or None.

    A record of another host is returned as it is: whether that process lives cannot be seen
    from here. Reads only, never takes the lock.
    """
    try:
        record: dict[str, Any] = json.loads((folder / LOCK).read_text())
        if not record.keys() >= OWNER_KEYS:
            return None
        if record["host"] != socket.gethostname():
            return record
        started = psutil.Process(record["pid"]).create_time()
        # The start time tells a reused process id apart; clock corrections shift it a little.
        return record if abs(started - record["process_started"]) < 2 else None
    except (OSError, ValueError, TypeError, AttributeError, psutil.Error):
        return None  # empty, half written, or of a process that is gone


def describe_holder(folder: Path) -> str:
    """The lock's holder in words, for messages."""
    record = holder(folder)
    if record is None:
        return "another process that has not written its name yet"
    return f"process {record['pid']} on host {record['host']} since {record['locked_at']}"


def _this_process() -> dict[str, Any]:
    return {
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "process_started": psutil.Process().create_time(),
        "locked_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
