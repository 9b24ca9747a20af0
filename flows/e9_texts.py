"""E9 on texts: plural curation beside simpler ways to retrain on one's own output (ours)."""

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from flows.arms import draw_arms, moments, table_of_arms
from flows.baselines import (
    ARMS,
    BALANCED,
    BEST,
    COLLAPSED,
    MIXTURES,
    NOTHING,
    ONE,
    RIVALS,
    baseline_study,
    collapse_times,
    judge_diversity,
    judge_least_variance,
)
from flows.class_arms import fresh_pools
from flows.experiment import Experiment, Frame, Study, curves, last_values
from flows.gpt2 import offline
from flows.text_gallery import excerpts_in_html, first_seeds, histograms_of
from flows.text_leakage import WHAT_IT_IS, leakage_cell, leakages, mean_leakage
from generators.causal_lm_config import CausalLmConfig
from tasks.claims import Claim, said
from tasks.seed_values import mean_of
from tasks.settings import RunConfig

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ENTROPY = "word_length_entropy"
# How many times the least variance of these arms; ours.
ABOVE = dict.fromkeys((*RIVALS, NOTHING), 1.0)
ITERATIONS, NUM_CANDIDATES, LEARNING_RATE = 12, 400, 2e-4
# Arms that the page has texts of.
SHOWN = (BALANCED, ONE, BEST, NOTHING)


def base() -> RunConfig:
    """The offline preset of gpt2 without a pool that grows: every round stands by itself.

    Nothing is cut off while texts are drawn, which alone would make any arm repeat itself.
    """
    alone = offline()
    assert isinstance(alone.generator, CausalLmConfig)
    drawn = alone.generator.generation.model_copy(update={"temperature": 1.0, "top_p": 1.0})
    refit = alone.generator.refit.model_copy(update={"learning_rate": LEARNING_RATE})
    generator = alone.generator.model_copy(update={"generation": drawn, "refit": refit})
    changes = {"iterations": ITERATIONS, "num_candidates": NUM_CANDIDATES, "generator": generator}
    return fresh_pools(alone.model_copy(update={"pool": None, **changes}))


def study(quick: bool) -> Study:
    """Nine arms with 5 seeds, 2 when quick; pools of four fresh candidates."""
    return baseline_study("text-baselines", base(), seeds=2 if quick else 5)


def judge_e9(frame: Frame, study: Study) -> list[Claim]:
    """Order of the arms; the claims of E9 on images, set before anything was measured."""
    return [
        *judge_least_variance(frame, study, above=ABOVE),
        *judge_diversity(frame, ENTROPY, "length entropy"),
    ]


def draw(frame: Frame, study: Study) -> "Figure":
    """Variances, lengths, distinct-2, perplexity, tails, leakage over rounds, a line an arm."""
    shown = [(f"reward_var.{name}", f"Var[{name}], words²") for name in study.base.reward_names]
    shown += [
        ("mean_words", "words of a text"),
        (ENTROPY, "word-length entropy, nats"),
        ("distinct_2", "distinct-2"),
        ("held_out_perplexity", "held-out perplexity"),
        ("tail_coverage", "tail coverage (1: as p_0)"),
    ]
    shown += [
        (metric, f"leakage, {called}")
        for metric, called in leakages(study.base.reward_names).items()
    ]
    return draw_arms(frame, ARMS, shown, columns=5)


def table(frame: Frame, study: Study) -> pd.DataFrame:
    """Every arm with the last model's moments and text metrics, when it collapses, leakage."""
    columns = moments(study.base.reward_names) | {
        "length entropy": ENTROPY,
        "distinct-2": "distinct_2",
        "self-BLEU": "self_bleu",
        "perplexity": "held_out_perplexity",
        "tail coverage": "tail_coverage",
    }
    times = {
        "k of half the length entropy": partial(collapse_times, frame, ENTROPY, share=COLLAPSED)
    }
    found = table_of_arms(frame, ARMS, columns, times)
    for metric, called in leakages(study.base.reward_names).items():
        found[f"mean leakage, {called}"] = [
            leakage_cell(mean_leakage(frame, metric, arm=arm)) for arm in ARMS
        ]
    return found


def remarks(frame: Frame, study: Study) -> list[str]:
    """How the arms are to be read; what was measured is said where it was."""
    kept = {arm: mean_of(last_values(frame, ENTROPY, arm=arm)) for arm in (NOTHING, *MIXTURES)}
    start = mean_of(curves(frame, ENTROPY, arm=NOTHING).iloc[:1])
    return said(
        (
            "The paper names baselines without describing or measuring them: arms, settings and "
            "thresholds are ours. No pool grows here, or every arm would keep all rounds; without "
            "curation half of the candidates, chosen at random, is trained on.",
            True,
        ),
        (
            f"{WHAT_IT_IS} An arm that does not draw a target's reward has none; means are over "
            "the rounds that drew it.",
            True,
        ),
        (
            "Length entropy starts at {:.3g} nats; it ends at {:.3g} without curation, at {:.3g} "
            "with real rows and at {:.3g} with all rounds kept.".format(start, *kept.values()),
            not np.isnan([start, *kept.values()]).any(),
        ),
    )


EXPERIMENT = Experiment(
    name="E9-texts",
    title="Baselines on texts: other ways to retrain on one's own output",
    claim="Only a reward drawn for every draw keeps texts of both lengths; best-of-K collapses "
    "fastest.",
    source="paper, section C.8 names baselines only; arms, order and thresholds ours",
    study=study,
    judge=judge_e9,
    draw=draw,
    table=table,
    remarks=remarks,
    presets={"offline": study},
    gallery=lambda contexts: histograms_of(first_seeds(contexts, SHOWN)),
    excerpts=lambda contexts: excerpts_in_html(first_seeds(contexts, SHOWN)),
)
