"""Forks: new runs that take over every stage of another run whose fingerprint is the same.

A changed configuration changes the fingerprints of the stages it touches; so does a release in
which a stage has another version.
"""

from collections.abc import Callable, Sequence

from data.artifact import find_artifact
from data.canonical import digest_of
from data.errors import ConfigError, CorruptArtifact
from data.store import GroupRecord, RunRecord, Store, check_name
from flows.creation import create_group, describe_members, new_record, settle
from flows.domain import find_domain
from tasks.places import STAGE_VERSIONS, Fingerprints, all_places
from tasks.settings import RunConfig, parse_config

LONGEST_NAME = 63
LONGEST_ORIGIN = LONGEST_NAME - 9


def fork_run(
    store: Store, origin: RunRecord, config: RunConfig, *, name: str | None = None
) -> RunRecord:
    """Record of a new run that takes over every stage of `origin` whose fingerprint is the same.

    Raises `ConfigError` when neither the configuration nor the release makes a difference.
    """
    if not _differs(store, origin, config):
        raise _nothing_changed(origin.run)
    made = _forked(origin, config, name or _default_name(origin.run, [config]), group=None)
    return settle(store, made)


def fork_group(
    store: Store,
    origin: GroupRecord,
    members: Sequence[RunRecord],
    change: Callable[[RunRecord], RunConfig],
    *,
    name: str | None = None,
) -> list[RunRecord]:
    """Records of a new group, a fork of every one of `members` with the configuration `change`d.

    Raises `ConfigError` when no member would differ, and for a sweep under another
    configuration, whose axes would no longer say what its members are.
    """
    configs = [change(member) for member in members]
    pairs = list(zip(members, configs, strict=True))
    if origin.axes is not None and any(_is_changed(*pair) for pair in pairs):
        raise ConfigError(
            f"fork: expected no changed configuration for the sweep {origin.group!r}, whose axes "
            f"say what its members are; fork one of {describe_members(members)}, or sweep again"
        )
    if not any(_differs(store, member, config) for member, config in pairs):
        raise _nothing_changed(origin.group)
    name = check_name(name or _default_name(origin.group, configs))
    forks = tuple(
        _forked(member, config, _member_name(name, origin.group, member), group=name)
        for member, config in pairs
    )
    return create_group(store, origin.model_copy(update={"group": name, "members": forks}))


def other_release(store: Store, record: RunRecord) -> list[str]:
    """Stages of a run that are committed under another fingerprint than this release gives.

    A stage whose manifest cannot be read is none of them: a fork is not what mends it.
    """
    config = parse_config(find_domain(record.domain).expand(record.config))
    fingerprints, found = Fingerprints(config), dict[str, None]()
    for place in all_places(config.iterations):
        # The initial model's folder is named by its fingerprint, and so is another one.
        if place.stage == "initial" or place.stage in found:
            continue
        try:
            artifact = find_artifact(store.stage_folder(record.run, place.iteration, place.stage))
        except CorruptArtifact:
            continue
        if artifact is not None and artifact.fingerprint != fingerprints.of(place):
            found[place.stage] = None
    return list(found)


def _differs(store: Store, origin: RunRecord, config: RunConfig) -> bool:
    return _is_changed(origin, config) or bool(other_release(store, origin))


def _is_changed(origin: RunRecord, config: RunConfig) -> bool:
    return config.model_dump(mode="json") != origin.config


def _forked(origin: RunRecord, config: RunConfig, name: str, *, group: str | None) -> RunRecord:
    return new_record(
        run=name,
        domain=origin.domain,
        config=config,
        preset=origin.preset,
        arm=origin.arm,
        group=group,
        axes=origin.axes if group else {},
        forked_from=origin.run,
    )


def _default_name(origin: str, configs: Sequence[RunConfig]) -> str:
    """`<origin>-<8 hex>`, another one for every configuration and release."""
    plain = [config.model_dump(mode="json") for config in configs]
    return f"{origin[:LONGEST_ORIGIN]}-{digest_of([STAGE_VERSIONS, plain])[:8]}"


def _member_name(name: str, group: str, member: RunRecord) -> str:
    """The member's name with the new group's in place of the old, cut where it is too long."""
    made = name + member.run.removeprefix(group)
    if member.run.startswith(group) and len(made) <= LONGEST_NAME:
        return made
    return f"{name[:LONGEST_ORIGIN]}-{digest_of(member.run)[:8]}"


def _nothing_changed(origin: str) -> ConfigError:
    return ConfigError(
        f"fork: expected a changed configuration, got that of {origin!r}, whose stages are all of "
        "this release; change it with --set key=value, or `pluralist resume` the run itself"
    )
