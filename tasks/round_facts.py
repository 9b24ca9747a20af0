"""A round of selection read from its committed artifacts, in the terms of the theory."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tasks.basin_facts import BasinFacts, basins_of, measure_basins
from tasks.context import RunContext
from tasks.draw_stage import SCORES
from tasks.sample import CANDIDATES
from tasks.select_stage import WINNERS_FILE
from tasks.survivor_pool import competitors, positions_of

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Round:
    """A round as a reader of its artifacts finds it."""

    facts: BasinFacts
    curated: FloatArray  # (R,), share of the curated rows in each basin
    sizes: tuple[int, ...]  # rows that add sampling noise; none in expectation


class NoBasins(NamedTuple):
    """Why a round cannot be described by basins, and how many of them hold a candidate."""

    assumption: str
    num_held: int


def measure_round(context: RunContext, t: int) -> Round | NoBasins:
    """Facts of iteration t, or the assumption that is not met."""
    config, names = context.config, context.config.reward_names
    table = competitors(context, t, "draw", SCORES)
    scores = np.column_stack([table[name].to_numpy() for name in names])
    exact = config.selection.scheme == "expected"
    weights = np.array(config.weights_at(t))
    # On the whole support the best atom is the supremum.
    suprema = np.full(len(names), math.nan) if exact else context.suprema
    if exact:
        masses = context.table(t, "sample", CANDIDATES)["mass"].to_numpy()
    else:
        masses = np.full(len(scores), 1 / len(scores))
    basins = basins_of(scores, config.evaluation.basin_epsilon, suprema)
    if basins is None:
        return NoBasins("basins that do not overlap", len(names))
    held = int((basins @ masses > 0).sum())
    if held < len(names):
        return NoBasins("a candidate in every basin", held)
    if config.selection.temperature <= 0:
        return NoBasins("a positive temperature", held)
    facts = measure_basins(
        masses,
        scores,
        basins,
        weights,
        suprema=suprema,
        epsilon=config.evaluation.basin_epsilon,
        temperature=config.selection.temperature,
        pool_size=config.selection.pool_size,
    )
    winners = context.table(t, "select", WINNERS_FILE)
    rows = positions_of(winners["candidate_id"].to_numpy(), table["candidate_id"].to_numpy())
    if exact:
        shares = weights[winners["active_reward"].to_numpy()] * winners["probability"].to_numpy()
        return Round(facts, basins[:, rows] @ shares, ())
    return Round(facts, basins[:, rows].mean(axis=1), (len(rows), len(scores)))


def basin_metrics(names: list[str], found: Round | NoBasins) -> dict[str, float]:
    """Metrics of a round: eta and rho; none where not defined."""
    if isinstance(found, NoBasins):
        return {}
    rho = found.facts.multiplier
    measured = {} if math.isnan(rho) else {"outside_multiplier": rho}
    for i, name in enumerate(names):
        for j, other in enumerate(names):
            if i != j:
                measured[f"eta.{name}.{other}"] = float(found.facts.eta[i, j])
    return measured


def high_reward_metrics(
    names: list[str],
    basins: BoolArray | None,  # (R, n), of samples of p_k
    masses: FloatArray,  # (n,)
) -> dict[str, float]:
    """Masses of p_k in the basins and outside; none where basins overlap."""
    if basins is None:
        return {}
    measured = {
        f"high_reward_mass.{n}": float(m) for n, m in zip(names, basins @ masses, strict=True)
    }
    return measured | {"outside_mass": float(masses[~basins.any(axis=0)].sum())}
