"""What Prefect is told on our part, and that the user has the last word."""

import os

import pytest
from prefect.settings import (
    PREFECT_CLIENT_MAX_RETRIES,
    PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
    temporary_settings,
)

from deploy.prefect_defaults import QUIET, past_proxies, quieten_prefect, run_defaults


def test_quiet_defaults_leave_what_the_user_has_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in QUIET:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PREFECT_LOGGING_INTERNAL_LEVEL", "DEBUG")
    quieten_prefect()
    assert os.environ["PREFECT_LOGGING_INTERNAL_LEVEL"] == "DEBUG"
    assert os.environ["PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL"] == "CRITICAL"


def test_a_run_with_its_own_server_has_no_heartbeats_and_gives_up_early() -> None:
    assert run_defaults() == {
        PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None,
        PREFECT_CLIENT_MAX_RETRIES: 2,
    }


def test_what_the_user_has_set_for_prefect_stays() -> None:
    given = {PREFECT_FLOWS_HEARTBEAT_FREQUENCY: 30, PREFECT_CLIENT_MAX_RETRIES: 7}
    with temporary_settings(updates=given):
        assert run_defaults() == {}


@pytest.mark.parametrize("before", [{}, {"no_proxy": "intern"}, {"NO_PROXY": "intern"}])
def test_loopback_goes_past_proxies_only_within_the_block(
    monkeypatch: pytest.MonkeyPatch, before: dict[str, str]
) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in before.items():
        monkeypatch.setenv(name, value)
    with past_proxies():
        expected = "intern,127.0.0.1" if before else "127.0.0.1"
        assert os.environ["no_proxy"] == os.environ["NO_PROXY"] == expected
    assert {name: os.environ[name] for name in ("no_proxy", "NO_PROXY") if name in os.environ} == (
        before
    )
