"""Experiment E1: plural curation keeps both modes, a single reward collapses the model."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from data.commit import Attempt
from data.errors import CorruptArtifact
from data.quarantine import quarantine
from data.schemas import METRICS, PREDICTIONS
from data.store import Store
from flows.results import Summary, metrics_of, summarise
from tasks.context import RunContext
from tasks.places import evaluation_place
from tests.flows.conftest import paper_arms

SEEDS = range(20)


def summary_of(store: Store, arms: dict[str, RunContext], folder: Path) -> Summary:
    return summarise(
        store, [context.record for context in arms.values()], folder=folder, experiment="E1"
    )


def replace_metrics(context: RunContext, k: int, changes: dict[str, float]) -> None:
    """Commit other metrics in the place of those of p_k, seals and digests all in order."""
    place = evaluation_place(k)
    old = context.open_place(place)
    metrics = metrics_of(context, k) | changes
    predictions, samples = old.table("predictions.parquet"), old.table("samples.parquet")
    quarantine(context.folder(place))
    with Attempt(context.folder(place)) as attempt:
        rows = {"metric": list(metrics), "value": list(metrics.values())}
        attempt.write_table("metrics.parquet", pa.table(rows), METRICS)
        attempt.write_table("predictions.parquet", predictions, PREDICTIONS)
        attempt.write_table("samples.parquet", samples, samples.schema)
        attempt.publish(
            run=context.run, iteration=k - 1, stage="evaluate", fingerprint=old.fingerprint
        )


@pytest.mark.slow  # 40 runs of 30 iterations
@pytest.mark.timeout(600)
def test_e1_holds_for_twenty_seeds(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    verdicts = {}
    for seed in SEEDS:
        arms = paper_arms(store, f"seed-{seed}", {"seed": seed})
        verdicts[seed] = summary_of(store, arms, tmp_path / f"seed-{seed}").verdict
    assert verdicts == dict.fromkeys(SEEDS, "holds")
    assert len(list((store.root / "initial").iterdir())) == 1, "p_0 is shared by all"


@pytest.mark.slow  # 8 runs of 30 iterations
def test_one_reward_a_round_collapses_the_model(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    changes = {"selection": {"active_reward": "per-round"}}
    for seed in range(4):
        arms = paper_arms(store, f"seed-{seed}", {"seed": seed, **changes})
        plural = metrics_of(arms["pluralistic"], 30)
        weights = [plural[f"component_weight.{i}"] for i in range(2)]
        masses = [plural[f"basin_mass.quadratic-{i}"] for i in (1, 2)]
        assert min(masses) < 0.05, f"all mass in one basin, weights {weights}"
        assert summary_of(store, arms, tmp_path / f"seed-{seed}").verdict == "violated"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, dict[str, RunContext]]:
    store = Store(tmp_path_factory.mktemp("e1") / "store")
    return store, paper_arms(store, "e1", {})


def test_predictions_stand_beside_every_model(
    finished: tuple[Store, dict[str, RunContext]],
) -> None:
    _, arms = finished
    for context in arms.values():
        for k in range(31):
            table = context.open_place(evaluation_place(k)).table("predictions.parquet")
            assert {"reward_mean.quadratic-1", "reward_var.quadratic-2"} <= set(
                table["quantity"].to_pylist()
            )
            assert np.isfinite(table["predicted"].to_numpy()).all()
        verdicts = dict(
            zip(table["quantity"].to_pylist(), table["verdict"].to_pylist(), strict=True)
        )
        if context.record.arm == "single":
            # Its second basin is empty, which is what collapse means.
            assert verdicts.pop("basins") == "assumption not met"
        assert set(verdicts.values()) == {"holds"}


def test_summarising_again_gives_the_same_files(
    finished: tuple[Store, dict[str, RunContext]], tmp_path: Path
) -> None:
    store, arms = finished
    first = summary_of(store, arms, tmp_path / "a")
    second = summary_of(store, arms, tmp_path / "b")
    assert first.verdict == second.verdict == "holds"
    assert [path.name for path in first.figures] == [
        "moments.png", "moments.svg", "points.png", "points.svg",
    ]  # fmt: skip
    assert first.results.read_bytes() == second.results.read_bytes()
    assert first.figures[0].read_bytes() == second.figures[0].read_bytes()


def test_a_damaged_metrics_file_gives_no_verdict(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    arms = paper_arms(store, "e1", {"iterations": 7})
    path = arms["pluralistic"].open_place(evaluation_place(7)).path("metrics.parquet")
    content = bytearray(path.read_bytes())
    content[200] ^= 1
    path.write_bytes(content)
    fresh = {arm: RunContext(store, context.record) for arm, context in arms.items()}
    with pytest.raises(CorruptArtifact, match=r"metrics\.parquet: sha256 expected"):
        summary_of(store, fresh, tmp_path)


@pytest.mark.parametrize(
    ("arm", "changes", "verdict"),
    [
        ("pluralistic", {"reward_var.quadratic-2": 1.0}, "violated"),
        ("pluralistic", {"component_weight.0": 0.9}, "violated"),
        ("single", {"reward_var.quadratic-1": 50.0}, "violated"),
        ("single", {"reward_var.quadratic-1": float("nan")}, "void"),
    ],
)
def test_a_wrong_metrics_file_turns_the_verdict(
    arm: str, changes: dict[str, float], verdict: str, tmp_path: Path
) -> None:
    store = Store(tmp_path / "store")
    arms = paper_arms(store, "e1", {"iterations": 8})
    assert summary_of(store, arms, tmp_path).verdict == "holds"
    replace_metrics(arms[arm], 8, changes)
    fresh = {name: RunContext(store, context.record) for name, context in arms.items()}
    assert summary_of(store, fresh, tmp_path).verdict == verdict
