"""Short keys for the weights of rewards, which stay as they are otherwise.

An arm that gives weights only leaves to the base what its rewards are and where their files lie.
"""

import math
from typing import Any

from rewards.registry import parse_reward


def expand_weights(raw: dict[str, Any]) -> dict[str, Any]:
    """`weights` gives the weight of every reward, `q` the weights [q, 1 - q] of exactly two.

    Raises `ValueError` for both at once, for numbers that are no weights and for another number
    of rewards.
    """
    rest = {key: value for key, value in raw.items() if key not in ("q", "weights")}
    if "q" in raw and "weights" in raw:
        raise ValueError(f"q, weights: expected one of them, got {raw['q']!r}, {raw['weights']!r}")
    if "q" in raw:
        return _weigh(rest, _of_two(raw["q"], raw.get("rewards")))
    if "weights" in raw:
        return _weigh(rest, _of_all(raw["weights"], raw.get("rewards")))
    return rest


def _weigh(rest: dict[str, Any], weights: list[float]) -> dict[str, Any]:
    rewards = [
        parse_reward(reward).model_copy(update={"weight": weight})
        for reward, weight in zip(rest["rewards"], weights, strict=True)
    ]
    return {**rest, "rewards": rewards}


def _of_two(q: Any, rewards: Any) -> list[float]:
    if not isinstance(rewards, list | tuple) or len(rewards) != 2:
        raise ValueError(
            f"q: expected exactly 2 rewards to weigh, got {rewards!r}; set each reward's weight"
        )
    if not _is_number(q) or not 0 <= q <= 1:
        raise ValueError(f"q: expected a number between 0 and 1, got {q!r}")
    return [float(q), 1.0 - float(q)]


def _of_all(weights: Any, rewards: Any) -> list[float]:
    number = len(rewards) if isinstance(rewards, list | tuple) else 0
    if (
        not isinstance(weights, list | tuple)
        or len(weights) != number
        or not all(_is_number(weight) and 0 <= weight < math.inf for weight in weights)
    ):
        raise ValueError(
            f"weights: expected {number} numbers of at least 0, one a reward, got {weights!r}; "
            "set `rewards` to have others"
        )
    return [float(weight) for weight in weights]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
