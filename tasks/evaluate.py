"""Stage `evaluate`: the model p_k on fresh samples, the selection that led to it, the theory.

Moments, basin masses and the model's own quantities are measured on `evaluation.num_samples`
fresh samples (under scheme `expected` on the whole support, weighted); leakage and selection
pressure on the winners of the round that trained p_k.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from data.commit import Attempt
from data.schemas import METRICS, PREDICTIONS, described
from data.seeds import stage_seed
from generators.registry import Generator
from rewards.registry import find_basins, leave_outside
from tasks.agreement import compared
from tasks.basin_facts import basins_of
from tasks.basin_predictions import predict_limit, predict_round, predict_variance
from tasks.context import RunContext
from tasks.distribution import measure_distribution
from tasks.image_evaluation import measure_image_samples
from tasks.metrics import basin_masses, num_distinct, reward_moments, winner_leakage
from tasks.places import Place
from tasks.predictions import closed_forms
from tasks.prompt_groups import evaluation_prompts
from tasks.round_facts import basin_metrics, high_reward_metrics, measure_round
from tasks.sample import CANDIDATES, support_of
from tasks.select_stage import WINNERS_FILE
from tasks.stage import StageFacts
from tasks.survivor_pool import competitors
from tasks.text_evaluation import measure_held_out, measure_text_samples
from tasks.training_set import curated_rows

FloatArray = npt.NDArray[np.float64]


def compute(context: RunContext, place: Place, attempt: Attempt) -> StageFacts:
    """Write samples.parquet, metrics.parquet and predictions.parquet of p_k."""
    config = context.config
    k = 0 if place.iteration is None else place.iteration + 1
    model = context.model(k)
    samples = _fresh_samples(context, model, k)
    masses = samples["mass"].to_numpy() if "mass" in samples.column_names else None
    scores = context.scores(samples)
    measured = _of_samples(context, samples, scores, masses) | model.metrics()
    measured |= measure_distribution(context, model, samples, masses)
    measured |= measure_image_samples(context, samples)
    measured |= measure_text_samples(context, samples)
    measured |= measure_held_out(context, model)
    if place.iteration is not None:
        measured |= _of_selection(context, place.iteration)
    rows = _predicted(context, k, measured, scores, masses)
    names = config.reward_names
    columns = {name: samples[name] for name in samples.column_names}
    columns |= {f"score.{name}": scores[:, i] for i, name in enumerate(names)}
    fields = [
        described(f"score.{name}", pa.float64(), f"score of the sample under {name}")
        for name in names
    ]
    attempt.write_table("samples.parquet", pa.table(columns), pa.schema([*samples.schema, *fields]))
    values = {"metric": list(measured), "value": [float(value) for value in measured.values()]}
    attempt.write_table("metrics.parquet", pa.table(values), METRICS)
    predictions = pa.Table.from_pylist(rows, schema=PREDICTIONS)
    attempt.write_table("predictions.parquet", predictions, PREDICTIONS)
    return StageFacts(rows_in=samples.num_rows, rows_out=len(measured))


def _fresh_samples(context: RunContext, model: Generator, k: int) -> pa.Table:
    config = context.config
    if config.selection.scheme == "expected":
        return support_of(model)
    seed = stage_seed(config.seed, "evaluate", k)
    num_samples = config.evaluation.num_samples
    return model.sample(num_samples, seed=seed, prompts=evaluation_prompts(config, num_samples))


def _of_samples(
    context: RunContext,
    samples: pa.Table,  # n rows
    scores: FloatArray,  # (n, R)
    masses: FloatArray | None,  # (n,)
) -> dict[str, float]:
    names = context.config.reward_names
    means, variances = reward_moments(scores, masses)
    measured = {f"reward_mean.{name}": value for name, value in zip(names, means, strict=True)}
    measured |= {f"reward_var.{name}": value for name, value in zip(names, variances, strict=True)}
    labels = find_basins(context.rewards, samples)
    if labels is not None:
        shares = basin_masses(labels, len(names), masses)
        measured |= {f"basin_mass.{name}": share for name, share in zip(names, shares, strict=True)}
    return measured


def _predicted(
    context: RunContext,
    k: int,
    measured: dict[str, float],
    scores: FloatArray,  # (n, R)
    masses: FloatArray | None,  # (n,)
) -> list[dict[str, Any]]:
    """Rows of predictions.parquet; adds to `measured` what the theory calls basins and round."""
    config = context.config
    rows = [(one, measured[one.quantity]) for one in closed_forms(config, k)]
    shares = np.full(len(scores), 1 / len(scores)) if masses is None else masses
    suprema = context.suprema
    if config.selection.scheme == "expected":
        suprema = np.full_like(suprema, np.nan)
    names = config.reward_names
    variances = np.array([measured[f"reward_var.{name}"] for name in names])
    rows += predict_variance(config, scores, shares, variances, suprema)
    basins = basins_of(scores, config.evaluation.basin_epsilon, suprema)
    measured |= high_reward_metrics(names, basins, shares)
    if k > 0 and len(names) > 1:
        found = measure_round(context, k - 1)
        measured |= basin_metrics(names, found)
        rows += predict_round(config, k - 1, found)
        rows += predict_limit(config, k - 1, found, scores, shares, suprema)
    return [compared(prediction, value) for prediction, value in rows]


def _of_selection(context: RunContext, t: int) -> dict[str, float]:
    names = context.config.reward_names
    candidates = competitors(context, t, "sample", CANDIDATES)
    winners = context.table(t, "select", WINNERS_FILE)
    probability = winners["probability"].to_numpy()
    measured, chances = {}, probability
    if context.config.selection.scheme != "expected":
        chances = None
        measured = {
            "winner_probability_mean": float(probability.mean()),
            "distinct_winners": float(num_distinct(winners["candidate_id"].to_numpy())),
        }
    labels = find_basins(context.rewards, curated_rows(candidates, winners))
    if labels is not None:
        active = winners["active_reward"].to_numpy()
        leakage = winner_leakage(active, labels, len(names), chances)
        basins = [*names, "outside"] if leave_outside(context.rewards) else names
        measured |= {
            f"leakage.{one}.{basin}": leakage[i, j]
            for i, one in enumerate(names)
            for j, basin in enumerate(basins)
            if i != j and not np.isnan(leakage[i, j])
        }
    return measured
