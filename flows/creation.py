"""Writing down runs before they start: names, records, changed configurations."""

import json
import shlex
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from data.canonical import digest_of
from data.errors import MissingArtifact, ProvenanceMismatch
from data.numerics import differences
from data.store import GroupRecord, RunRecord, Store, check_name
from flows.domain import Domain
from tasks.context import RunContext, package_version
from tasks.places import Place
from tasks.run_numerics import numerics_of
from tasks.settings import RunConfig


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
        new_record(
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
        return create_group(
            store,
            GroupRecord(
                group=group,
                domain=domain.name,
                preset=preset,
                experiment=experiment,
                members=tuple(records),
            ),
        )
    return [settle(store, record) for record in records]


def create_group(store: Store, made: GroupRecord) -> list[RunRecord]:
    """Records of all members of a group, the group and new runs written, existing ones checked.

    Raises `ProvenanceMismatch` when the group has other members or one another configuration.
    """
    present = store.find_group(made.group)
    if present is None and not store.create_group(made):
        present = store.find_group(made.group)
    if present is not None:
        _check_group(present, made)
    return [settle(store, record) for record in made.members]


def find_records(store: Store, name: str) -> list[RunRecord]:
    """The run called `name`, or every run of the group called so.

    A group names its runs before they exist; those that a kill left out are created now.
    Raises `MissingArtifact` naming what there is.
    """
    group = store.find_group(name)
    if group is not None:
        return [_present(store, member) or member for member in group.members]
    record = store.find_run(name)
    if record is None:
        present = [*store.group_names(), *store.run_names()]
        shown = ", ".join(present[:10]) + (" ..." if len(present) > 10 else "")
        raise MissingArtifact(
            f"no run or group {name!r} in store {store.root}; there is: {shown or 'nothing yet'}"
        )
    return [record]


def check_numerics(store: Store, record: RunRecord, *, accept: bool = False) -> RunRecord:
    """`record` if this machine, and all that it shares, are in the run's numerics class.

    Raises `ProvenanceMismatch` naming what differs, unless `accept`, which marks the run.
    """
    context = RunContext(store, record)
    classes = {"this machine": context.numerics}
    for stage in context.fingerprints.shared:
        found = context.find(Place(None, stage))
        if found is not None:
            name = "the initial model" if stage == "initial" else f"the shared {stage}"
            classes[name] = found.manifest.numerics
    others = {name: one for name, one in classes.items() if not context.accepts(one)}
    if not others:
        return record
    if not accept:
        whose, other = next(iter(others.items()))
        rows = [row for row in differences(record.numerics, other) if row[0] in other]
        table = "\n".join(f"  {key}: {old} -> {new}" for key, old, new in rows)
        raise ProvenanceMismatch(
            f"run {record.run!r}: {whose} is in another numerics class (expected -> found):\n"
            f"{table}\ndigests would differ; resume on the first machine or with another --store, "
            "or go on with --accept-numerics, which marks the run"
        )
    accepted = (*record.accepted_numerics, *others.values())
    marked = record.model_copy(update={"accepted_numerics": accepted})
    store.update_run(marked)
    return marked


def changed_keys(old: Any, new: Any, path: str = "") -> list[tuple[str, Any, Any]]:
    """Rows (path, old, new) for every leaf on which two plain configurations differ.

    Lists of different lengths differ as a whole.
    """
    if isinstance(old, dict) and isinstance(new, dict):
        keys: list[Any] = [*old, *(key for key in new if key not in old)]
        pairs = [(key, old.get(key), new.get(key)) for key in keys]
    elif _are_mappings(old) and _are_mappings(new) and len(old) == len(new):
        pairs = [(index, *values) for index, values in enumerate(zip(old, new, strict=True))]
    else:
        return [] if old == new else [(path, old, new)]
    rows = []
    for key, before, after in pairs:
        rows += changed_keys(before, after, f"{path}.{key}" if path else str(key))
    return rows


def new_record(*, run: str, domain: str, config: RunConfig, **facts: Any) -> RunRecord:
    """Record of a run created now on this machine; `facts` are its other fields."""
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


def settle(store: Store, record: RunRecord) -> RunRecord:
    """Create the run, or check that the present one is the same and extend it if asked."""
    present = _present(store, record)
    if present is None:
        return record
    if present.config_fingerprint != record.config_fingerprint:
        raise ProvenanceMismatch(describe_change(present, record.config))
    # What remains may change in place: where and how it runs, and how long at least.
    iterations = max(record.config["iterations"], present.config["iterations"])
    config = {**record.config, "iterations": iterations}
    if config != present.config:
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


def _present(store: Store, record: RunRecord) -> RunRecord | None:
    """The record there is under that name; None once `record` itself is written down."""
    # Asked first: creating costs a synced file even where the name turns out to be taken.
    present = store.find_run(record.run)
    if present is None and not store.create_run(record):
        present = store.read_run(record.run)
    return present


def _check_group(present: GroupRecord, made: GroupRecord) -> None:
    expected = {member.run for member in made.members}
    found = {member.run for member in present.members}
    if expected != found:
        raise ProvenanceMismatch(
            f"group {made.group!r} exists with other runs: expected {len(expected)} of them, such "
            f"as {_some(expected - found or expected)}, found {len(found)}, such as "
            f"{_some(found - expected or found)}; choose another --name"
        )


def _some(runs: set[str]) -> str:
    return ", ".join(sorted(runs)[:3])


def describe_members(members: Sequence[RunRecord]) -> str:
    """Names of the first runs, and how many more there are."""
    names = [member.run for member in members]
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more


def _are_mappings(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(item, dict) for item in value)
