"""Numbers that break in an image run: it stops at once and what was good is kept."""

import json
import shutil
from pathlib import Path

import pytest

from data.errors import BadNumbers, ConfigError
from flows.fork import fork_run
from flows.rounds import rounds
from pluralist.verification import verify_run
from tasks.context import RunContext
from tasks.places import Place, evaluation_place
from tasks.settings import parse_config
from tests.flows.image_runs import Plain, create, run
from tests.flows.test_image_kill import committed

HUGE = 1e30


def store_of(image_run: RunContext, tmp_path: Path) -> Path:
    """A copy of the finished run's store: what runs share is there already."""
    return Path(shutil.copytree(image_run.store.root, tmp_path / "store"))


def failure(context: RunContext) -> Plain:
    written: Plain = json.loads(
        (context.store.run_folder(context.run) / "failure.json").read_text()
    )
    return written


def test_a_loss_that_is_not_finite_ends_the_refit_and_keeps_what_was_committed(
    image_run: RunContext, tmp_path: Path
) -> None:
    refit = {"learning_rate": HUGE, "warm_up": 3, "checkpoint_every": 1, "num_steps": 9}
    context = create(store_of(image_run, tmp_path), "broken", {"generator": {"refit": refit}})
    text = r"ot-cfm: expected a finite loss and gradient, got \S+ and norm \S+ in step \d of 9; low"
    with pytest.raises(BadNumbers, match=text):
        rounds(context)
    left = failure(context)
    assert (left["error"], left["exit_code"]) == ("BadNumbers", 4)
    assert "expected a finite loss" in left["message"]
    retrain = context.folder(Place(0, "retrain"))
    (checkpoint,) = retrain.glob("checkpoint-*/*/manifest.json")
    assert verify_run(context.store, context.record).problems == []
    assert context.find(Place(0, "select")) and not context.find(Place(0, "retrain"))
    before = checkpoint.read_bytes()
    with pytest.raises(BadNumbers, match=text):
        rounds(RunContext(context.store, context.record))
    assert checkpoint.read_bytes() == before, "calling again goes on from it, to the same end"

    # A fork with a mended configuration takes over all that was good.
    plain = {**context.record.config, "generator": image_run.record.config["generator"]}
    record = fork_run(context.store, context.record, parse_config(plain), name="mended")
    rounds(RunContext(context.store, record))
    assert not (context.store.run_folder("mended") / "failure.json").exists()


@pytest.mark.parametrize(
    ("changes", "text", "place"),
    [
        (
            {"initial": {"pretraining": {"learning_rate": HUGE, "num_steps": 9}}},
            "ot-cfm: expected a finite loss and gradient",
            Place(None, "initial"),
        ),
        (
            {"classifier": {"learning_rate": HUGE}},
            "classifier small-cnn: expected a finite loss",
            Place(None, "classifier"),
        ),
        (
            {"rewards": [{"kind": "symmetry", "gamma": 1e-320, "standardise": True}]},
            "reward 'symmetry-1': expected scores of p_0 that differ",
            Place(None, "constants"),
        ),
    ],
    ids=["initial", "classifier", "constants"],
)
def test_a_shared_stage_that_breaks_is_not_committed_and_the_failure_is_written(
    image_run: RunContext, tmp_path: Path, changes: Plain, text: str, place: Place
) -> None:
    context = create(store_of(image_run, tmp_path), "broken", changes)
    with pytest.raises(BadNumbers, match=text):
        rounds(context)
    assert failure(context)["exit_code"] == 4
    assert context.find(place) is None
    assert verify_run(context.store, context.record).problems == []
    assert committed(context.store.root) == committed(image_run.store.root)


def test_a_reward_that_is_the_same_for_all_samples_cannot_be_standardised(
    image_run: RunContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import numpy as np

    from rewards.ink import InkReward

    monkeypatch.setattr(InkReward, "__call__", lambda _self, rows: np.full(rows.num_rows, 0.1))
    rewards = [{"kind": "ink", "standardise": True}]
    context = create(store_of(image_run, tmp_path), "constant", {"rewards": rewards})
    text = (
        "reward 'ink-1': expected scores of p_0 that differ, got 2000 equal ones; it cannot be "
        "standardised and prefers nothing"
    )
    with pytest.raises(BadNumbers, match=text):
        rounds(context)


def test_a_class_that_nothing_is_taken_for_is_no_error_and_counted(image_run: RunContext) -> None:
    rows = image_run.open_place(evaluation_place(2)).table("metrics.parquet").to_pylist()
    measured = {row["metric"]: row["value"] for row in rows}
    shares = [value for name, value in measured.items() if name.startswith("class_share.")]
    assert 0 in shares, "of ten classes of 60 samples of a model that learnt nothing"
    assert measured["num_classes_present"] == sum(share > 0 for share in shares) < 10
    assert measured["intra_class_variance"] > 0


def test_weights_that_lack_tensors_are_refused_before_anything_else(
    image_run: RunContext, tmp_path: Path
) -> None:
    import hashlib

    import torch

    state = image_run.classifier._network.state_dict()
    dropped = sorted(state)[0]
    path = tmp_path / "classifier.pt"
    torch.save({name: value for name, value in state.items() if name != dropped}, path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    weights = {"weights": str(path), "weights_sha256": digest}
    context = create(store_of(image_run, tmp_path), "lacking", {"classifier": weights})
    with pytest.raises(ConfigError, match=f"of this network in .*, got missing: {dropped}; use"):
        rounds(context)
    assert failure(context)["exit_code"] == 2


def test_imported_weights_are_a_classifier_like_a_trained_one(
    image_run: RunContext, tmp_path: Path
) -> None:
    import hashlib

    import torch

    path = tmp_path / "classifier.pt"
    torch.save(image_run.classifier._network.state_dict(), path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    weights = {"weights": str(path), "weights_sha256": digest}
    imported = run(store_of(image_run, tmp_path), "imported", {"classifier": weights})
    assert imported.classifier.test_accuracy == image_run.classifier.test_accuracy
    for t in range(2):
        for stage in ("sample", "draw", "select", "retrain", "evaluate"):
            ours, theirs = (
                one.open_place(Place(t, stage)).content_digest for one in (imported, image_run)
            )
            assert ours == theirs, "it says the same of every image"


@pytest.mark.slow  # processes that import the loop
@pytest.mark.parametrize("workers", [2, 4])
def test_the_digests_are_the_same_however_many_processes_share_the_shards(
    image_run: RunContext, tmp_path: Path, workers: int
) -> None:
    shared = run(tmp_path, changes={"runtime": {"shard_workers": workers}})
    assert shared.record.config_fingerprint == image_run.record.config_fingerprint
    assert committed(tmp_path) == committed(image_run.store.root)
