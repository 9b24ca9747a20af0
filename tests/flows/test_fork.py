"""Forks of runs of another release, in which a stage had another version."""

import pytest

from data.errors import ConfigError, ProvenanceMismatch
from data.store import RunRecord
from flows.creation import find_records
from flows.fork import fork_group, fork_run, other_release
from flows.rounds import rounds
from tasks.context import RunContext
from tasks.places import STAGE_VERSIONS, Place, all_places
from tasks.settings import RunConfig, parse_config
from tests.flows.conftest import MakeRun, paper_arms

CHEAP = {"iterations": 2, "num_candidates": 60, "evaluation": {"num_samples": 50}}


@pytest.fixture
def before(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Until undone, the release before, whose evaluations were of version 1."""
    monkeypatch.setitem(STAGE_VERSIONS, "evaluate", 1)
    return monkeypatch


def same(record: RunRecord) -> RunConfig:
    return parse_config(record.config)


def test_an_unchanged_fork_of_the_release_before_recomputes_evaluate_alone(
    make_run: MakeRun, before: pytest.MonkeyPatch
) -> None:
    old = make_run("old")
    before.undo()
    assert other_release(old.store, old.record) == ["evaluate"]
    child = RunContext(old.store, fork_run(old.store, old.record, old.config))
    assert rounds(child) == 4, "p_0 .. p_3 are evaluated anew"
    for place in all_places(3):
        if place.stage != "initial":
            reused_from = child.open_place(place).manifest.reused_from
            assert reused_from == (None if place.stage == "evaluate" else "old")
    assert other_release(old.store, child.record) == []


def test_resuming_a_run_of_the_release_before_names_the_command_that_forks_it(
    make_run: MakeRun, before: pytest.MonkeyPatch
) -> None:
    old = make_run("old")
    before.undo()
    with pytest.raises(ProvenanceMismatch, match=r"pluralist fork old --store \S+/store$"):
        rounds(RunContext(old.store, old.record))


def test_the_same_fork_again_is_the_same_run(make_run: MakeRun, before: pytest.MonkeyPatch) -> None:
    old = make_run("old")
    before.undo()
    first, again = (fork_run(old.store, old.record, old.config) for _ in range(2))
    assert first.run == again.run


def test_a_group_of_the_release_before_is_forked_as_a_group(
    make_run: MakeRun, before: pytest.MonkeyPatch
) -> None:
    store = make_run("other", run=False).store
    arms = paper_arms(store, "pair", CHEAP)
    before.undo()
    group = store.find_group("pair")
    assert group is not None
    with pytest.raises(ProvenanceMismatch, match=r"pluralist fork pair --store"):
        rounds(RunContext(store, arms["single"].record))
    members = find_records(store, "pair")
    forks = fork_group(store, group, members, same, name="new")
    assert [one.run for one in forks] == ["new-pluralistic-s0", "new-single-s0"]
    assert [one.arm for one in forks] == ["pluralistic", "single"]
    assert [rounds(RunContext(store, one)) for one in forks] == [3, 3]
    sample = RunContext(store, forks[0]).open_place(Place(1, "sample"))
    assert sample.manifest.reused_from == "pair-pluralistic-s0"
    made = store.find_group("new")
    assert made is not None
    assert made.experiment == "E1"


def test_a_group_of_this_release_is_not_forked_unchanged(make_run: MakeRun) -> None:
    store = make_run("other", run=False).store
    paper_arms(store, "pair", CHEAP)
    group = store.find_group("pair")
    assert group is not None
    with pytest.raises(ConfigError, match="expected a changed configuration, got that of 'pair'"):
        fork_group(store, group, find_records(store, "pair"), same)
