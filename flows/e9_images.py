"""E9 on images: plural curation beside simpler ways to retrain on one's own output (ours)."""

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from flows.arms import draw_arms, moments, table_of_arms
from flows.baselines import (
    ARMS,
    BALANCED,
    COLLAPSED,
    MIXTURES,
    NOTHING,
    ONE,
    RIVALS,
    SUM,
    baseline_study,
    collapse_times,
    judge_diversity,
    judge_least_variance,
)
from flows.cifar10 import digits
from flows.class_arms import fresh_pools
from flows.experiment import Experiment, Frame, Study, curves, last_values
from flows.image_gallery import grids_of
from flows.image_values import distance_measured
from tasks.claims import Claim, all_hold, said
from tasks.seed_values import mean_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ENTROPY = "class_entropy"
# How many times the least variance of these arms; ours.
ABOVE = dict.fromkeys((*RIVALS, NOTHING), 1.0)


def study(quick: bool) -> Study:
    """Nine arms on digits with 5 seeds, 3 when quick; pools of four fresh candidates."""
    return baseline_study("image-baselines", fresh_pools(digits()), seeds=3 if quick else 5)


def judge_e9(frame: Frame, study: Study) -> list[Claim]:
    """Order of the arms; thresholds ours, each with room beside what pilot runs measured."""
    return [
        *judge_least_variance(frame, study, above=ABOVE),
        *judge_diversity(frame, ENTROPY, "class entropy"),
    ]


def draw(frame: Frame, study: Study) -> "Figure":
    """Variance, class entropy, feature variance, distance, tails over rounds, one line an arm."""
    names, distance = study.base.reward_names, distance_measured(frame)
    shown = [(f"reward_var.{name}", f"Var[{name}], reward units²") for name in names]
    shown += [
        (ENTROPY, "class entropy, nats"),
        ("feature_variance", "feature variance / training images"),
        (distance.metric, distance.label),
        ("tail_coverage", "tail coverage (1: as p_0)"),
    ]
    return draw_arms(frame, ARMS, shown, columns=5)


def table(frame: Frame, study: Study) -> pd.DataFrame:
    """Every arm with the last model's moments and image metrics, and when it collapses."""
    distance = distance_measured(frame)
    columns = moments(study.base.reward_names) | {
        "class entropy": ENTROPY,
        "feature variance": "feature_variance",
        distance.label: distance.metric,
        "tail coverage": "tail_coverage",
    }
    times = {
        "k of half the class entropy": partial(collapse_times, frame, ENTROPY, share=COLLAPSED)
    }
    return table_of_arms(frame, ARMS, columns, times)


def remarks(frame: Frame, study: Study) -> list[str]:
    """How the arms are to be read; what was measured is said where it was."""
    claims = judge_e9(frame, study)
    tails = [mean_of(last_values(frame, "tail_coverage", arm=arm)) for arm in (BALANCED, ONE, SUM)]
    kept = {arm: mean_of(last_values(frame, ENTROPY, arm=arm)) for arm in (NOTHING, *MIXTURES)}
    start = mean_of(curves(frame, ENTROPY, arm=NOTHING).iloc[:1])
    return said(
        (
            "The paper names baselines without describing or measuring them: arms, settings and "
            "thresholds are ours. Without curation a random fifth of the candidates is trained "
            "on, as many as the other arms curate.",
            True,
        ),
        (
            "Only draws with a reward of their own keep both rewards spread out.",
            all_hold(claims, *(f"largest of {arm}" for arm in RIVALS)),
        ),
        (
            "Tail coverage is the share of samples outside p_0's 95 % region of the classifier's "
            "features over .05: balanced has {:.3g}, one-reward {:.3g}, the weighted sum "
            "{:.3g}.".format(*tails),
            not np.isnan(tails).any(),
        ),
        (
            "Class entropy starts at {:.3g} nats; it ends at {:.3g} without curation, at {:.3g} "
            "with real rows and at {:.3g} with all rounds kept.".format(start, *kept.values()),
            not np.isnan([start, *kept.values()]).any(),
        ),
    )


EXPERIMENT = Experiment(
    name="E9-images",
    title="Baselines on images: other ways to retrain on one's own output",
    claim="Only a reward drawn for every draw keeps images of both classes; best-of-K collapses "
    "fastest.",
    source="paper, section C.8 names baselines only; arms, order and thresholds ours",
    study=study,
    judge=judge_e9,
    draw=draw,
    table=table,
    remarks=remarks,
    presets={"digits": study},
    gallery=lambda contexts: grids_of(contexts, {"samples": ARMS}),
)
