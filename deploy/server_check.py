"""The Prefect server the user has configured: which, whether it answers, and to whom."""

import contextlib
import time
from urllib.parse import urlparse

import httpx

from data.errors import OrchestratorUnreachable

WAY_OUT = "unset PREFECT_API_URL to use the embedded one, or run with --no-prefect"


def configured_url() -> str | None:
    """API address of the server the user has configured (environment or profile), or None."""
    from prefect.settings import PREFECT_API_URL

    return (PREFECT_API_URL.value() or "").rstrip("/") or None


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


def is_healthy(url: str) -> bool:
    """Whether the server at `url` says, within 5 s, that it is well."""
    with contextlib.suppress(httpx.HTTPError):
        return httpx.get(f"{url}/health", timeout=5.0).status_code == httpx.codes.OK
    return False


def check_server(url: str, *, tries: int = 3, pause: float = 1.0) -> None:
    """Raise `OrchestratorUnreachable` unless a Prefect server that suits answers at `url`.

    Asked `tries` times, `pause` seconds apart. Its major version must be the one installed here.
    """
    problem = ""
    for attempt in range(tries):
        if attempt:
            time.sleep(pause)
        try:
            answer = httpx.get(f"{url}/health", timeout=5.0)
        except httpx.HTTPError as error:
            problem = str(error) or type(error).__name__
            continue
        if answer.status_code != httpx.codes.OK:
            problem = f"status {answer.status_code}"
        elif answer.text.lstrip().startswith("<"):
            # Beside its API, Prefect answers any address with its page.
            problem = "a web page instead of the API, whose address mostly ends in /api"
        else:
            _check_version(url)
            return
    raise OrchestratorUnreachable(
        f"Prefect server {url}: expected an answer, got {problem} ({tries} tries); start it, "
        f"{WAY_OUT}"
    )


def _check_version(url: str) -> None:
    """Raise when the server tells a major version other than ours; Prefect refuses it, late."""
    import prefect

    ours, theirs = prefect.__version__, ""
    with contextlib.suppress(httpx.HTTPError, ValueError):
        answer = httpx.get(f"{url}/admin/version", timeout=5.0)
        # Behind a password it may not tell.
        theirs = str(answer.json()) if answer.status_code == httpx.codes.OK else ""
    if theirs and theirs.partition(".")[0] != ours.partition(".")[0]:
        raise OrchestratorUnreachable(
            f"Prefect server {url}: expected the major version of Prefect {ours} here, got "
            f"{theirs}; install one that matches, {WAY_OUT}"
        )
