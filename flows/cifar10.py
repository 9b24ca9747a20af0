"""Domain `cifar10`: OT-CFM retrained on the images that class preferences choose (E3).

Presets differ in scale: the paper's CIFAR-10 with its U-Net, a smaller one for a single GPU, real
CIFAR-10 made small for two cores, and scikit-learn's digits, which need no download.
"""

from collections.abc import Sequence
from typing import Any

from prefect import flow

from data.errors import ConfigError
from data.image_data import Cifar10Data, DigitsData
from flows.domain import Domain, Plain, Preset, merge
from flows.prefect_rounds import prefect_rounds
from generators.ot_cfm_config import (
    MlpField,
    OtCfmConfig,
    Refit,
    Sampler,
    Training,
    UNetField,
)
from generators.ot_cfm_initial import OtCfmInitial
from rewards.class_probability import ClassProbabilityConfig
from rewards.classifier_config import ClassifierConfig
from tasks.selection import SelectionConfig
from tasks.settings import EvaluationConfig, RunConfig, RuntimeConfig

PAIR = (0, 1)


def class_rewards(classes: Sequence[int], gamma: float = 5.0) -> tuple[ClassProbabilityConfig, ...]:
    """One reward a class, of equal weight, called after it."""
    return tuple(
        ClassProbabilityConfig(
            name=f"class-{index}", class_index=index, gamma=gamma, weight=1 / len(classes)
        )
        for index in classes
    )


def paper() -> RunConfig:
    """E3: 25 rounds of 50,000 images of the 35.7 M U-Net, 2,500 winners of pools of four."""
    return RunConfig(
        domain="cifar10",
        iterations=25,
        num_candidates=50_000,
        generator=OtCfmConfig(),
        initial=OtCfmInitial(data=Cifar10Data()),
        rewards=class_rewards(PAIR),
        selection=SelectionConfig(scheme="disjoint", pool_size=4, num_curated=2_500),
        classifier=ClassifierConfig(architecture="vgg11-bn", data=Cifar10Data()),
        evaluation=EvaluationConfig(num_samples=10_000),
        runtime=RuntimeConfig(device="cuda", batch_size=1_000, shard_rows=5_000),
    )


def gpu_small() -> RunConfig:
    """E3 meant for an hour of one GPU, not timed yet: 9 M parameters, 15 rounds of 10,000."""
    base = paper()
    data = Cifar10Data()
    return base.model_copy(
        update={
            "iterations": 15,
            "num_candidates": 10_000,
            "generator": OtCfmConfig(
                field=UNetField(channels=64),
                coupling="assignment",
                refit=Refit(num_steps=300),
                sampler=Sampler(method="euler", num_steps=50),
            ),
            "initial": OtCfmInitial(
                data=data, pretraining=Training(num_steps=40_000, average_decay=0.9995)
            ),
            "classifier": ClassifierConfig(architecture="resnet20", data=data, num_epochs=60),
            "evaluation": EvaluationConfig(num_samples=5_000),
        }
    )


def cpu_mini() -> RunConfig:
    """Real CIFAR-10 at 16 x 16 on two cores in under half an hour: a small U-Net, 4 rounds."""
    data = Cifar10Data(size=16, per_class=1_000)
    return RunConfig(
        domain="cifar10",
        iterations=4,
        num_candidates=400,
        generator=OtCfmConfig(
            field=UNetField(
                channels=32, num_res_blocks=1, channel_mult=(1, 2), attention_resolutions=(8,),
                num_head_channels=32,
            ),
            coupling="assignment",
            refit=Refit(num_steps=30, batch_size=32),
            sampler=Sampler(method="midpoint", num_steps=6, batch_size=100),
        ),
        initial=OtCfmInitial(
            data=data,
            pretraining=Training(
                num_steps=1_500, batch_size=32, learning_rate=1e-3, warm_up=100,
                average_decay=0.995, checkpoint_every=100,
            ),
        ),
        rewards=class_rewards(PAIR),
        selection=SelectionConfig(scheme="disjoint", pool_size=4, num_curated=100),
        classifier=ClassifierConfig(
            architecture="small-cnn", data=data, num_epochs=10, checkpoint_every=1
        ),
        evaluation=EvaluationConfig(num_samples=400),
        runtime=RuntimeConfig(threads=2, batch_size=200, shard_rows=200),
    )  # fmt: skip


