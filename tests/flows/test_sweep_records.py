"""What a sweep writes down: its group, names that are readable, unique and stable."""

from pathlib import Path

import pytest

from data.errors import ConfigError, ProvenanceMismatch
from data.store import Store, check_name
from flows.creation import find_records
from flows.domain import find_domain
from flows.sweep import Axis, create_sweep, default_sweep_name, plan_sweep
from tests.flows.sweeps import make_sweep, small_points

GMM = find_domain("gmm")


def names(axes: list[Axis], name: str = "sw") -> list[str]:
    members = small_points(axes, {"selection": {"scheme": "fresh", "pool_size": 8}})
    return [record.run for record in plan_sweep(GMM, members, name=name).members]


def test_a_member_is_named_by_arm_axes_and_seed() -> None:
    members = small_points([Axis("q", (0.1,)), Axis("seed", (3,))], arms={"per-draw": {}})
    assert plan_sweep(GMM, members, name="sw").members[0].run == "sw-per-draw-q0p1-s3"
    assert names([Axis("selection.pool_size", (8, 16)), Axis("distance", (2, 1e-6, None))]) == [
        "sw-poolsize8-distance2-s0",
        "sw-poolsize8-distance1em06-s0",
        "sw-poolsize8-distancenone-s0",
        "sw-poolsize16-distance2-s0",
        "sw-poolsize16-distance1em06-s0",
        "sw-poolsize16-distancenone-s0",
    ]


def test_a_long_name_is_cut_and_stays_unique_by_a_digest() -> None:
    axes = [
        Axis("q", (0.123456789, 0.123456788)),
        Axis("selection.pool_size", (16,)),
        Axis("selection.temperature", (0.25,)),
        Axis("seed", (0, 2**63 - 1)),
    ]
    found = names(axes, "a-name-that-says-a-lot-about-itself")
    assert len(set(found)) == 4
    assert all(check_name(run) for run in found)
    assert all(run.startswith("a-name-that-says-a-lot") for run in found)
    assert found[0].endswith("-s0") and found[1].endswith(f"-s{2**63 - 1}")


def test_the_name_of_a_member_does_not_depend_on_the_other_members() -> None:
    few, many = ([Axis("q", (0.1, 0.3)[:number]), Axis("seed", (0,))] for number in (1, 2))
    assert names(many)[0] == names(few)[0]


def test_values_whose_names_would_be_unclear_get_a_digest() -> None:
    assert names([Axis("selection.scheme", ("fresh",))], "x")[0] == "x-schemefresh-s0"
    cases = names([Axis("case", ({"q": 0.1}, {"q": 0.2}))], "x")
    assert len(set(cases)) == 2
    assert all(len(case) == len("x-12345678-s0") for case in cases)
    arms = small_points([], arms={"A b": {}, "a B": {"q": 0.1}})
    assert len({member.run for member in plan_sweep(GMM, arms, name="x").members}) == 2


def test_the_same_call_again_finds_the_sweep(tmp_path: Path) -> None:
    axes = [Axis("q", (0.1, 0.5)), Axis("seed", (0, 1))]
    store, records = make_sweep(tmp_path, axes)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.json")}
    again = make_sweep(tmp_path, axes)[1]
    assert again == find_records(store, "swept")
    assert [record.run for record in again] == [record.run for record in records]
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.json")} == before
    group = store.find_group("swept")
    assert group is not None
    assert group.axes == ("q", "seed")
    assert [record.axes for record in records][1] == {"q": 0.1, "seed": 1}
    assert list(records[0].axes) == ["q", "seed"], "in the order of the axes"


def test_another_sweep_of_that_name_is_refused(tmp_path: Path) -> None:
    make_sweep(tmp_path, [Axis("seed", (0, 1))])
    message = (
        "group 'swept' exists with other runs: expected 3 of them, such as swept-s2, "
        "found 2, such as swept-s0, swept-s1; choose another --name"
    )
    with pytest.raises(ProvenanceMismatch, match=message):
        make_sweep(tmp_path, [Axis("seed", (0, 1, 2))])
    with pytest.raises(ProvenanceMismatch, match="num_candidates: 60 -> 61"):
        make_sweep(tmp_path, [Axis("seed", (0, 1))], changes={"num_candidates": 61})


def test_more_iterations_extend_every_member(tmp_path: Path) -> None:
    make_sweep(tmp_path, [Axis("seed", (0, 1))])
    _, records = make_sweep(tmp_path, [Axis("seed", (0, 1))], changes={"iterations": 5})
    assert [record.config["iterations"] for record in records] == [5, 5]


def test_the_default_name_is_made_from_all_members(tmp_path: Path) -> None:
    first, same, other = (small_points([Axis("q", values)]) for values in ((1,), (1,), (0,)))
    name = default_sweep_name(GMM, first)
    assert name.startswith("gmm-sweep-") and len(name) == len("gmm-sweep-") + 8
    assert default_sweep_name(GMM, same) == name != default_sweep_name(GMM, other)
    (record,) = create_sweep(Store(tmp_path), GMM, first)
    assert record.group == name


def test_no_members_and_equal_members_are_refused() -> None:
    with pytest.raises(ConfigError, match="expected at least one member, got none"):
        plan_sweep(GMM, [])
    members = small_points([Axis("q", (0.1,))])
    with pytest.raises(ConfigError, match="expected different members, got q=0.1 and q=0.1"):
        plan_sweep(GMM, members * 2)
