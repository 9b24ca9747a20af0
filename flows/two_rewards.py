"""Short configuration keys of the domains of points: two rewards at a distance, of equal shape."""

from collections.abc import Sequence
from typing import Any

from data.errors import ConfigError


def expand_two_rewards(raw: dict[str, Any], shape_keys: Sequence[str]) -> dict[str, Any]:
    """Resolve `distance` (d of the two centres, midpoint at 0) and `shape_keys`, set for both.

    Raises `ConfigError` for values they cannot have and for another number of rewards.
    """
    given = {key: raw[key] for key in ("distance", *shape_keys) if raw.get(key) is not None}
    rest = {key: value for key, value in raw.items() if key not in ("distance", *shape_keys)}
    if not given:
        return rest
    two = rest.get("rewards")
    if not isinstance(two, list) or len(two) != 2 or not all(isinstance(r, dict) for r in two):
        raise ConfigError(
            f"{', '.join(('distance', *shape_keys))}: expected exactly 2 rewards, got {two!r}; "
            f"set centre and {' and '.join(shape_keys)} of each reward"
        )
    numbers = {key: _number(key, value) for key, value in given.items()}
    distance = numbers.pop("distance", None)
    rewards = [reward | numbers for reward in two]
    if distance is not None:
        if distance < 0:
            raise ConfigError(
                f"distance: expected a number of at least 0, got {distance:g}; the first centre is "
                "the left one"
            )
        for reward, side in zip(rewards, (-0.5, 0.5), strict=True):
            reward["centre"] = [side * distance, 0.0]
    return rest | {"rewards": rewards}


def _number(key: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ConfigError(f"{key}: expected a number, got {value!r}")
    return float(value)
