"""Weights given apart from the rewards they belong to."""

from typing import Any

import pytest

from data.errors import ConfigError
from flows.gmm import smoke
from tasks.settings import RunConfig, parse_config
from tasks.weight_keys import expand_weights


def with_keys(**given: Any) -> RunConfig:
    return parse_config(smoke().model_dump(mode="json") | given)


def test_weights_are_those_of_the_rewards_and_change_nothing_else() -> None:
    weighed = with_keys(weights=[3, 0])
    assert [reward.weight for reward in weighed.rewards] == [3.0, 0.0]
    back = with_keys(weights=[reward.weight for reward in smoke().rewards])
    assert back == smoke() and back.fingerprint == smoke().fingerprint


def test_q_is_short_for_two_weights() -> None:
    assert with_keys(q=0.25) == with_keys(weights=[0.25, 0.75])


def test_nothing_is_expanded_without_a_short_key() -> None:
    assert expand_weights({"rewards": "anything"}) == {"rewards": "anything"}


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"weights": [1]}, r"weights: expected 2 numbers of at least 0, one a reward, got \[1\]"),
        ({"weights": [1, -1]}, r"got \[1, -1\]; set `rewards` to have others"),
        ({"weights": [True, 1]}, "weights: expected 2 numbers"),
        ({"weights": [1, float("inf")]}, "weights: expected 2 numbers"),
        ({"weights": 0.5}, "weights: expected 2 numbers .* got 0.5"),
        ({"weights": [1, 1], "q": 0.5}, "q, weights: expected one of them, got 0.5, "),
        ({"weights": [0, 0]}, "rewards: expected at least one positive weight"),
        ({"q": 1.5}, "q: expected a number between 0 and 1, got 1.5"),
        ({"q": 0.5, "rewards": []}, "q: expected exactly 2 rewards to weigh"),
    ],
)
def test_weights_that_cannot_be_are_refused(given: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        with_keys(**given)
