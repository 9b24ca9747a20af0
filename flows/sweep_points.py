"""The members of a sweep: every combination of axis values, in every arm, as a configuration."""

import itertools
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from data.errors import ConfigError
from flows.domain import Domain, Plain, assign, merge
from tasks.settings import RunConfig, parse_config

RANGE = re.compile(r"([+-]?\d+)\.\.([+-]?\d+)")
# YAML 1.1 takes 1e-3 for a text; whoever writes it means the number.
EXPONENT = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)[eE][+-]?\d+")
OTHER_COLUMNS = ("run", "arm", "k", "metric", "value")
MAX_MEMBERS = 100_000
NO_ARMS: Mapping[str, Plain] = {}


@dataclass(frozen=True)
class Axis:
    """One swept key and its values, which are plain scalars or, built in Python, mappings.

    `key` is a dotted path of the configuration or a short key of the domain. A mapping is laid
    over the base as it is; `key` is then only its label.
    """

    key: str
    values: tuple[Any, ...]


@dataclass(frozen=True)
class Point:
    """One member of a sweep: its value on every axis, its arm, its whole configuration.

    `changes` is what axes and arm change in the base.
    """

    values: Mapping[str, Any]
    arm: str | None
    config: RunConfig
    changes: Plain = field(default_factory=dict)


def parse_axis(text: str) -> Axis:
    """Axis from `key=0.1,0.3,null` or `key=0..19` (both ends included), or a mix of both.

    Raises `ConfigError` for a text without `=`, for no, unreadable, equal or too many values.
    """
    key, equals, listed = text.partition("=")
    key = key.strip()
    if not equals or not key:
        raise ConfigError(f"--over: expected key=value,value or key=first..last, got {text!r}")
    values: list[Any] = []
    for part in listed.split(","):
        values += _range(key, part.strip())
    _check_values(key, values)
    return Axis(key, tuple(values))


def points(
    domain: Domain, base: Plain, axes: Sequence[Axis], arms: Mapping[str, Plain] = NO_ARMS
) -> list[Point]:
    """Every arm with every combination of axis values, the last axis running fastest.

    Arms are laid over the axes, so an arm stays what its name says: an axis whose key the arm
    sets itself has the arm's value there, once. Raises `ConfigError` for an impossible
    configuration, naming the member, for axes of equal keys and for too many members.
    """
    keys = [axis.key for axis in axes]
    if len(set(keys)) < len(keys):
        raise ConfigError(
            f"axes: expected different keys, got {', '.join(keys)}; join their values"
        )
    taken = [key for key in keys if key in OTHER_COLUMNS]
    if taken:
        raise ConfigError(f"axis {taken[0]}: expected another key, that is a column of the results")
    for axis in axes:
        _check_values(axis.key, list(axis.values))
    members: list[tuple[str | None, Plain, tuple[Any, ...]]] = []
    named: list[tuple[str | None, Plain]] = [*arms.items()] or [(None, {})]
    for arm, special in named:
        choices = [values_in_arm(axis, special) for axis in axes]
        if len(members) + math.prod(map(len, choices)) > MAX_MEMBERS:
            raise ConfigError(
                f"axes: expected at most {MAX_MEMBERS} members, got more; sweep in parts"
            )
        members += [(arm, special, values) for values in itertools.product(*choices)]
    return [
        _point(domain, base, dict(zip(keys, values, strict=True)), arm, special)
        for arm, special, values in members
    ]


def describe(values: Mapping[str, Any], arm: str | None = None) -> str:
    """A member in words: its arm and `key=value` for every axis."""
    texts = [f"{key}={value}" for key, value in values.items()]
    return " ".join(([arm] if arm else []) + texts) or "the base"


def _point(domain: Domain, base: Plain, values: Plain, arm: str | None, special: Plain) -> Point:
    changes: Plain = {}
    try:
        for key, value in values.items():
            if isinstance(value, dict):
                changes = merge(changes, value)
            else:
                assign(changes, base, key, value, f"--over {key}={value}")
        changes = merge(changes, special)
        config = parse_config(domain.expand(merge(base, changes)))
    except ConfigError as error:
        raise ConfigError(f"{describe(values, arm)}: {error}") from error
    return Point(values=values, arm=arm, config=config, changes=changes)


def _range(key: str, part: str) -> list[Any]:
    """Values of one part of a list: an inclusive range of integers, or one YAML scalar."""
    found = RANGE.fullmatch(part)
    if found is None:
        return [_scalar(key, part)]
    first, last = int(found[1]), int(found[2])
    if last < first:
        raise ConfigError(f"--over {key}: expected first..last in ascending order, got {part!r}")
    if last - first >= MAX_MEMBERS:
        raise ConfigError(f"--over {key}: expected at most {MAX_MEMBERS} values, got {part!r}")
    return list(range(first, last + 1))


def _scalar(key: str, part: str) -> Any:
    if not part:
        raise ConfigError(f"--over {key}: expected a value between commas, got nothing")
    if EXPONENT.fullmatch(part):
        value: Any = float(part)
    else:
        try:
            value = yaml.safe_load(part)
        except yaml.YAMLError as error:
            raise ConfigError(f"--over {key}: expected YAML values, got {part!r}") from error
    if not isinstance(value, bool | int | float | str | None):
        raise ConfigError(f"--over {key}: expected numbers, texts or null, got {part!r}")
    if isinstance(value, float) and not math.isfinite(value):
        raise ConfigError(f"--over {key}: expected finite numbers, got {part!r}")
    return value


def _check_values(key: str, values: list[Any]) -> None:
    if not values:
        raise ConfigError(f"axis {key}: expected at least one value, got none")
    for position, value in enumerate(values):
        # True equals 1 in Python, but is another value here.
        if any(
            value == other and isinstance(value, bool) == isinstance(other, bool)
            for other in values[:position]
        ):
            raise ConfigError(f"axis {key}: expected different values, got {value!r} twice")


def values_in_arm(axis: Axis, special: Plain) -> tuple[Any, ...]:
    """The axis's values, or the one that the arm sets under the same key."""
    setting: Any = special
    for key in axis.key.split("."):
        if isinstance(setting, dict) and key in setting:
            setting = setting[key]
        elif isinstance(setting, list) and key.isdecimal() and int(key) < len(setting):
            setting = setting[int(key)]
        else:
            return axis.values
    return (setting,)
