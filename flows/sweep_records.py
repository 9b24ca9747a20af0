"""What a sweep writes down before it starts: its group, and a name for every member."""

import re
from collections.abc import Sequence
from typing import Any

from data.canonical import digest_of
from data.errors import ConfigError
from data.store import NAME, GroupRecord, RunRecord, Store, check_name
from flows.creation import create_group, new_record
from flows.domain import Domain
from flows.sweep_points import Point, describe

LONGEST_NAME = 63
# A text that stands for itself in a name; the words are what other values are written as.
WORD = re.compile(r"(?!(none|true|false)$)[a-z]{1,20}")


def default_sweep_name(domain: Domain, points: Sequence[Point]) -> str:
    """`<domain>-sweep-<8 hex of all members>`, so that the same call finds its sweep."""
    return f"{domain.name}-sweep-{digest_of([_identity(point) for point in points])[:8]}"


def create_sweep(
    store: Store,
    domain: Domain,
    points: Sequence[Point],
    *,
    name: str | None = None,
    preset: str | None = None,
    experiment: str | None = None,
) -> list[RunRecord]:
    """Records of all members, new ones written to the store, existing ones checked.

    They make a group called `name` of runs `<name>-<arm>-<axis values>-s<seed>`, shortened by a
    digest where they would be too long. Raises `ProvenanceMismatch` when the group or a run of
    that name has another configuration, `ConfigError` for no members or equal ones.
    """
    made = plan_sweep(domain, points, name=name, preset=preset, experiment=experiment)
    store.create()
    return create_group(store, made)


def plan_sweep(
    domain: Domain,
    points: Sequence[Point],
    *,
    name: str | None = None,
    preset: str | None = None,
    experiment: str | None = None,
) -> GroupRecord:
    """The group that `create_sweep` writes down; writes nothing."""
    if not points:
        raise ConfigError("sweep: expected at least one member, got none")
    name = check_name(name or default_sweep_name(domain, points))
    members = tuple(
        new_record(
            run=_member_name(name, point),
            domain=domain.name,
            config=point.config,
            preset=preset,
            arm=point.arm,
            group=name,
            axes=dict(point.values),
        )
        for point in points
    )
    seen: dict[str, Point] = {}
    for member, point in zip(members, points, strict=True):
        if member.run in seen:
            raise ConfigError(
                f"sweep: expected different members, got {describe(point.values, point.arm)} and "
                f"{describe(seen[member.run].values, seen[member.run].arm)}, both {member.run!r}"
            )
        seen[member.run] = point
    return GroupRecord(
        group=name,
        domain=domain.name,
        preset=preset,
        experiment=experiment,
        axes=tuple(points[0].values),
        members=members,
    )


def _identity(point: Point) -> list[Any]:
    # The fingerprint alone leaves out what may be swept as well: the number of iterations.
    return [point.config.fingerprint, point.arm, [[*item] for item in point.values.items()]]


def _member_name(name: str, point: Point) -> str:
    """`<name>-<arm>-<values>-s<seed>`, or cut and with 8 hex where it is too long or unclear."""
    arm = point.arm or ""
    slugs = [_slug(key, value) for key, value in point.values.items() if key != "seed"]
    parts = [name, arm if NAME.fullmatch(arm) else _letters(arm), *(slug or "" for slug in slugs)]
    text, seed = "-".join(part for part in parts if part), f"-s{point.config.seed}"
    is_clear = parts[1] == arm and None not in slugs
    if is_clear and len(text + seed) <= LONGEST_NAME:
        return text + seed
    seed = f"-{digest_of(_identity(point))[:8]}{seed}"
    return text[: LONGEST_NAME - len(seed)].rstrip("-") + seed


def _slug(key: str, value: Any) -> str | None:
    """`q=0.1` as q0p1, `a.pool_size=16` as poolsize16; None where a name would be ambiguous."""
    short = _letters(key.rpartition(".")[2])
    if value is None or isinstance(value, bool):
        return short + str(value).lower()
    if isinstance(value, int | float):
        number = repr(value).removesuffix(".0")
        return short + number.replace(".", "p").replace("-", "m").replace("+", "")
    return short + value if isinstance(value, str) and WORD.fullmatch(value) else None


def _letters(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())
