"""Starting and stopping a server of our own, and whose settings it and the run get."""

import contextlib
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from prefect import flow, task
from prefect.settings import (
    PREFECT_API_AUTH_STRING,
    PREFECT_API_URL,
    PREFECT_CLIENT_MAX_RETRIES,
    PREFECT_HOME,
    PREFECT_SERVER_API_AUTH_STRING,
    PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS,
    PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE,
    get_current_settings,
    temporary_settings,
)

from data.errors import OrchestratorUnreachable
from deploy import embedded_server
from deploy.draining import PATIENCE
from deploy.embedded_server import HURRY, INCOMPLETE, prefect_server
from deploy.orphans import FACTORY
from deploy.server_check import is_open
from tests.deploy.conftest import Serve

Process = subprocess.Popen[bytes]


@pytest.fixture
def silent() -> Iterator[Process]:
    """A process in the place of a server that never answers."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    yield process
    process.kill()
    process.wait()


def servers() -> list[psutil.Process]:
    children = psutil.Process().children()
    return [child for child in children if FACTORY in child.cmdline()]


def test_a_server_that_ends_while_it_starts_is_reported(nobody: str) -> None:
    failed = subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"])
    failed.wait()
    expected = (
        r"Prefect's embedded server: expected it to start, got exit code 3; see "
        r".*pluralist-embedded-server\.log, or run with --no-prefect"
    )
    with pytest.raises(OrchestratorUnreachable, match=expected):
        embedded_server._wait_until_healthy(failed, nobody)


def test_a_server_that_takes_longer_than_the_user_allows_is_reported(
    silent: Process, nobody: str
) -> None:
    expected = (
        r"Prefect's embedded server: expected it within 1 s, got no answer; see .*\.log, set "
        r"PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS higher, or run with --no-prefect"
    )
    given = {PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS: 1}
    with temporary_settings(updates=given), pytest.raises(OrchestratorUnreachable, match=expected):
        embedded_server._wait_until_healthy(silent, nobody)


def test_without_a_word_of_the_user_the_start_may_take_long(
    silent: Process, nobody: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded_server, "START_TIMEOUT", 0.5)
    with pytest.raises(OrchestratorUnreachable, match="expected it within 0 s"):
        embedded_server._wait_until_healthy(silent, nobody)


def test_a_failure_is_waited_for_and_a_signal_is_not() -> None:
    assert embedded_server._patience() == PATIENCE
    try:
        raise ValueError
    except ValueError:
        assert embedded_server._patience() == PATIENCE
    try:
        raise KeyboardInterrupt
    except KeyboardInterrupt:
        assert embedded_server._patience() == HURRY


def test_a_configured_server_is_used_and_what_was_not_sent_is_said(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = serve({"/api/health": (200, "true")}) + "/api"
    monkeypatch.setattr(embedded_server, "send_what_is_queued", lambda _url, patience: False)
    said: list[str] = []
    with (
        temporary_settings(updates={PREFECT_API_URL: f"{url}/"}),
        prefect_server(said.append) as at,
    ):
        assert at == url
        assert servers() == []
    assert said == [INCOMPLETE]


@pytest.mark.slow  # starts a real server of its own, past a proxy that does not exist
@pytest.mark.prefect
def test_a_server_is_started_past_a_proxy_with_the_users_settings_and_stopped(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, nobody: str
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, nobody)
    updates: dict[Any, Any] = {
        PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE: 7,
        PREFECT_SERVER_API_AUTH_STRING: "me:secret",
        PREFECT_API_AUTH_STRING: "me:secret",
    }
    said: list[str] = []
    with (
        temporary_settings(updates=updates, restore_defaults={PREFECT_API_URL}),
        prefect_server(said.append) as url,
    ):
        (server,) = servers()
        environment = server.environ()
        assert PREFECT_API_URL.value() == url
        assert is_open(url) is False
        assert get_current_settings().flows.heartbeat_frequency is None
        assert PREFECT_CLIENT_MAX_RETRIES.value() == 2
    prefix = "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_"
    assert environment[f"{prefix}BATCH_SIZE"] == "7"
    assert environment[f"{prefix}FLUSH_INTERVAL"] == "1"
    assert not server.is_running()
    assert "is ready after" in said[-1]


@pytest.fixture
def many_tasks() -> Callable[[int], int]:
    """A flow of so many tasks, each as short as can be."""

    @task
    def one() -> int:
        return 1

    @flow
    def count(number: int) -> int:
        return sum(one() for _ in range(number))

    return count


@pytest.mark.slow  # starts a real server of its own
@pytest.mark.prefect
def test_every_task_is_written_down_before_the_server_is_stopped(
    many_tasks: Callable[[int], int], tmp_path: Path
) -> None:
    # One transaction for each state leaves the server behind when the flow ends.
    updates: dict[Any, Any] = {
        PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE: 1,
        PREFECT_HOME: tmp_path,
    }
    said: list[str] = []
    with (
        temporary_settings(updates=updates, restore_defaults={PREFECT_API_URL}),
        prefect_server(said.append),
    ):
        assert many_tasks(150) == 150
    with contextlib.closing(sqlite3.connect(tmp_path / "prefect.db")) as database:
        query = "select state_type, count(*) from task_run group by state_type"
        assert database.execute(query).fetchall() == [("COMPLETED", 150)]
    assert INCOMPLETE not in said


@pytest.mark.slow  # starts a real server of its own
@pytest.mark.prefect
def test_a_lost_server_is_said_and_costs_no_minute(many_tasks: Callable[[int], int]) -> None:
    said: list[str] = []
    with temporary_settings(restore_defaults={PREFECT_API_URL}), prefect_server(said.append):
        assert many_tasks(20) == 20
        (server,) = servers()
        server.kill()
        server.wait()
        lost = time.monotonic()
    assert said[-1] == INCOMPLETE
    assert time.monotonic() - lost < 30
