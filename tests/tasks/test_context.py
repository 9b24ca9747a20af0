"""What stages of an image run ask of it: one pass of the classifier, constants, numerics."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.compute import ONE_CPU_THREAD, Compute, compute
from data.errors import ConfigError
from rewards.classification import Classification
from rewards.classifier import Classifier
from tasks.context import RunContext
from tasks.places import Place, evaluation_place
from tasks.run_numerics import numerics_of
from tasks.stage import run_place
from tests.flows.conftest import MakeRun
from tests.flows.image_runs import create

FIVE = {"classes": [0, 1, 2, 3, 4]}


@pytest.fixture
def store(image_run: RunContext, tmp_path: Path) -> Path:
    """A copy of the store of the finished run: what runs share is there already."""
    return Path(shutil.copytree(image_run.store.root, tmp_path / "copied"))


@pytest.fixture
def classified(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Number of images of every call of the classifier."""
    counts: list[int] = []
    classify = Classifier.classify

    def counted(self: Classifier, images: Any) -> Classification:
        counts.append(len(images))
        return classify(self, images)

    monkeypatch.setattr(Classifier, "classify", counted)
    return counts


def test_the_classifier_sees_every_image_once_a_stage_however_many_rewards_ask(
    store: Path, classified: list[int]
) -> None:
    context = create(store, "five", FIVE)
    seen = {}
    for place in context.places():
        classified.clear()
        run_place(context, place)
        seen[str(place)] = list(classified)
    assert seen["initial/reference"] == seen["initial/constants"] == [], "shared, so not again"
    # 60 samples in batches of 16: for scores, basins and all metrics together.
    assert seen["initial/evaluate"] == [16, 16, 16, 12]
    assert seen["iteration-0000/draw"] == [16, 16, 8], "one call a shard of the 40 candidates"
    assert seen["iteration-0000/evaluate"] == [16, 16, 16, 12, 10], "and the 10 winners"
    for stage in ("sample", "select", "retrain"):
        assert seen[f"iteration-0001/{stage}"] == []


def test_more_batches_than_are_remembered_otherwise_are_still_seen_once(
    store: Path, classified: list[int]
) -> None:
    changes = {"runtime": {"batch_size": 3}, **FIVE}
    context = create(store, "small", changes)
    for place in context.places():
        classified.clear()
        run_place(context, place)
        if place == evaluation_place(0):
            break
    assert classified == [3] * 20


def test_standardised_scores_are_raw_ones_by_mean_and_deviation_of_p_0(
    image_run: RunContext, store: Path
) -> None:
    rewards = image_run.record.config["rewards"]
    rewards = [rewards[0], rewards[1] | {"standardise": True}, {"kind": "ink", "standardise": True}]
    context = create(store, "standardised", {"rewards": rewards})
    for place in context.places():
        run_place(context, place)
        if place == Place(0, "draw"):
            break
    constants = context.open_place(Place(None, "constants")).table("constants.parquet")
    assert constants["reward"].to_pylist() == ["class-1", "ink-3"]
    raw = image_run.open_place(Place(0, "draw")).table("scores.parquet")
    found = context.open_place(Place(0, "draw")).table("scores.parquet")
    assert found["class-0"].equals(raw["class-0"])
    mean, deviation = constants["mean"][0].as_py(), constants["deviation"][0].as_py()
    np.testing.assert_array_equal(
        found["class-1"].to_numpy(), (raw["class-1"].to_numpy() - mean) / deviation
    )
    means, deviations = context.constants
    assert means.tolist() == [0.0, *constants["mean"].to_pylist()]
    assert deviations.tolist() == [1.0, *constants["deviation"].to_pylist()]
    # gamma is the largest score of a class; standardised it moves like any score.
    np.testing.assert_allclose(context.suprema[:2], [5.0, (5.0 - mean) / deviation])


def test_scores_of_p_0_are_standard_up_to_the_samples(image_run: RunContext, store: Path) -> None:
    rewards = [one | {"standardise": True} for one in image_run.record.config["rewards"]]
    changes = {"rewards": rewards, "evaluation": {"num_samples": 2000}}
    context = create(store, "standard", changes)
    for place in context.places():
        if place.iteration is not None:
            break
        run_place(context, place)
    measured = context.open_place(evaluation_place(0)).table("metrics.parquet").to_pylist()
    values = {row["metric"]: row["value"] for row in measured}
    for name in ("class-0", "class-1"):
        # Mean and variance of 2,000 samples against those of 2,000 others.
        assert abs(values[f"reward_mean.{name}"]) < 5 * np.sqrt(2 / 2000)
        assert 0.6 < values[f"reward_var.{name}"] < 1.6


def test_runs_share_one_folder_each_of_all_that_does_not_depend_on_what_differs(
    image_run: RunContext, store: Path
) -> None:
    others = [
        create(store, "seed", {"seed": 3}),
        create(store, "weights", {"q": 0.9}),
        create(store, "classes", FIVE),
        create(store, "curated", {"selection": {"num_curated": 8}, "iterations": 1}),
    ]
    for place in image_run.places():
        folders = {one.folder(place) for one in others}
        shared = place.iteration is None and place.stage != "evaluate"
        assert len(folders) == (1 if shared else len(others))
    assert len(list((store / "initial").iterdir())) == 4
    for context in others:
        for stage in ("classifier", "initial", "reference", "constants"):
            assert run_place(context, Place(None, stage)).how == "reused"


def test_a_run_without_a_classifier_says_so(make_run: MakeRun) -> None:
    context = make_run(run=False)
    with pytest.raises(ConfigError, match="run 'first': expected a classifier of images, got none"):
        _ = context.classifier


def test_a_session_computes_where_the_run_says_and_ends_with_it(image_run: RunContext) -> None:
    import torch

    before = torch.are_deterministic_algorithms_enabled()
    with image_run.session():
        assert compute() == Compute("cpu", 1, deterministic=True)
        assert torch.are_deterministic_algorithms_enabled()
    assert compute() == ONE_CPU_THREAD
    assert torch.are_deterministic_algorithms_enabled() == before


def test_what_runs_share_is_accepted_whatever_the_other_rewards_computed_in(
    image_run: RunContext,
) -> None:
    shared = image_run.numerics_at(Place(None, "classifier"))
    own = image_run.numerics_at(Place(0, "draw"))
    assert own == image_run.record.numerics == numerics_of(image_run.config)
    assert image_run.accepts(shared) and image_run.accepts(own)
    assert not image_run.accepts(own | {"torch": "0.1"})
    assert not image_run.accepts(own | {"other library": "1"})
    assert not image_run.accepts(shared | {"threads": 2})
