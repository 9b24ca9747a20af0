"""The Prefect server of a run: the configured one, or one embedded for as long as the run lasts.

Prefect would start its embedded server by itself, silently, in our process group and with our
stderr. Starting the same server here makes the wait visible, keeps Ctrl-C from ending the
server before the run has reported, and marks the process, so that one whose owner was killed
is found and stopped by the next start.
"""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlparse

import httpx
import psutil

from data.errors import OrchestratorUnreachable

OWNER = "PLURALIST_SERVER_OWNER"
FACTORY = "prefect.server.api.server:create_app"
START_TIMEOUT = 180.0
STOP_TIMEOUT = 10.0
# Defaults for a command-line run; whatever the user has set stays.
QUIET = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    # The page still gets every line; our own progress is on the terminal.
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
}


def quieten_prefect() -> None:
    """Set the defaults of `QUIET`; to be called before Prefect is imported."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)


def configured_url() -> str | None:
    """API address of the server the user has configured (environment or profile), or None."""
    from prefect.settings import PREFECT_API_URL

    return PREFECT_API_URL.value() or None


def is_loopback(url: str) -> bool:
    """Whether the server at `url` can only be reached from this machine."""
    host = urlparse(url).hostname or ""
    return host == "localhost" or host == "::1" or host.startswith("127.")


def is_open(url: str) -> bool | None:
    """Whether the server answers requests without a password; None when it does not answer."""
    try:
        answer = httpx.post(f"{url}/flow_runs/count", json={}, timeout=5.0)
    except httpx.HTTPError:
        return None
    return answer.status_code == httpx.codes.OK


@contextlib.contextmanager
def prefect_server(announce: Callable[[str], None]) -> Iterator[str]:
    """API address of a server that answers, for the time of the block.

    A configured server is only asked for its health. Otherwise one is started on loopback and
    stopped at the end. Raises `OrchestratorUnreachable` when there is none to be had.
    """
    url = configured_url()
    if url is not None:
        check_server(url)
        yield url
        return
    from prefect.settings import (
        PREFECT_API_URL,
        PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
        temporary_settings,
    )

    for pid in stop_orphans():
        announce(f"stopped the embedded Prefect server {pid} of a killed run")
    announce("starting Prefect's embedded server (5 to 30 s) ...")
    started, began = time.monotonic(), datetime.now(UTC)
    process, url = _start()
    try:
        _wait_until_healthy(process, url)
        announce(f"Prefect's embedded server is ready after {time.monotonic() - started:.0f} s")
        # Nobody watches heartbeats here, and their thread adds a second to the end of a flow.
        updates = {PREFECT_API_URL: url, PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}
        with temporary_settings(updates=updates):
            try:
                yield url
            finally:
                _send_what_is_queued()
        _settle(url, began)
    finally:
        _stop(process)


def check_server(url: str, *, tries: int = 3, pause: float = 1.0) -> None:
    """Raise `OrchestratorUnreachable` unless the server at `url` answers within `tries`."""
    problem = ""
    for attempt in range(tries):
        if attempt:
            time.sleep(pause)
        try:
            answer = httpx.get(f"{url}/health", timeout=5.0)
        except httpx.HTTPError as error:
            problem = str(error) or type(error).__name__
            continue
        if answer.status_code == httpx.codes.OK:
            return
        problem = f"status {answer.status_code}"
    raise OrchestratorUnreachable(
        f"Prefect server {url}: expected an answer, got {problem} ({tries} tries); start it, unset "
        "PREFECT_API_URL to use the embedded one, or run with --no-prefect"
    )


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
            if FACTORY in process.cmdline() and not _owner_lives(process.environ().get(OWNER)):
                found.append(process)
    return found


def _owner_lives(owner: str | None) -> bool:
    """Whether the process named by the mark lives; a server without a mark is not ours."""
    if owner is None:
        return True
    pid, _, started = owner.partition(":")
    try:
        # The start time tells a reused process id apart.
        return abs(psutil.Process(int(pid)).create_time() - float(started)) < 2
    except (psutil.NoSuchProcess, ValueError):
        return False


def _start() -> tuple[subprocess.Popen[bytes], str]:
    import prefect
    from prefect.settings import PREFECT_HOME, get_current_settings

    home = Path(PREFECT_HOME.value())
    home.mkdir(parents=True, exist_ok=True)
    port = _free_port()
    environment = {
        **os.environ,
        **get_current_settings().to_environment_variables(exclude_unset=True),
        "PREFECT_UI_ENABLED": "0",
        # What Prefect itself sets for an embedded server: no schedules, no late-run services.
        "PREFECT__SERVER_EPHEMERAL": "1",
        "PREFECT__SERVER_FINAL": "1",
        OWNER: f"{os.getpid()}:{psutil.Process().create_time()}",
    }
    command = [sys.executable, "-m", "uvicorn", "--app-dir", str(Path(prefect.__file__).parent)]
    command += ["--factory", FACTORY, "--host", "127.0.0.1", "--port", str(port)]
    command += ["--log-level", "error", "--lifespan", "on"]
    with _log_path(home).open("wb") as log:
        process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    return process, f"http://127.0.0.1:{port}/api"


def _log_path(home: Path) -> Path:
    return home / "pluralist-embedded-server.log"


def _wait_until_healthy(process: subprocess.Popen[bytes], url: str) -> None:
    from prefect.settings import PREFECT_HOME

    log = _log_path(Path(PREFECT_HOME.value()))
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise OrchestratorUnreachable(
                f"Prefect's embedded server: expected it to start, got exit code "
                f"{process.returncode}; see {log}, or run with --no-prefect"
            )
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(f"{url}/health", timeout=5.0).status_code == httpx.codes.OK:
                return
        time.sleep(0.2)
    raise OrchestratorUnreachable(
        f"Prefect's embedded server: expected it within {START_TIMEOUT:.0f} s, got no answer; "
        f"see {log}, or run with --no-prefect"
    )


def _send_what_is_queued(timeout: float = 10.0) -> None:
    """Send queued logs and events now; Prefect would try for a minute once the server is gone."""
    from prefect.events.worker import EventsWorker
    from prefect.logging.handlers import APILogWorker

    for worker in (EventsWorker, APILogWorker):
        worker.drain_all(timeout=timeout)


def _settle(url: str, since: datetime, *, patience: float = 15.0) -> None:
    """Give the server time to write down the states it has been sent; it works behind."""
    query = {
        "task_runs": {
            "state": {"type": {"any_": ["PENDING", "RUNNING"]}},
            "start_time": {"after_": since.isoformat()},
        }
    }
    deadline = time.monotonic() + patience
    with contextlib.suppress(httpx.HTTPError, ValueError):
        while time.monotonic() < deadline:
            if httpx.post(f"{url}/task_runs/count", json=query, timeout=5.0).json() == 0:
                return
            time.sleep(0.25)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=STOP_TIMEOUT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
