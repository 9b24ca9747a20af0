"""What runs of text show: how long their texts are, and some of the texts."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from data.texts import TEXT, texts_of
from flows.image_gallery import first_seed
from rewards.words import word_counts
from tasks.context import RunContext
from tasks.places import evaluation_place
from tasks.text_histogram import draw_lengths, length_histograms
from tasks.text_samples import TextSample, first_samples, samples_in_html

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ENTROPY = "word_length_entropy"
NUM_TEXTS = 3


def has_texts(context: RunContext) -> bool:
    """Whether the run's samples are texts."""
    return TEXT in context.model(0).schema.names


def first_seeds(contexts: Sequence[RunContext], arms: Sequence[str]) -> dict[str, RunContext]:
    """The run of each arm with the least seed; an arm that no run has is left out."""
    return {arm: run for arm in arms if (run := first_seed(contexts, arm)) is not None}


def histograms_of(runs: Mapping[str, RunContext]) -> dict[str, "Figure"]:
    """Lengths over the models of runs by their headings; nothing without runs."""
    return {"lengths": lengths_figure(runs)} if runs else {}


def lengths_figure(runs: Mapping[str, RunContext]) -> "Figure":
    """Entropy of lengths over k, histograms of p_0 and of the last model, one colour an arm."""
    lengths = {
        arm: [
            word_counts(texts_of(_samples(run, k), "gallery"))
            for k in range(run.config.iterations + 1)
        ]
        for arm, run in runs.items()
    }
    entropies = {
        arm: np.array([[_entropy(run, k) for k in range(run.config.iterations + 1)]])
        for arm, run in runs.items()
    }
    targets = {
        arm: [
            float(reward.target)
            for reward in run.config.rewards
            if reward.weight > 0 and hasattr(reward, "target")
        ]
        for arm, run in runs.items()
    }
    histograms = {arm: length_histograms(one) for arm, one in lengths.items()}
    return draw_lengths(entropies, histograms, targets=targets)


def excerpts_of(run: RunContext) -> dict[int, list[TextSample]]:
    """The first few texts of every model."""
    asked = run.config.prompts
    prompts = None if asked is None else asked.source
    return {
        k: first_samples(_samples(run, k), NUM_TEXTS, prompts)
        for k in range(run.config.iterations + 1)
    }


def excerpts_in_html(runs: Mapping[str, RunContext]) -> dict[str, str]:
    """Texts of every model of runs by their headings."""
    return {heading: samples_in_html(excerpts_of(run)) for heading, run in runs.items()}


def _samples(context: RunContext, k: int) -> pa.Table:
    return context.open_place(evaluation_place(k)).table("samples.parquet")


def _entropy(context: RunContext, k: int) -> float:
    rows = context.open_place(evaluation_place(k)).table("metrics.parquet")
    values = dict(zip(rows["metric"].to_pylist(), rows["value"].to_pylist(), strict=True))
    return float(values[ENTROPY])
