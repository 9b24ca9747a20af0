"""Runs of images: presets, short keys, and what a whole tiny run leaves behind."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from data.errors import ConfigError
from data.store import Store
from flows.cifar10 import DOMAIN, cpu_mini, digits, expand, gpu_small, paper
from flows.domain import arm_configs, merge
from flows.results import summarise
from flows.rounds import is_complete
from generators.velocity_field import make_field
from rewards.classifier_config import ClassifierConfig
from rewards.ink import InkConfig
from tasks.context import RunContext
from tasks.places import evaluation_place
from tasks.settings import RunConfig, parse_config
from tests.flows.image_runs import run, tiny

PLACES = [
    "initial/classifier",
    "initial",
    "initial/reference",
    "initial/constants",
    "initial/evaluate",
    *(
        f"iteration-{t:04d}/{stage}"
        for t in range(2)
        for stage in ("sample", "draw", "select", "retrain", "evaluate")
    ),
]
MEASURED = (
    "class_entropy",
    "kl_to_uniform",
    "feature_variance",
    "intra_class_variance",
    "frechet_classifier",
    "precision",
    "recall",
    "tail_coverage",
    "num_classes_present",
    "num_parameters",
    "class_share.9",
    "reward_mean.class-0",
    "basin_mass.class-1",
)


def expanded(changes: dict[str, Any], base: RunConfig | None = None) -> RunConfig:
    return parse_config(expand(merge((base or digits()).model_dump(mode="json"), changes)))


def metrics(context: RunContext, k: int) -> dict[str, float]:
    rows = context.open_place(evaluation_place(k)).table("metrics.parquet").to_pylist()
    return {row["metric"]: row["value"] for row in rows}


def test_a_run_commits_its_places_in_order_and_the_manifests_name_the_stand_ins(
    image_run: RunContext,
) -> None:
    assert [str(place) for place in image_run.places()] == PLACES
    assert is_complete(image_run.store, image_run.record)
    for place in image_run.places():
        manifest = image_run.open_place(place).manifest
        assert [source.place for source in manifest.upstream] == [
            str(source) for source in image_run.upstream(place)
        ]
        assert len(manifest.stand_ins) == 4
        assert manifest.stand_ins[0].startswith("scikit-learn digits")
        shared = place.iteration is None and place.stage != "evaluate"
        assert (manifest.run is None) == shared, "what runs share is no run's own"


def test_every_model_is_measured_by_diversity_distance_and_leakage(image_run: RunContext) -> None:
    for k in range(3):
        measured = metrics(image_run, k)
        assert set(MEASURED) <= measured.keys()
        assert not any("fid" in name for name in measured), "no Inception, no FID"
        assert all(np.isfinite(value) for value in measured.values())
        shares = [value for name, value in measured.items() if name.startswith("class_share.")]
        assert sum(shares) == pytest.approx(1)
        assert measured["class_entropy"] + measured["kl_to_uniform"] == pytest.approx(np.log(10))
        outside = 1 - measured["basin_mass.class-0"] - measured["basin_mass.class-1"]
        assert outside == pytest.approx(
            1 - measured["class_share.0"] - measured["class_share.1"]
        ), "the basin of a class are the images of that likeliest class"
    assert {"leakage.class-0.outside", "leakage.class-1.outside"} <= metrics(image_run, 2).keys()


def test_the_samples_are_images_to_pandas_and_to_datasets(
    image_run: RunContext, tmp_path: Any
) -> None:
    import datasets

    (path,) = image_run.folder(evaluation_place(2)).rglob("samples.parquet")
    frame = pd.read_parquet(path)
    assert list(frame.columns) == ["image", "score.class-0", "score.class-1"]
    assert len(frame) == 60 and len(frame["image"][0]) == 64
    loaded = datasets.load_dataset("parquet", data_files=str(path), cache_dir=str(tmp_path))
    assert loaded["train"].num_rows == 60
    assert loaded["train"][3]["image"] == frame["image"][3]


def test_the_figures_are_a_grid_of_samples_and_curves_of_diversity(
    image_run: RunContext, tmp_path: Any
) -> None:
    found = summarise(image_run.store, [image_run.record], folder=tmp_path, experiment=None)
    assert sorted(path.name for path in found.figures) == [
        "diversity.png", "diversity.svg", "samples.png", "samples.svg",
    ]  # fmt: skip
    assert all(path.stat().st_size > 1000 for path in found.figures)


def test_a_finished_run_is_reused_as_a_whole(image_run: RunContext) -> None:
    before = {place: image_run.open_place(place).manifest_digest for place in image_run.places()}
    again = run(image_run.store.root)
    assert {place: again.open_place(place).manifest_digest for place in again.places()} == before


@pytest.mark.parametrize("preset", DOMAIN.presets)
def test_every_arm_of_every_preset_is_a_valid_configuration_of_the_size_it_says(
    preset: str,
) -> None:
    for arm, config in arm_configs(DOMAIN, DOMAIN.presets[preset], {}).items():
        assert config.classifier is not None
        assert config.classifier.data == config.initial.data  # type: ignore[attr-defined]
        assert sum(config.weights) == pytest.approx(1)
        if arm == "single":
            assert max(config.weights) == 1


def test_the_presets_are_of_the_scale_they_promise() -> None:
    sizes = {}
    for base in (paper, gpu_small, cpu_mini, digits):
        config = base()
        field = make_field(config.generator.field, config.initial.data.shape, seed=0)  # type: ignore[attr-defined]
        sizes[base.__name__] = sum(weight.numel() for weight in field.parameters())
    assert sizes["paper"] == 35_746_307
    assert 8e6 < sizes["gpu_small"] < 1e7
    assert sizes["cpu_mini"] < 2e6
    assert 0.5e6 < sizes["digits"] < 0.7e6
    assert (paper().runtime.device, gpu_small().runtime.device) == ("cuda", "cuda")
    assert (cpu_mini().runtime.device, digits().runtime.device) == ("cpu", "cpu")


def test_classes_make_one_reward_of_equal_weight_each_and_gamma_is_set_for_all() -> None:
    config = expanded({"classes": [3, 1, 4], "gamma": 2.5})
    assert config.reward_names == ["class-3", "class-1", "class-4"]
    assert config.weights == pytest.approx([1 / 3] * 3)
    assert [one.gamma for one in config.rewards] == [2.5] * 3  # type: ignore[attr-defined]


def test_gamma_leaves_rewards_of_other_kinds_alone() -> None:
    classes = digits().model_dump(mode="json")["rewards"]
    config = expanded({"rewards": [*classes, {"kind": "ink"}], "gamma": 7})
    assert [one.gamma for one in config.rewards] == [7, 7, InkConfig().gamma]  # type: ignore[attr-defined]


def test_data_is_that_of_p_0_and_of_the_classifier() -> None:
    data = {"per_class": 20, "origin": "parquet", "path": "somewhere"}
    config = expanded({"data": data}, cpu_mini())
    assert config.initial.data == config.classifier.data  # type: ignore[attr-defined,union-attr]
    assert config.initial.data.path == "somewhere"  # type: ignore[attr-defined]
    assert config.initial.data.size == 16, "what is not given stays"  # type: ignore[attr-defined]


def test_data_of_another_kind_keeps_nothing_of_the_old_one() -> None:
    changes = {"data": {"kind": "digits"}, "classifier": {"architecture": "small-cnn"}}
    unmirrored = {"initial": {"pretraining": {"flip": False}}}
    config = expanded(changes | unmirrored, gpu_small())
    assert config.initial.data.shape == (8, 8, 1)  # type: ignore[attr-defined]
    assert config.classifier == ClassifierConfig.model_validate(
        {"architecture": "small-cnn", "data": {"kind": "digits"}}
    ), "with the recipe of its own, not of the ResNet before"


@pytest.mark.parametrize("classes", [[], [1, 1], [True], 3, ["one"], None])
def test_classes_that_are_no_different_numbers_are_refused(classes: Any) -> None:
    with pytest.raises(ConfigError, match="classes: expected different class numbers as a list"):
        expanded({"classes": classes})


def test_pools_of_prompts_are_refused() -> None:
    with pytest.raises(ConfigError, match="without prompts, got 'grouped'; groups are"):
        expanded({"selection": {"scheme": "grouped", "pool_size": None}})


def test_one_weight_of_two_rewards_decides_both() -> None:
    assert expanded({"q": 0.8}, tiny()).weights == pytest.approx([0.8, 0.2])


def test_what_a_stand_in_is_is_written_down_with_the_run(image_run: RunContext) -> None:
    path = image_run.folder(evaluation_place(0)) / "manifest.json"
    written = json.loads(path.read_text())["stand_ins"]
    assert written == list(image_run.stand_ins)
    assert Store(image_run.store.root).run_names() == ["tiny"]
