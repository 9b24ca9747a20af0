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

from data.errors import OrchestratorUnreachable
from deploy.draining import PATIENCE, send_what_is_queued, wait_until_written
from deploy.orphans import FACTORY, OWNER, STOP_TIMEOUT, owner_mark, stop_orphans
from deploy.prefect_defaults import BATCHED, past_proxies, run_defaults
from deploy.server_check import check_server, configured_url, is_healthy

START_TIMEOUT = 180.0
HURRY = 3.0
INCOMPLETE = "Prefect's page may lack the last stages; the store has them"


@contextlib.contextmanager
def prefect_server(announce: Callable[[str], None]) -> Iterator[str]:
    """API address of a server that answers, for the time of the block.

    A configured server is only asked for its health. Otherwise one is started on loopback and
    stopped at the end. Raises `OrchestratorUnreachable` when there is none to be had.
    """
    url = configured_url()
    if url is not None:
        check_server(url)
        try:
            yield url
        finally:
            if not send_what_is_queued(url, patience=_patience()):
                announce(INCOMPLETE)
        return
    from prefect.settings import PREFECT_API_URL, temporary_settings

    for pid in stop_orphans():
        announce(f"stopped the embedded Prefect server {pid} of a killed run")
    announce("starting Prefect's embedded server (5 to 30 s) ...")
    started, began = time.monotonic(), datetime.now(UTC)
    with past_proxies():
        process, url = _start()
        try:
            _wait_until_healthy(process, url)
            announce(f"Prefect's embedded server is ready after {time.monotonic() - started:.0f} s")
            with temporary_settings(updates={PREFECT_API_URL: url, **run_defaults()}):
                try:
                    yield url
                finally:
                    patience = _patience()
                    sent = send_what_is_queued(url, patience=patience)
                    if not (wait_until_written(process, url, began, patience=patience) and sent):
                        announce(INCOMPLETE)
        finally:
            _stop(process)


def _patience() -> float:
    # A failure is worth seeing on the page, but a signal asks to end soon.
    return PATIENCE if isinstance(sys.exception(), Exception | None) else HURRY


def _start() -> tuple[subprocess.Popen[bytes], str]:
    import prefect
    from prefect.settings import PREFECT_HOME, get_current_settings

    home = Path(PREFECT_HOME.value())
    home.mkdir(parents=True, exist_ok=True)
    port = _free_port()
    environment = {
        **BATCHED,
        **os.environ,
        **get_current_settings().to_environment_variables(exclude_unset=True),
        "PREFECT_UI_ENABLED": "0",
        # What Prefect itself sets for an embedded server: no schedules, no late-run services.
        "PREFECT__SERVER_EPHEMERAL": "1",
        "PREFECT__SERVER_FINAL": "1",
        OWNER: owner_mark(),
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
    from prefect.settings import PREFECT_HOME, get_current_settings

    log = _log_path(Path(PREFECT_HOME.value()))
    ephemeral = get_current_settings().server.ephemeral
    given = "startup_timeout_seconds" in ephemeral.model_fields_set
    timeout = ephemeral.startup_timeout_seconds if given else START_TIMEOUT
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise OrchestratorUnreachable(
                f"Prefect's embedded server: expected it to start, got exit code "
                f"{process.returncode}; see {log}, or run with --no-prefect"
            )
        if is_healthy(url):
            return
        time.sleep(0.2)
    raise OrchestratorUnreachable(
        f"Prefect's embedded server: expected it within {timeout:.0f} s, got no answer; see "
        f"{log}, set PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS higher, or run with "
        "--no-prefect"
    )


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
