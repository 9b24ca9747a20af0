"""Writing down runs before they start: names, records, changed configurations, forks."""

import json
import re
import shlex
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

from data.canonical import digest_of
from data.errors import ConfigError, ProvenanceMismatch
from data.numerics import differences, numerics_class
from data.store import GroupRecord, RunRecord, Store, check_name
from flows.domain import Domain
from generators.registry import find_generator
from tasks.settings import RunConfig, parse_config


def default_name(domain: str, preset: str | None, configs: Mapping[str | None, RunConfig]) -> str:
    """`<domain>-<preset>-<8 hex of the configuration>`, so that the same call finds its run."""
    fingerprint = digest_of([[arm, config.fingerprint] for arm, config in configs.items()])
    return f"{domain}-{preset or 'run'}-{fingerprint[:8]}"


def create_runs(
    store: Store,
    domain: Domain,
    configs: Mapping[str | None, RunConfig],
    *,
    name: str,
    preset: str | None = None,
    experiment: str | None = None,
) -> list[RunRecord]:
    """Records of all arms, new ones written to the store, existing ones checked.

    Several arms make a group called `name` of runs `<name>-<arm>-s<seed>`. Raises
    `ProvenanceMismatch` when a run of that name has another configuration.
    """
    group = name if len(configs) > 1 else None
    records = [
        _new_record(
            run=name if arm is None else f"{name}-{arm}-s{config.seed}",
            domain=domain.name,
            config=config,
            preset=preset,
            arm=arm,
            group=group,
        )
        for arm, config in configs.items()
    ]
    for record in records:
        check_name(record.run)
    check_name(name)
    store.create()
    if group is not None:
        runs = {str(record.arm): record.run for record in records}
        made = GroupRecord(
            group=group, domain=domain.name, preset=preset, experiment=experiment, runs=runs
        )
        if not store.create_group(made):
            _check_group(store, made)
    return [_settle(store, record) for record in records]


def fork_run(
    store: Store, origin: RunRecord, config: RunConfig, *, name: str | None = None
) -> RunRecord:
    """Record of a new run that takes over every stage of `origin` whose fingerprint is the same.

    Raises `ConfigError` when the configuration is the same as the origin's.
    """
    if config.fingerprint == origin.config_fingerprint:
        raise ConfigError(
            f"fork: expected a changed configuration, got that of {origin.run!r}; change it with "
            "--set key=value, or `pluralist resume` the run itself"
        )
    name = name or f"{origin.run[:54]}-{config.fingerprint[:8]}"
    record = _new_record(
        run=name,
        domain=origin.domain,
        config=config,
        preset=origin.preset,
        arm=origin.arm,
        group=None,
        forked_from=origin.run,
    )
    return _settle(store, record)


def check_numerics(store: Store, record: RunRecord, *, accept: bool = False) -> RunRecord:
    """`record` if this machine computes in the run's numerics class.

    Raises `ProvenanceMismatch` naming what differs, unless `accept`, which marks the run.
    """
    here = numerics_of(parse_config(record.config))
    known = (record.numerics, *record.accepted_numerics)
    if here in known:
        return record
    rows = differences(record.numerics, here)
    if not accept:
        table = "\n".join(f"  {key}: {old} -> {new}" for key, old, new in rows)
        raise ProvenanceMismatch(
            f"run {record.run!r} was computed in another numerics class (expected -> found):\n"
            f"{table}\ndigests would differ from here on; resume on the first machine, or go on "
            "with --accept-numerics, which marks the run"
        )
    marked = record.model_copy(update={"accepted_numerics": (*record.accepted_numerics, here)})
    store.update_run(marked)
    return marked


def numerics_of(config: RunConfig) -> dict[str, Any]:
    """Numerics class of a run with this configuration on this machine."""
    kind = find_generator(config.generator.kind)
    return numerics_class(config.runtime.device, config.runtime.threads, kind.libraries)


def changed_keys(old: dict[str, Any], new: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    """Rows (path, old, new) for every leaf on which two plain configurations differ."""
    before, after = _leaves(old), _leaves(new)
    paths = sorted(before.keys() | after.keys(), key=_natural)
    return [
        (path, before.get(path), after.get(path))
        for path in paths
        if before.get(path) != after.get(path)
    ]


def package_version() -> str:
    """Version of the installed distribution."""
    return metadata.version("pluralist")


def _new_record(*, run: str, domain: str, config: RunConfig, **facts: Any) -> RunRecord:
    return RunRecord(
        run=run,
        domain=domain,
        config=config.model_dump(mode="json"),
        config_fingerprint=config.fingerprint,
        numerics=numerics_of(config),
        package_version=package_version(),
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        **facts,
    )


def _settle(store: Store, record: RunRecord) -> RunRecord:
    """Create the run, or check that the present one is the same and extend it if asked."""
    if store.create_run(record):
        return record
    present = store.read_run(record.run)
    if present.config_fingerprint != record.config_fingerprint:
        raise ProvenanceMismatch(describe_change(present, record.config))
    if record.config["iterations"] > present.config["iterations"]:
        config = {**present.config, "iterations": record.config["iterations"]}
        present = present.model_copy(update={"config": config})
        store.update_run(present)
    return present


def describe_change(present: RunRecord, config: dict[str, Any]) -> str:
    """Message for a changed configuration: a table of keys, old -> new, and the way out."""
    rows = changed_keys(present.config, config)
    table = "\n".join(f"  {path}: {old} -> {new}" for path, old, new in rows)
    settings = " ".join(
        f"--set {shlex.quote(f'{path}={json.dumps(new)}')}" for path, _, new in rows
    )
    return (
        f"run {present.run!r} exists with another configuration (old -> new):\n{table}\n"
        "a run keeps its configuration; to reuse the stages that do not change:\n"
        f"  pluralist fork {present.run} {settings}"
    )


def _check_group(store: Store, made: GroupRecord) -> None:
    present = store.find_group(made.group)
    if present is None or present.runs != made.runs:
        found = sorted(present.runs.values()) if present else []
        raise ProvenanceMismatch(
            f"group {made.group!r} exists with other runs: expected {sorted(made.runs.values())}, "
            f"found {found}; choose another --name"
        )


def _leaves(value: Any, path: str = "") -> dict[str, Any]:
    if isinstance(value, dict):
        children = value.items()
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        children = ((str(index), item) for index, item in enumerate(value))  # type: ignore[assignment]
    else:
        return {path: value}
    found: dict[str, Any] = {}
    for key, child in children:
        found |= _leaves(child, f"{path}.{key}" if path else str(key))
    return found


def _natural(path: str) -> list[tuple[int, str]]:
    return [(int(part) if part.isdigit() else 0, part) for part in re.split(r"\.", path)]
