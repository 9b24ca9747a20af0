"""A forecast that starts from what a run has already drawn."""

import dataclasses

import numpy as np
import numpy.typing as npt

from data.errors import MissingArtifact
from data.seeds import stage_rng
from data.store import Store
from rewards.registry import find_basins
from tasks.candidate_forecast import forecast_candidates
from tasks.context import RunContext
from tasks.draw_stage import SCORES
from tasks.forecast import Forecast, forecast_config, pool_of, used_rewards
from tasks.limit_shares import GONE
from tasks.places import Place
from tasks.sample import CANDIDATES

FloatArray = npt.NDArray[np.float64]
Interval = tuple[FloatArray, FloatArray]  # (R,), (R,)

RESAMPLES = 200
LEAST_ROUNDS = 30
FORECAST_STREAM = 9


def forecast_run(
    store: Store, run: str, iteration: int | None, rounds: int | None
) -> tuple[Forecast, Interval | None]:
    """Forecast from the candidates and scores of a committed draw stage, and its interval.

    The last such stage unless `iteration` is given; `rounds` ahead, or those that remain, at
    least 30. Raises `MissingArtifact` when the run has no such stage.
    """
    context = RunContext(store, store.read_run(run))
    config = context.config
    t = _last_draw(context) if iteration is None else iteration
    if t is None or context.find(Place(t, "draw")) is None:
        present = _last_draw(context)
        there = "no draw stage at all" if present is None else f"iterations 0 to {present}"
        raise MissingArtifact(f"run {run!r}: expected the draw stage of iteration {t}, got {there}")
    ahead = rounds or max(LEAST_ROUNDS, config.iterations - t)
    used, size = used_rewards(config, t, ahead), pool_of(config)
    table, candidates = context.table(t, "draw", SCORES), context.table(t, "sample", CANDIDATES)
    scores = np.column_stack([table[config.reward_names[i]].to_numpy() for i in used])
    rewards = [context.rewards[i] for i in used]
    suprema = context.suprema[used]
    inside = None
    if not np.isnan(suprema).any():
        inside = np.asarray((scores >= suprema - config.evaluation.basin_epsilon).any(axis=1))
    is_support = "mass" in candidates.column_names
    found = forecast_candidates(
        scores,
        find_basins(rewards, candidates),
        np.array([config.weights_at(t + step) for step in range(ahead)])[:, used],
        pool_size=size,
        temperature=config.selection.temperature,
        resamples=RESAMPLES,
        rng=stage_rng(config.seed, "draw", t, stream=FORECAST_STREAM),
        masses=candidates["mass"].to_numpy() if is_support else None,
        inside=inside,
    )
    before = forecast_config(config, ahead, first=t)
    held = found.path[-1] > GONE
    # What dies on the way is gone for good; what holds is as stable as the limit says.
    lost = before.fate == "stays plural" and not held[before.weights > 0].all()
    after = dataclasses.replace(
        before,
        limit=found.path[-1],
        survives=[bool(kept) for kept in held],
        fate="collapses" if lost else before.fate,
        path=found.path,
        outside=found.outside,
        assumptions=[
            f"no samples beyond the candidates of iteration {t}, which are reweighted",
            "smallest K and effect of q from the configuration",
        ],
    )
    interval = None if found.low is None or found.high is None else (found.low, found.high)
    return after, interval


def _last_draw(context: RunContext) -> int | None:
    for t in reversed(range(context.config.iterations)):
        if context.store.is_committed(context.run, t, "draw"):
            return t
    return None
