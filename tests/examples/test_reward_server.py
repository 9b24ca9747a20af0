"""The example server, started as a user starts it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import numpy as np
import pytest

from data.errors import EnvironmentProblem
from rewards.reward_server import RewardServerConfig, RewardServerReward
from rewards.text_examples import random_conversations
from rewards.words import word_counts

SCRIPT = Path(__file__).resolve().parents[2] / "examples" / "reward_server.py"
SAMPLES = random_conversations(30, seed=8)


@contextmanager
def running(**environment: str) -> Iterator[str]:
    """Address of the server; -I: with nothing but Python's own library."""
    process = subprocess.Popen(
        [sys.executable, "-I", str(SCRIPT), "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=os.environ | environment,
    )
    assert process.stdout
    try:
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


def reward(url: str, **values: Any) -> RewardServerReward:
    given = {"url": url, "model": "word-count-1", "num_attempts": 1, "batch_size": 8}
    return RewardServerReward(RewardServerConfig.model_validate(given | values))


def test_the_example_scores_texts_by_their_words_and_refuses_what_it_does_not_know() -> None:
    with running() as url:
        one = reward(url)
        one.fetch()
        wanted = word_counts(SAMPLES["text"].to_pylist())
        np.testing.assert_array_equal(one(SAMPLES), wanted)
        np.testing.assert_array_equal(one(SAMPLES.drop_columns(["prompt"])), wanted)
        with pytest.raises(EnvironmentProblem, match=r"got 400 .*expected the model 'word-count-1"):
            reward(url, model="another")(SAMPLES)
        with httpx.Client(trust_env=False) as client:
            bad: list[Any] = [{"texts": "a"}, {"texts": [1]}, {"texts": ["a"], "prompts": []}, []]
            answers = [client.post(url, json=one) for one in bad]
            answers.append(client.post(url, content=b"\xff\xfe no json"))
            assert [answer.status_code for answer in answers] == [400] * 5
        connection = HTTPConnection(urlsplit(url).netloc)
        with closing(connection):
            connection.putrequest("POST", "/")
            connection.putheader("Content-Length", str(2**40))
            connection.endheaders()
            assert connection.getresponse().status == 413


def test_the_example_asks_for_the_token_it_was_started_with(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with running(REWARD_SERVER_TOKEN="right") as url:
        for token in ("wrong", "right"):
            monkeypatch.setenv("CLIENT_TOKEN", token)
            asking = reward(url, token_variable="CLIENT_TOKEN")
            if token == "right":
                asking.fetch()
            else:
                with pytest.raises(EnvironmentProblem, match="expected status 200 .*, got 401"):
                    asking.fetch()
