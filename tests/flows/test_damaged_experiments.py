"""One metrics file of every experiment damaged after a good small reproduction of the real loop."""

import dataclasses
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from data.errors import CorruptArtifact
from data.store import Store
from flows.creation import find_records
from flows.experiment import Experiment
from flows.transition import GAMMAS, REFERENCE, critical_distance
from tasks.claims import HOLDS, VIOLATED, VOID
from tasks.context import RunContext
from tasks.places import evaluation_place
from tests.flows.small_studies import cheap, make, small, with_study
from tests.flows.test_e1 import replace_metrics

# Each makes up to 32 runs of the real loop in two processes.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

POOL = "selection.pool_size"
FIRST, SECOND = "quadratic-1", "quadratic-2"
BUMP = "gaussian-bump-1"
# Distances in units of D_c, below and above the transition, as few as can be judged.
ORDERED = (0.0, 0.5, 1.0, 1.375, 2.5, REFERENCE)
LEAKING = (0.0, 0.75, 1.25, 2.5, REFERENCE)


def small_transition(name: str, scaled: Sequence[float]) -> Experiment:
    experiment = small(name, cheap(400, 18), {"seed": [0]})
    study = experiment.study(True)
    blocks = []
    for block in study.blocks:
        unit = critical_distance(GAMMAS[str(block.arm)])
        axes = {**block.axes, "distance": [round(one * unit, 6) for one in scaled]}
        blocks.append(dataclasses.replace(block, axes=axes))
    return with_study(experiment, dataclasses.replace(study, blocks=tuple(blocks)))


SMALL = {
    "e1": lambda: small("e1", cheap(300, 12), {"seed": [0, 1]}),
    "e2": lambda: small_transition("e2", ORDERED),
    "e5": lambda: small("e5", cheap(400, 12), {"seed": [0, 1]}),
    "e6": lambda: small("e6", cheap(400, 20), {"seed": [0, 1]}),
    "e7": lambda: small_transition("e7", ORDERED),
    "e8": lambda: small_transition("e8", LEAKING),
    "forecast": lambda: small(
        "forecast", cheap(1000, 20), {"seed": [0, 1], "q": [0.3, 0.7], POOL: [4, 2]}
    ),
    "c9": lambda: small("c9", {}),
}


class Wrong(NamedTuple):
    """Metrics put into the last model of the first run of which `where` is true."""

    where: dict[str, Any]
    metrics: dict[str, float]
    verdict: str = VIOLATED


FAR = {"arm": "gamma-1", "distance": 6.0}
NAN = float("nan")
WRONG = {
    "e1": [
        Wrong({"arm": "single"}, {f"reward_var.{FIRST}": 50.0}),
        Wrong({"arm": "pluralistic"}, {"component_weight.0": 0.9, "component_weight.1": 0.1}),
        Wrong({"arm": "pluralistic"}, {f"reward_var.{SECOND}": NAN}, VOID),
    ],
    "e2": [
        Wrong(FAR, {"order_parameter_squared": 0.0}),
        Wrong(FAR, {"order_parameter_squared": NAN}, VOID),
    ],
    "e5": [
        Wrong({"q": 0.1}, {"component_weight.0": 0.9}),
        Wrong({"q": 0.9}, {f"reward_var.{FIRST}": 0.01}),
        Wrong({"q": 0.9}, {f"reward_var.{FIRST}": NAN}, VOID),
    ],
    "e6": [
        Wrong({"q": 0.7, POOL: 2}, {f"basin_mass.{FIRST}": 0.5}),
        Wrong({"q": 0.7, POOL: None}, {f"basin_mass.{FIRST}": 1.0}),
        Wrong({"q": 0.5, POOL: 32}, {f"reward_var.{FIRST}": NAN}, VOID),
    ],
    "e7": [
        Wrong({**FAR, "arm": "gamma-2", "distance": 4.242641}, {"order_parameter_squared": 0.1}),
        Wrong(FAR, {f"reward_var.{FIRST}": NAN}, VOID),
    ],
    "e8": [
        Wrong(FAR, {f"leakage.{FIRST}.{SECOND}": 0.5}),
        Wrong(FAR, {f"leakage.{FIRST}.{SECOND}": NAN}, VOID),
    ],
    "forecast": [
        Wrong({"q": 0.7, POOL: 2}, {f"basin_mass.{FIRST}": 0.5}),
        Wrong({"q": 0.3, POOL: 4}, {f"basin_mass.{FIRST}": 0.9}),
        Wrong({"q": 0.3, POOL: 4}, {f"basin_mass.{FIRST}": NAN}, VOID),
    ],
    "c9": [
        Wrong({"distance": 6.0, "q": 0.25}, {f"high_reward_mass.{BUMP}": 0.5}),
        Wrong({"distance": 2.0, "q": 0.4}, {"outside_mass": NAN}, VOID),
    ],
}


class Good(NamedTuple):
    """An experiment that holds, in the store of a folder."""

    experiment: Experiment
    root: Path
    group: str


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Good]:
    """Good reproductions by name, made when first asked for."""
    return {}


@pytest.fixture(params=SMALL)
def good(
    request: pytest.FixtureRequest,
    made: dict[str, Good],
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[str, Good]:
    """Each experiment reproduced once, all in one store."""
    name = request.param
    root = next(iter(made.values())).root if made else tmp_path_factory.mktemp("good")
    if name not in made:
        experiment = SMALL[name]()
        found = make(root, experiment)
        assert found.verdict == HOLDS, found.claims
        assert found.failed == []
        made[name] = Good(experiment, root, found.group)
    return name, made[name]


def test_a_flipped_byte_never_ends_in_a_verdict_that_holds(good: tuple[str, Good]) -> None:
    name, one = good
    context = chosen(one, WRONG[name][0].where)
    place = evaluation_place(context.config.iterations)
    path = context.open_place(place).path("metrics.parquet")
    content = path.read_bytes()
    try:
        for position in (4, len(content) // 3, len(content) // 2, len(content) - 9):
            damaged = bytearray(content)
            damaged[position] ^= 4
            path.write_bytes(damaged)
            with pytest.raises(CorruptArtifact, match=r"metrics\.parquet: sha256 expected"):
                make(one.root, one.experiment, output="damaged")
    finally:
        path.write_bytes(content)
    assert not (one.root / "damaged" / f"{name}.md").exists()


def test_other_metrics_committed_in_all_order_turn_the_verdict(good: tuple[str, Good]) -> None:
    name, one = good
    for wrong in WRONG[name]:
        context = chosen(one, wrong.where)
        folder = context.folder(evaluation_place(context.config.iterations))
        kept = one.root / "kept"
        shutil.copytree(folder, kept)
        replace_metrics(context, context.config.iterations, wrong.metrics)
        found = make(one.root, one.experiment, output="wrong")
        shutil.rmtree(folder)
        kept.rename(folder)
        assert found.verdict == wrong.verdict, (wrong, found.claims)
    assert make(one.root, one.experiment, output="again").verdict == HOLDS


def chosen(one: Good, where: dict[str, Any]) -> RunContext:
    """The first run of the group with this arm and these axes."""
    store = Store(one.root / "store")
    for record in find_records(store, one.group):
        present = {"arm": record.arm, **record.axes}
        if all(present[key] == value for key, value in where.items()):
            return RunContext(store, record)
    raise AssertionError(where)