def digits() -> RunConfig:
    """E3 on real 8 x 8 digits without a download: a 0.6 M field, 25 rounds of half a second.

    A slow refit (learning rate 5e-5) and 16 evaluations a sample: with a faster one, or half as
    many, images blur round by round whatever is preferred.
    """
    return RunConfig(
        domain="cifar10",
        iterations=25,
        num_candidates=1_000,
        generator=OtCfmConfig(
            field=MlpField(),
            coupling="assignment",
            refit=Refit(num_steps=50, learning_rate=5e-5),
            sampler=Sampler(method="midpoint", num_steps=8),
        ),
        initial=OtCfmInitial(
            data=DigitsData(),
            pretraining=Training(
                num_steps=6_000, learning_rate=2e-3, warm_up=100, flip=False, average_decay=0.999,
                checkpoint_every=1_000,
            ),
        ),
        rewards=class_rewards(PAIR),
        selection=SelectionConfig(scheme="disjoint", pool_size=4, num_curated=200),
        classifier=ClassifierConfig(architecture="small-cnn", data=DigitsData()),
        evaluation=EvaluationConfig(num_samples=1_000),
    )  # fmt: skip


def expand(raw: Plain) -> Plain:
    """Resolve the short keys `data`, `classes` and `gamma`.

    `data` is laid over that of p_0 and of the classifier, `classes` makes one reward of equal
    weight a class, `gamma` is the strength of every class reward. A classifier without data has
    that of p_0. Raises `ConfigError` for values they cannot have.
    """
    rest = {key: value for key, value in raw.items() if key not in ("data", "classes", "gamma")}
    initial, classifier = rest.get("initial"), rest.get("classifier")
    if isinstance(classifier, dict) and isinstance(initial, dict) and "data" in initial:
        rest["classifier"] = {"data": initial["data"], **classifier}
    if "data" in raw:
        for owner in ("initial", "classifier"):
            if isinstance(rest.get(owner), dict):
                rest[owner] = merge(rest[owner], {"data": raw["data"]})
    rewards = rest.get("rewards")
    if "classes" in raw:
        rewards = [one.model_dump(mode="json") for one in class_rewards(_classes(raw["classes"]))]
    if "gamma" in raw and isinstance(rewards, list):
        chosen = {"gamma": raw["gamma"]}
        rewards = [
            one | chosen if one.get("kind") == "class-probability" else one for one in rewards
        ]
    return rest if rewards is None else rest | {"rewards": rewards}


def _classes(given: Any) -> list[int]:
    known = isinstance(given, list) and all(type(index) is int for index in given)
    if not known or not given or len(set(given)) < len(given):
        raise ConfigError(f"classes: expected different class numbers as a list, got {given!r}")
    return list(given)


@flow(name="cifar10", flow_run_name="{run}", persist_result=False, validate_parameters=False)
def cifar10(store: str, run: str) -> None:
    """Run or resume the image run `run` of the store at `store`."""
    prefect_rounds(store, run)


DOMAIN = Domain(
    name="cifar10",
    presets={
        "paper": Preset(
            base=paper,
            meaning="E3 at the paper's scale: CIFAR-10, 35.7 M parameters, a GPU for days",
            arms={"balanced": {}, "single": {"q": 1.0}},
        ),
        "gpu-small": Preset(
            base=gpu_small,
            meaning="E3 on CIFAR-10 with a smaller U-Net, meant for an hour of one GPU",
            arms={"balanced": {}, "single": {"q": 1.0}},
        ),
        "cpu-mini": Preset(
            base=cpu_mini,
            meaning="real CIFAR-10 at 16 x 16, a small U-Net, two cores, under half an hour",
        ),
        "digits": Preset(
            base=digits,
            meaning="real 8 x 8 digits, no download, two minutes",
            arms={"balanced": {"classes": [0, 1, 2, 3, 4]}, "single": {"classes": [0]}},
        ),
    },
    flow=cifar10,
    expand=expand,
)
