import time
from typing import Any

import httpx
import pytest

from data.errors import EnvironmentProblem
from rewards.json_exchange import LONGEST_WAIT, Exchange, NoAnswer

Answer = httpx.Response | Exception


def exchange(**values: Any) -> Exchange:
    given: dict[str, Any] = {
        "user": "reward x", "token": None, "timeout_seconds": 5.0, "num_attempts": 4,
        "first_wait_seconds": 1.0,
    }  # fmt: skip
    return Exchange(**{"url": "http://server/score"} | given | values)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Waits that would have been."""
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    return waited


def answering(monkeypatch: pytest.MonkeyPatch, *answers: Answer) -> list[httpx.Request]:
    """The exchange meets these, one an attempt; gives the requests as they come."""
    asked: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        answer = answers[len(asked) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer

    plain = httpx.Client
    monkeypatch.setattr(
        httpx, "Client", lambda **values: plain(transport=httpx.MockTransport(handle), **values)
    )
    return asked


GOOD = httpx.Response(200, json={"scores": [1]})


def test_lost_connections_late_answers_and_server_errors_are_tried_again(
    monkeypatch: pytest.MonkeyPatch, waits: list[float]
) -> None:
    asked = answering(
        monkeypatch, httpx.ConnectError("refused"), httpx.ReadTimeout("late"),
        httpx.Response(503), GOOD,
    )  # fmt: skip
    with exchange() as open_exchange:
        assert open_exchange.post({"texts": ["ä"]}) == {"scores": [1]}
    assert len(asked) == 4
    assert len({request.content for request in asked}) == 1, "the same question each time"
    for wait, longest in zip(waits, (1, 2, 4), strict=True):
        assert longest / 2 <= wait <= longest


def test_waits_end_growing_and_differ_between_exchanges(
    monkeypatch: pytest.MonkeyPatch, waits: list[float]
) -> None:
    for _ in range(2):
        answering(monkeypatch, *[httpx.ConnectError("refused")] * 9)
        with exchange(num_attempts=9, first_wait_seconds=10.0) as broken, pytest.raises(NoAnswer):
            broken.post({})
        monkeypatch.undo()
        monkeypatch.setattr(time, "sleep", waits.append)
    assert len(waits) == 16 and max(waits) <= LONGEST_WAIT
    assert waits[:8] != waits[8:]


@pytest.mark.parametrize(
    ("last", "text"),
    [
        (httpx.ConnectError("refused"), "^ConnectError: refused$"),
        (httpx.Response(500, text="out of\nmemory"), "^status 500: out of memory$"),
        (httpx.Response(429), "^status 429: $"),
    ],
)
@pytest.mark.usefixtures("waits")
def test_the_last_failure_is_told_when_no_attempt_is_left(
    monkeypatch: pytest.MonkeyPatch, last: Answer, text: str
) -> None:
    answering(monkeypatch, httpx.Response(502), last)
    with exchange(num_attempts=2) as broken, pytest.raises(NoAnswer, match=text):
        broken.post({})


@pytest.mark.parametrize("status", [201, 302, 400, 401, 404])
def test_a_refusal_is_not_tried_again(
    monkeypatch: pytest.MonkeyPatch, waits: list[float], status: int
) -> None:
    headers = {"location": "http://elsewhere/"}
    asked = answering(monkeypatch, httpx.Response(status, text="no", headers=headers))
    with (
        exchange() as open_exchange,
        pytest.raises(EnvironmentProblem, match=rf"reward x: expected status 200 .* {status} \(no"),
    ):
        open_exchange.post({})
    assert len(asked) == 1 and waits == []


def test_an_answer_that_is_no_json_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, httpx.Response(200, text="<html>\n hello"))
    with (
        exchange() as open_exchange,
        pytest.raises(
            EnvironmentProblem, match="expected JSON of http://server/score, got '<html>"
        ),
    ):
        open_exchange.post({})


@pytest.mark.parametrize("host", ["1.2.3.999", "xn--", "a..b", "a" * 300])
def test_an_address_that_can_be_none_is_refused(waits: list[float], host: str) -> None:
    with (
        exchange(url=f"http://{host}/") as nowhere,
        pytest.raises(EnvironmentProblem, match=r"reward x: expected an address .*; correct the u"),
    ):
        nowhere.post({})
    assert waits == []


def test_a_token_is_sent_with_every_question_and_never_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = answering(monkeypatch, httpx.Response(401, text="no"))
    with exchange(token="s3cret") as refused, pytest.raises(EnvironmentProblem) as caught:
        refused.post({})
    assert asked[0].headers["Authorization"] == "Bearer s3cret"
    assert "s3cret" not in str(caught.value)
