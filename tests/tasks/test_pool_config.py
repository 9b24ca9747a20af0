"""Pools that cannot be drawn from as configured."""

from typing import Any

import pytest
from pydantic import ValidationError

from flows import gpt2
from flows.gmm import smoke
from tasks.settings import RunConfig

POOL = {"num_seeds": 50, "num_survivors": 20}


def configured(**changes: Any) -> RunConfig:
    return RunConfig.model_validate(smoke().model_dump(mode="json") | {"pool": POOL} | changes)


def test_a_pool_is_drawn_from_whole_or_in_fresh_pools_with_replacement() -> None:
    assert configured().pool is not None
    assert configured(selection={"scheme": "fresh", "pool_size": 3}).pool is not None


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        (
            {"selection": {"scheme": "disjoint", "pool_size": 2, "num_curated": 10}},
            "pool: expected selection.scheme 'all' or 'fresh' with .*, got 'disjoint' with",
        ),
        (
            {"selection": {"replacement": False, "num_curated": 10}},
            "pool: expected .* with replacement, got 'all' without replacement; the pool grows",
        ),
        (
            {"pool": {"num_survivors": 201}, "num_candidates": 200},
            "pool.num_survivors: expected at most num_candidates = 200, got 201; lower it",
        ),
        (
            {"selection": {"score_noise": 0.5}},
            "selection.score_noise: expected 0 with a pool, .* got 0.5; leave it out",
        ),
        (
            {"selection": {"flip_probability": 0.1}},
            "selection.flip_probability: expected 0 with a pool, .* got 0.1; leave it out",
        ),
    ],
)
def test_a_pool_that_cannot_be_drawn_from_is_refused(changes: dict[str, Any], text: str) -> None:
    with pytest.raises(ValidationError, match=text):
        configured(**changes)


def test_more_seeds_than_texts_are_refused_before_a_model_is_trained_on_them() -> None:
    plain = gpt2.offline().model_dump(mode="json")
    plain["initial"]["num_texts"] = plain["pool"]["num_seeds"]
    assert RunConfig.model_validate(plain).pool is not None
    plain["pool"]["num_seeds"] += 1
    text = r"pool.num_seeds: expected at most initial.num_texts = \d+, got \d+; lower it, or raise"
    with pytest.raises(ValidationError, match=text):
        RunConfig.model_validate(plain)
