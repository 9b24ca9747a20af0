"""What happens before a server is left: the queue is sent, and the server writes it all down.

Prefect sends logs and task states from a queue in this process, and the server keeps them in
its memory before it writes them. Whoever stops it right after a run loses a part of the page.
"""

import contextlib
import queue
import subprocess
import time
from concurrent import futures
from datetime import datetime
from typing import Any

import httpx
import psutil

from deploy.server_check import is_healthy

PATIENCE = 60.0
# Processor seconds in each of so many pauses: what an idle server stays below.
PAUSE, IDLE_CPU, IDLE_PAUSES = 0.25, 0.05, 2


def send_what_is_queued(url: str, *, patience: float = PATIENCE) -> bool:
    """Send queued logs and events while the server at `url` answers; whether all were sent.

    What remains after `patience` seconds, or when the server is gone, is dropped. Left to
    itself, Prefect would try for seven seconds with every single event before the process ends.
    """
    from prefect.events.worker import EventsWorker

    # All services share one register: those that send events and those that send logs.
    register: Any = EventsWorker
    services = list(register._instances.values())
    deadline = time.monotonic() + patience
    _, waiting = register.drain_all(timeout=min(patience, 5.0))
    while waiting and time.monotonic() < deadline and is_healthy(url):
        waiting = futures.wait(waiting, timeout=1.0).not_done
    if waiting:
        for service in services:
            with contextlib.suppress(queue.Empty):
                while True:
                    service._queue.get_nowait()
            service._queue.put(None)  # the sign to end
    return not waiting


def wait_until_written(
    process: subprocess.Popen[bytes], url: str, since: datetime, *, patience: float = PATIENCE
) -> bool:
    """Wait until the server has written down all it was sent since `since`; whether it has.

    What still waits in its memory shows in no answer, only in the work it does: it is done when
    its processor time stands still and no task is under way. A batch that is not full it writes
    when it is told to stop. False after `patience` seconds, or when the server is gone.
    """
    query = {
        "task_runs": {
            "state": {"type": {"any_": ["PENDING", "RUNNING"]}},
            "start_time": {"after_": since.isoformat()},
        }
    }
    deadline = time.monotonic() + patience
    idle, before = 0, float("inf")
    with contextlib.suppress(httpx.HTTPError, ValueError, psutil.Error):
        server = psutil.Process(process.pid)
        while time.monotonic() < deadline and process.poll() is None:
            times = server.cpu_times()
            spent = times.user + times.system
            idle = idle + 1 if spent - before < IDLE_CPU else 0
            if idle >= IDLE_PAUSES and _count(url, query) == 0:
                return True
            before = spent
            time.sleep(PAUSE)
    return False


def _count(url: str, query: dict[str, Any]) -> int:
    from prefect.settings import get_current_settings

    given = get_current_settings().api.auth_string
    user, _, password = given.get_secret_value().partition(":") if given else ("", "", "")
    answer = httpx.post(
        f"{url}/task_runs/count",
        json=query,
        auth=(user, password) if given else None,
        timeout=5.0,
    )
    return int(answer.raise_for_status().json())
