"""A domain: its presets and its flow. A new domain is one file here that exports `DOMAIN`."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from data.errors import ConfigError
from data.plugins import PluginFamily
from tasks.settings import RunConfig, parse_config

Plain = dict[str, Any]

FAMILY = PluginFamily(noun="domain", package="flows", export="DOMAIN", group="pluralist.domains")


@dataclass(frozen=True)
class Preset:
    """A named experiment: a base configuration and what each arm changes in it.

    Arms are applied after the user's own changes, so an arm stays what its name says.
    `experiment` names the claim that is judged when all arms are done.
    """

    base: Callable[[], RunConfig]
    meaning: str
    arms: Mapping[str, Plain] = field(default_factory=dict)
    experiment: str | None = None


@dataclass(frozen=True)
class Domain:
    """One kind of model and samples. `expand` resolves the domain's short configuration keys."""

    name: str
    presets: Mapping[str, Preset]
    flow: Callable[..., Any]
    expand: Callable[[Plain], Plain] = dict


def find_domain(name: str) -> Domain:
    """The domain called `name`; raises `ConfigError` listing those there are."""
    found: Domain = FAMILY.find(name)
    return found


def find_preset(domain: Domain, name: str) -> Preset:
    """The preset called `name`; raises `ConfigError` listing those there are."""
    if name not in domain.presets:
        raise ConfigError(
            f"preset: expected one of {', '.join(domain.presets)} for {domain.name}, got {name!r}"
        )
    return domain.presets[name]


def arm_configs(domain: Domain, preset: Preset, changes: Plain) -> dict[str | None, RunConfig]:
    """Configuration of every arm after `changes`; a preset without arms has the one arm None.

    Raises `ConfigError` for changes that leave an arm without the two rewards that it weighs.
    """
    arms: list[tuple[str | None, Plain]] = [*preset.arms.items()] or [(None, {})]
    base = preset.base().model_dump(mode="json")
    found: dict[str | None, RunConfig] = {}
    for arm, special in arms:
        plain = domain.expand(merge(merge(base, changes), special))
        rewards = plain.get("rewards")
        if "q" in special and isinstance(rewards, list) and len(rewards) != 2:
            raise ConfigError(
                f"rewards: expected the two that arm {arm!r} of the preset weighs, got "
                f"{len(rewards)}; give them in a YAML file without `preset`, which has no arms"
            )
        found[arm] = parse_config(plain)
    return found


def merge(base: Plain, changes: Plain) -> Plain:
    """`base` with `changes` laid over it, mappings merged key by key, anything else replaced.

    A mapping of another `kind` or `architecture` has other fields, so it replaces the old one.
    """
    merged = copy.deepcopy(base)
    for key, value in changes.items():
        present = merged.get(key)
        if isinstance(value, dict) and isinstance(present, dict) and not _differ(present, value):
            merged[key] = merge(present, value)
        else:
            merged[key] = copy.deepcopy(value)
    return merged


def _differ(present: Plain, given: Plain) -> bool:
    return any(
        key in present and key in given and present[key] != given[key]
        for key in ("kind", "architecture")
    )


def parse_settings(assignments: list[str], base: Plain) -> Plain:
    """Changes from `path=value` texts; values are YAML, numbers in a path index lists of `base`.

    Raises `ConfigError` for a text without `=`, an unknown index or an unreadable value.
    """
    changes: Plain = {}
    for text in assignments:
        path, equals, value = text.partition("=")
        if not equals or not path:
            raise ConfigError(f"--set: expected key=value, got {text!r}")
        try:
            parsed = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise ConfigError(f"--set {path}: expected a YAML value, got {value!r}") from error
        assign(changes, base, path, parsed, f"--set {text}")
    return changes


def assign(changes: Plain, base: Any, path: str, value: Any, text: str) -> None:
    """Put `value` at the dotted `path` into `changes`, which are to be laid over `base`.

    `text` is what was asked for, for the message of the `ConfigError` about an unknown index.
    """
    keys = path.split(".")
    target: Any = changes
    for position, key in enumerate(keys):
        index: Any = key
        if isinstance(target, list):
            if not (key.isascii() and key.isdecimal()) or int(key) >= len(target):
                raise ConfigError(f"{text}: expected an index below {len(target)} at {key!r}")
            index = int(key)
        base = _child(base, index)
        if position == len(keys) - 1:
            target[index] = value
            return
        child = target[index] if isinstance(target, list) else target.get(index)
        if not isinstance(child, dict | list):
            # A list is replaced as a whole, so a change inside starts from the present one.
            child = copy.deepcopy(base) if isinstance(base, list) else {}
            target[index] = child
        target = child


def _child(base: Any, index: Any) -> Any:
    if isinstance(base, dict):
        return base.get(index)
    if isinstance(base, list) and isinstance(index, int) and index < len(base):
        return base[index]
    return None
