"""Settings under which Prefect runs here; each gives way to what the user has set."""

import contextlib
import os
from collections.abc import Iterator
from typing import Any

# Defaults for a command-line run; whatever the user has set stays.
QUIET = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    # The page still gets every line; our own progress is on the terminal.
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
    # Otherwise a lost server costs a line on stderr for every event not sent.
    "PREFECT_LOGGING_INTERNAL_LEVEL": "CRITICAL",
}
# One transaction for many task states instead of one each saves a run a fifth of its CPU time.
BATCHED = {
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "100",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
}
# An embedded server that is gone stays gone: 6 s of waiting for a request instead of a minute.
RETRIES = 2


def quieten_prefect() -> None:
    """Set the defaults of `QUIET`; to be called before Prefect is imported."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)


def run_defaults() -> dict[Any, Any]:
    """Prefect's settings for a run with a server of its own, without those the user has set."""
    from prefect.settings import (
        PREFECT_CLIENT_MAX_RETRIES,
        PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
        get_current_settings,
    )

    settings = get_current_settings()
    defaults: dict[Any, Any] = {}
    if "heartbeat_frequency" not in settings.flows.model_fields_set:
        # Nobody watches heartbeats here, and their thread adds a second to the end of a flow.
        defaults[PREFECT_FLOWS_HEARTBEAT_FREQUENCY] = None
    if "max_retries" not in settings.client.model_fields_set:
        defaults[PREFECT_CLIENT_MAX_RETRIES] = RETRIES
    return defaults


@contextlib.contextmanager
def past_proxies() -> Iterator[None]:
    """For the time of the block, keep requests to loopback from going to a proxy."""
    names = ("no_proxy", "NO_PROXY")
    before = {name: os.environ.get(name) for name in names}
    hosts = before["no_proxy"] or before["NO_PROXY"]
    os.environ.update(dict.fromkeys(names, f"{hosts},127.0.0.1" if hosts else "127.0.0.1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
