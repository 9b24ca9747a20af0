"""The real loop broken on purpose: the verdicts of E1 and E5 have to turn."""

import dataclasses
from pathlib import Path

import pytest

from data.store import Store
from flows.experiment import Block, Scale
from flows.reproduce import reproduce
from flows.sweep import run_sweep
from tasks.claims import VIOLATED, VOID, Claim
from tests.flows.small_studies import cheap, make, small, with_study

pytestmark = pytest.mark.slow  # each makes up to 10 runs of the real loop in two processes

SWAPPED = {
    "rewards": [
        {"kind": "quadratic", "centre": [x, 0.0], "gamma": 1.0, "weight": 0.5} for x in (3.0, -3.0)
    ]
}


def violated(found: list[Claim]) -> set[str]:
    return {claim.claim for claim in found if claim.verdict == VIOLATED}


def test_one_reward_a_round_turns_e1(tmp_path: Path) -> None:
    changes = cheap(300, 12)
    changes["selection"] |= {"active_reward": "per-round"}
    made = make(tmp_path, small("e1", changes, {"seed": [0, 1, 2]}))
    assert made.verdict == VIOLATED
    assert violated(made.claims) >= {
        "least Var[quadratic-1] / (gamma^2 d^4 / 4), plural",
        "least Var[quadratic-2] / (gamma^2 d^4 / 4), plural",
    }


def test_swapped_arms_turn_e1(tmp_path: Path) -> None:
    experiment = small("e1", cheap(300, 12), {"seed": [0, 1]})
    study = experiment.study(True)
    first, second = study.blocks
    swapped = (
        Block(first.axes, first.arm, second.changes),
        Block(second.axes, second.arm, first.changes),
    )
    made = make(tmp_path, with_study(experiment, dataclasses.replace(study, blocks=swapped)))
    assert made.verdict == VIOLATED
    assert "largest Var[r_1] single / least plural" in violated(made.claims)


def test_one_reward_a_round_turns_e5(tmp_path: Path) -> None:
    changes = cheap(300, 12)
    changes["selection"] |= {"active_reward": "per-round"}
    made = make(tmp_path, small("e5", changes, {"seed": [0, 1]}))
    assert made.verdict == VIOLATED
    assert "least Var[r_i] of any run" in violated(made.claims)


def test_swapped_rewards_turn_e5(tmp_path: Path) -> None:
    made = make(tmp_path, small("e5", cheap(300, 12) | SWAPPED, {"seed": [0, 1]}))
    assert made.verdict == VIOLATED
    assert violated(made.claims) == {
        *(f"|weight of mode 1 - q| at q = {q:g}" for q in (0.1, 0.3, 0.7, 0.9)),
        "Spearman of weight with q",
    }


def test_experiments_of_one_study_run_nothing_again(tmp_path: Path) -> None:
    computed = []

    def run_group(store: Store, group: str) -> list[str]:
        outcome = run_sweep(str(store.root), group, concurrency=2, prefect=False)
        computed.append(outcome.computed)
        return [run for run, _ in outcome.failed]

    made = [
        reproduce(
            Store(tmp_path / "store"),
            small(name, cheap(60, 6), {"seed": [0], "distance": [0.0]}),
            scale=Scale(quick=True),
            folder=tmp_path / "out",
            run_group=run_group,
        )
        for name in ("e2", "e7", "e8")
    ]
    assert len({one.group for one in made}) == 1
    assert [len(found) for found in computed] == [3, 0, 0]
    assert {one.verdict for one in made} == {VOID}, "one distance decides nothing"
