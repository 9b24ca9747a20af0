"""Small sweeps for tests."""

from collections.abc import Mapping
from pathlib import Path

from data.store import RunRecord, Store
from flows.domain import Plain, find_domain, find_preset, merge
from flows.sweep import Axis, Point, create_sweep, points
from pluralist.listing import stage_digests

SMALL: Plain = {
    "iterations": 2,
    "num_candidates": 60,
    "selection": {"num_curated": 60},
    "evaluation": {"num_samples": 40},
}
NUM_PLACES = 2 + 5 * 2


def small_points(
    axes: list[Axis], changes: Plain | None = None, arms: Mapping[str, Plain] | None = None
) -> list[Point]:
    """Members of a sweep over small smoke runs."""
    domain = find_domain("gmm")
    base = find_preset(domain, "smoke").base().model_dump(mode="json")
    return points(domain, merge(merge(base, SMALL), changes or {}), axes, arms or {})


def make_sweep(
    root: Path, axes: list[Axis], name: str = "swept", changes: Plain | None = None
) -> tuple[Store, list[RunRecord]]:
    """The store at `root` with the sweep `name` written down, not run."""
    store = Store(root)
    members = small_points(axes, changes)
    return store, create_sweep(store, find_domain("gmm"), members, name=name)


def digests(store: Store, records: list[RunRecord]) -> dict[str, dict[str, str]]:
    """Content digest of every committed place of every member."""
    return {
        record.run: {str(place): digest for place, digest in stage_digests(store, record)}
        for record in records
    }
