"""Three named rewards one by one, in equal pairs and all together (paper, section C.8)."""

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from flows.arms import draw_arms, moments, table_of_arms
from flows.experiment import Block, Frame, Study, last_values
from flows.image_values import distance_measured
from rewards.registry import RewardConfig
from tasks.claims import Claim, judge
from tasks.seed_values import largest_of, least_of, mean_of, ratio
from tasks.settings import RunConfig

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FloatArray = npt.NDArray[np.float64]
ALL = "all-three"
KINDS = {1: "single rewards", 2: "pairs", 3: "all three"}
# Rewards an arm mixes; every arm scores all three.
Mixture = tuple[int, ...]


def seven_arms(names: Sequence[str]) -> dict[str, Mixture]:
    """Name and rewards of the arms: three single ones, three pairs, all three."""
    mixtures = [mix for size in (1, 2, 3) for mix in itertools.combinations(range(3), size)]
    return {
        ALL if len(mix) == 3 else "-".join(names[index] for index in mix): mix for mix in mixtures
    }


def seven_study(
    name: str, base: RunConfig, rewards: Sequence[RewardConfig], *, seeds: int
) -> Study:
    """The base with three rewards of different names, mixed equally in seven ways."""
    assert len(rewards) == 3
    three = base.model_copy(update={"rewards": tuple(rewards)})
    # Weights alone: what the rewards are, and where their files lie, is the base's.
    blocks = [
        Block(
            {"seed": range(seeds)},
            arm,
            {"weights": [1 / len(mix) if index in mix else 0.0 for index in range(3)]},
        )
        for arm, mix in seven_arms(three.reward_names).items()
    ]
    return Study(name, three, tuple(blocks))


def distances(frame: Frame, study: Study) -> dict[str, list[float]]:
    """Mean over seeds of the distance to the training images, one an arm, by number of rewards."""
    metric = distance_measured(frame).metric
    arms = seven_arms(study.base.reward_names)
    return {
        kind: [
            mean_of(last_values(frame, metric, arm=arm))
            for arm, mix in arms.items()
            if len(mix) == size
        ]
        for size, kind in KINDS.items()
    }


def judge_seven(frame: Frame, study: Study) -> list[Claim]:
    """The paper's order of FID, and what leaving the third reward out does to it.

    The order is one of arms, each by its mean over seeds: every single reward is worse than every
    pair, and every pair worse than all three.
    """
    label = distance_measured(frame).label
    single, pairs, three = distances(frame, study).values()
    names = study.base.reward_names
    left_out = next(arm for arm, mix in seven_arms(names).items() if len(mix) == 2 and 2 not in mix)
    without, within = (
        mean_of(last_values(frame, f"reward_var.{names[2]}", arm=arm)) for arm in (left_out, ALL)
    )
    return [
        judge(
            f"mean {label}: least of single rewards / largest of pairs",
            ratio(least_of(single), largest_of(pairs)),
            above=1.0,
        ),
        judge(
            f"mean {label}: least of pairs / all three",
            ratio(least_of(pairs), mean_of(three)),
            above=1.0,
        ),
        judge(
            f"mean Var[{names[2]}]: left out of the mixture / in it",
            ratio(without, within),
            below=1.0,
        ),
    ]


def draw_seven(frame: Frame, study: Study) -> "Figure":
    """Distance, class entropy, feature variance and the variance of every reward over rounds."""
    names, distance = study.base.reward_names, distance_measured(frame)
    shown = [
        (distance.metric, distance.label),
        ("class_entropy", "class entropy, nats"),
        ("feature_variance", "feature variance / training images"),
        *((f"reward_var.{name}", f"Var[{name}]") for name in names),
    ]
    return draw_arms(frame, [*seven_arms(names)], shown, columns=4)


def table_seven(frame: Frame, study: Study) -> pd.DataFrame:
    """Every arm with the last model's metrics and the moments of all three rewards."""
    distance, names = distance_measured(frame), study.base.reward_names
    columns = {
        distance.label: distance.metric,
        "class entropy": "class_entropy",
        "feature variance": "feature_variance",
    }
    return table_of_arms(frame, [*seven_arms(names)], columns | moments(names))
