"""Numerics classes: recorded as they were, never mixed silently."""

import pytest

from data import numerics
from data.errors import ProvenanceMismatch
from flows.creation import check_numerics
from flows.domain import find_domain
from flows.fork import fork_run
from flows.rounds import rounds
from tasks.context import RunContext
from tasks.places import Place, all_places
from tasks.settings import parse_config
from tests.flows.conftest import MakeRun

OTHER = "another processor"


@pytest.fixture
def other_machine(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Call `setattr` of the returned patch to become another machine."""
    return monkeypatch


def become_another(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(numerics, "_processor", lambda: OTHER)


def test_stages_record_the_machine_that_computed_them(
    make_run: MakeRun, other_machine: pytest.MonkeyPatch
) -> None:
    context = make_run()
    become_another(other_machine)
    config = {**context.record.config, "iterations": 4}
    longer = context.record.model_copy(update={"config": config})
    context.store.update_run(longer)
    with pytest.raises(ProvenanceMismatch, match=f"this machine is (.|\n)*-> {OTHER}"):
        check_numerics(context.store, longer)
    marked = check_numerics(context.store, longer, accept=True)
    rounds(RunContext(context.store, marked))
    models = {
        place: RunContext(context.store, marked).open_place(place).manifest.numerics["device_model"]
        for place in all_places(4)
    }
    assert models[Place(2, "evaluate")] != OTHER
    assert models[Place(3, "sample")] == OTHER


def test_a_fork_on_another_machine_computes_everything_itself(
    make_run: MakeRun, other_machine: pytest.MonkeyPatch
) -> None:
    origin = make_run("origin")
    become_another(other_machine)
    raw = find_domain("gmm").expand({**origin.record.config, "evaluation": {"num_samples": 50}})
    record = fork_run(origin.store, origin.record, parse_config(raw), name="child")
    with pytest.raises(ProvenanceMismatch, match="the initial model is in another numerics class"):
        check_numerics(origin.store, record)
    child = RunContext(origin.store, check_numerics(origin.store, record, accept=True))
    rounds(child)
    for place in all_places(3):
        manifest = child.open_place(place).manifest
        assert manifest.reused_from is None
        assert (manifest.numerics["device_model"] == OTHER) == (place.stage != "initial")


def test_a_run_does_not_share_an_initial_model_of_another_class_unasked(
    make_run: MakeRun, other_machine: pytest.MonkeyPatch
) -> None:
    make_run("here")
    become_another(other_machine)
    with pytest.raises(ProvenanceMismatch, match="computed in another numerics class"):
        make_run("there")


def test_the_initial_model_records_its_own_seed(make_run: MakeRun) -> None:
    context = make_run(changes={"seed": 5, "initial": {"seed": 3}})
    assert context.open_place(Place(None, "initial")).manifest.seed == 3
    assert context.open_place(Place(0, "sample")).manifest.seed == 5
