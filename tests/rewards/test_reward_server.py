import json
import socket
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pydantic import ValidationError

from data.errors import BadNumbers, ConfigError, EnvironmentProblem, StageFailed
from rewards.reward_server import RewardServerConfig, RewardServerReward
from rewards.text_examples import random_conversations
from rewards.words import word_counts

SAMPLES = random_conversations(10, seed=7)
TEXTS = SAMPLES["text"].to_pylist()


class Server(ThreadingHTTPServer):
    """Answers with `contents`, one a request, the last for good, and keeps what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.contents: list[bytes] = []
        self.asked: list[dict[str, Any]] = []
        self.tokens: list[str | None] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}/score"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        server = self.server
        server.asked.append(json.loads(self.rfile.read(length)))
        server.tokens.append(self.headers.get("Authorization"))
        content = server.contents.pop(0) if len(server.contents) > 1 else server.contents[0]
        self.send_response(200 if content else 503)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - inherited
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        thread = Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def reward(url: str, **values: Any) -> RewardServerReward:
    given = {"url": url, "model": "m-1", "first_wait_seconds": 0.0, "num_attempts": 2}
    return RewardServerReward(RewardServerConfig.model_validate(given | values))


def scores(*those: Any) -> bytes:
    return json.dumps({"scores": those}).encode()


@pytest.mark.parametrize("batch_size", [1, 4, 64])
def test_scores_come_from_the_server_in_batches(batch_size: int) -> None:
    example = RewardServerReward.example().config
    changed = RewardServerReward(
        example.model_copy(update={"batch_size": batch_size, "gamma": 2.0})
    )
    np.testing.assert_array_equal(changed(SAMPLES), 2.0 * word_counts(TEXTS))


def test_the_server_is_asked_with_model_prompts_and_texts(server: Server) -> None:
    server.contents = [scores(0, 0, 0), scores(1)]
    some = SAMPLES.slice(0, 4)
    assert reward(server.url, batch_size=3)(some).tolist() == [0, 0, 0, 1]
    prompts = SAMPLES["prompt"].to_pylist()
    assert server.asked == [
        {"model": "m-1", "prompts": prompts[:3], "texts": TEXTS[:3]},
        {"model": "m-1", "prompts": prompts[3:4], "texts": TEXTS[3:4]},
    ]
    assert server.tokens == [None, None]


def test_texts_without_prompts_are_asked_without_and_any_character_arrives(server: Server) -> None:
    server.contents = [scores(1, 2, 3)]
    table = SAMPLES.slice(0, 3).drop_columns(["prompt"])
    odd = ["\x00\x1b\r\n", "\ufffd\U0001f600", "x" * 100_000]
    table = table.set_column(table.column_names.index("text"), "text", [odd])
    assert reward(server.url)(table).tolist() == [1, 2, 3]
    assert server.asked == [{"model": "m-1", "prompts": None, "texts": odd}]


def test_a_server_on_this_machine_is_reached_past_proxies(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    server.contents = [scores(4)]
    assert reward(server.url)(SAMPLES.slice(0, 1)).tolist() == [4]
    with pytest.raises(StageFailed, match="ConnectError"):
        reward("http://reward.invalid/")(SAMPLES.slice(0, 1))


def test_no_texts_ask_nothing_and_the_check_before_a_run_asks_for_none(server: Server) -> None:
    server.contents = [scores()]
    one = reward(server.url)
    assert one(SAMPLES.slice(0, 0)).shape == (0,)
    assert server.asked == []
    one.fetch()
    assert server.asked == [{"model": "m-1", "prompts": None, "texts": []}]


def test_a_server_error_is_tried_again(server: Server) -> None:
    server.contents = [b"", scores(3)]
    assert reward(server.url)(SAMPLES.slice(0, 1)).tolist() == [3]
    assert server.asked[0] == server.asked[1]


def test_a_server_that_stays_down_can_be_resumed_later(server: Server) -> None:
    server.contents = [b""]
    one = reward(server.url)
    with pytest.raises(StageFailed, match=r"got none in 2 attempts \(status 503: \); start the s"):
        one(SAMPLES)
    assert len(server.asked) == 2
    with pytest.raises(
        EnvironmentProblem, match=r"expected a server at .* no answer in 2 attempts"
    ):
        one.fetch()


def test_a_server_that_is_not_there_is_noticed_before_the_run() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and never listens
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/"
        with pytest.raises(EnvironmentProblem, match=r"attempts \(ConnectError: .*\); start it"):
            reward(url).fetch()


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"[1, 2]", r'expected {"scores": \[...\]} of .*, got list without a list'),
        (b'{"scores": 1}', "got dict without a list of scores"),
        (scores(1), "expected 2 scores of .*, one a text, got 1; correct"),
        (scores(1, 2, 3), "expected 2 scores of .*, one a text, got 3; correct"),
        (
            scores(1, "2"),
            "expected numbers as scores of .*, got '2' for row 1 of 2 scored together; correct",
        ),
        (scores(None, 2), "expected numbers as scores of .*, got None for row 0 of 2"),
        (scores(1, True), "expected numbers as scores of .*, got True for row 1 of 2"),
        (b'{"scores": [1, 2], "model": "m-2"}', "to score with 'm-1', got 'm-2'; start that"),
        (b"hello", "expected JSON of .*, got 'hello'"),
    ],
)
def test_an_answer_of_another_form_is_refused(server: Server, answer: bytes, message: str) -> None:
    server.contents = [answer]
    with pytest.raises(EnvironmentProblem, match=message) as caught:
        reward(server.url)(SAMPLES.slice(0, 2))
    assert caught.value.exit_code == 7
    assert len(server.asked) == 1


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1" + "0" * 400])
def test_a_score_that_is_not_finite_is_refused_with_its_candidate(
    server: Server, number: str
) -> None:
    server.contents = [scores(1), b'{"scores": [' + number.encode() + b"]}"]
    numbered = SAMPLES.append_column("candidate_id", pa.array(range(30, 40), pa.int32()))
    with pytest.raises(BadNumbers, match=r"finite scores of .* for candidate 34; correct"):
        reward(server.url, batch_size=1)(numbered.slice(3, 2))


def test_a_token_comes_from_the_environment_alone(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.contents = [scores(1)]
    one = reward(server.url, token_variable="MY_TOKEN")
    for missing in ("", "two words", "line\n"):
        monkeypatch.setenv("MY_TOKEN", missing)
        with pytest.raises(EnvironmentProblem, match="the environment variable MY_TOKEN, got none"):
            one(SAMPLES)
    monkeypatch.setenv("MY_TOKEN", "s3cret")
    one(SAMPLES.slice(0, 1))
    assert server.tokens == ["Bearer s3cret"]
    assert "s3cret" not in one.config.model_dump_json()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("ftp://server/", "expected an address http"),
        ("server:80", "expected an address http"),
        ("http://", "expected an address http"),
        ("http://server:99999/", "[Pp]ort"),
        ("http://a b/", "pattern"),
        ("http://user:pass@server/", "expected no user, password or query in it"),
        ("https://server/?key=s3cret", "expected no user, password or query in it"),
    ],
)
def test_an_address_that_is_none_or_may_hold_a_secret_is_refused(url: str, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        RewardServerConfig(url=url, model="m")


def test_where_the_server_is_decides_no_result_and_its_model_does() -> None:
    first = reward("http://one/").config
    moved = reward("http://two:8080/x", num_attempts=9, token_variable="T").config
    assert first.fingerprint_part() == moved.fingerprint_part()
    assert first.fingerprint_part() != reward("http://one/", model="m-2").config.fingerprint_part()


def test_samples_without_texts_are_refused() -> None:
    with pytest.raises(ConfigError, match="reward reward-server: expected .* column 'text'"):
        reward("http://one/")(SAMPLES.drop_columns(["text"]))
