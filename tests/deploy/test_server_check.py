"""Which configured servers are accepted, and what is said of the others."""

import prefect
import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from data.errors import OrchestratorUnreachable
from deploy.server_check import check_server, configured_url, is_healthy, is_loopback, is_open
from tests.deploy.conftest import Serve

HEALTHY = {"/health": (200, "true")}


def test_a_slash_at_the_end_of_the_configured_address_does_not_matter() -> None:
    for given in ("http://127.0.0.1:4200/api/", "http://127.0.0.1:4200/api"):
        with temporary_settings(updates={PREFECT_API_URL: given}):
            assert configured_url() == "http://127.0.0.1:4200/api"


def test_without_an_address_no_server_is_configured() -> None:
    with temporary_settings(restore_defaults={PREFECT_API_URL}):
        assert configured_url() is None


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:4200/api", True),
        ("http://localhost:4200/api", True),
        ("http://[::1]:4200/api", True),
        ("http://192.168.0.3:4200/api", False),
    ],
)
def test_only_addresses_of_this_machine_are_loopback(url: str, expected: bool) -> None:
    assert is_loopback(url) is expected


def test_a_server_is_open_when_it_answers_without_a_password(serve: Serve, nobody: str) -> None:
    assert is_open(serve({"/flow_runs/count": (200, "0")})) is True
    assert is_open(serve({"/flow_runs/count": (401, "")})) is False
    assert is_open(nobody) is None


def test_health_is_what_the_server_says_of_itself(serve: Serve, nobody: str) -> None:
    assert is_healthy(serve(HEALTHY))
    assert not is_healthy(serve({"/health": (503, "")}))
    assert not is_healthy(nobody)


@pytest.mark.parametrize("version", [prefect.__version__, "3.0.0"])
def test_a_healthy_server_of_our_major_version_is_accepted(serve: Serve, version: str) -> None:
    check_server(serve({**HEALTHY, "/admin/version": (200, f'"{version}"')}))


@pytest.mark.parametrize("answer", [(401, "Unauthorized"), (404, "not found"), (200, "no JSON")])
def test_a_server_that_does_not_tell_its_version_is_accepted(
    serve: Serve, answer: tuple[int, str]
) -> None:
    check_server(serve({**HEALTHY, "/admin/version": answer}))


def test_another_major_version_is_refused_before_the_run(serve: Serve) -> None:
    url = serve({**HEALTHY, "/admin/version": (200, '"2.20.4"')})
    expected = (
        rf"Prefect server {url}: expected the major version of Prefect {prefect.__version__} "
        r"here, got 2\.20\.4; install one that matches, unset PREFECT_API_URL .* --no-prefect"
    )
    with pytest.raises(OrchestratorUnreachable, match=expected):
        check_server(url)


def test_the_page_instead_of_the_api_is_refused_and_the_ending_named(serve: Serve) -> None:
    url = serve({"/health": (200, "\n<!doctype html><html></html>")})
    expected = r"got a web page instead of the API, whose address mostly ends in /api \(1 tries\)"
    with pytest.raises(OrchestratorUnreachable, match=expected):
        check_server(url, tries=1)


def test_a_server_that_is_not_well_is_asked_again_and_then_named(serve: Serve) -> None:
    url = serve({"/health": (503, "")})
    expected = rf"Prefect server {url}: expected an answer, got status 503 \(3 tries\); start it"
    with pytest.raises(OrchestratorUnreachable, match=expected):
        check_server(url, pause=0.01)


def test_no_server_at_all_is_refused(nobody: str) -> None:
    expected = r"expected an answer, got .*onnect.* \(2 tries\); start it, unset PREFECT_API_URL"
    with pytest.raises(OrchestratorUnreachable, match=expected):
        check_server(nobody, tries=2, pause=0.01)


@pytest.mark.slow  # starts the real server
@pytest.mark.prefect
def test_a_real_server_is_accepted_and_open(prefect_server_url: str) -> None:
    check_server(prefect_server_url, tries=1)
    assert is_open(prefect_server_url)
