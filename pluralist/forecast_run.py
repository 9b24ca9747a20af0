"""A forecast that starts from what a run has already drawn."""

import dataclasses

import numpy as np
import numpy.typing as npt

from data.errors import ConfigError, MissingArtifact
from data.seeds import stage_rng
from data.store import Store
from rewards.registry import find_basins
from tasks.candidate_forecast import forecast_candidates
from tasks.context import RunContext
from tasks.draw_stage import SCORES
from tasks.forecast import GONE, Forecast, forecast_config, pool_of
from tasks.places import Place
from tasks.sample import CANDIDATES

FloatArray = npt.NDArray[np.float64]
Interval = tuple[FloatArray, FloatArray]  # (R,), (R,)

RESAMPLES = 40
# A finite pool costs hundreds of evaluations a candidate and round.
RESAMPLES_FINITE = 10
FORECAST_STREAM = 9


def forecast_run(
    store: Store, run: str, iteration: int | None, rounds: int | None
) -> tuple[Forecast, Interval]:
    """Forecast from the candidates and scores of a committed draw stage, and its interval.

    The last such stage unless `iteration` is given; `rounds` ahead, or those that remain, at
    least 30. Raises `MissingArtifact` when the run has no such stage.
    """
    context = RunContext(store, store.read_run(run))
    config = context.config
    if config.selection.temperature <= 0:
        raise ConfigError(
            f"forecast of {run}: expected a positive selection.temperature, got "
            f"{config.selection.temperature:g}; best-of-K keeps the best candidate alone"
        )
    t = _last_draw(context) if iteration is None else iteration
    if t is None or context.find(Place(t, "draw")) is None:
        present = _last_draw(context)
        there = "no draw stage at all" if present is None else f"iterations 0 to {present}"
        raise MissingArtifact(f"run {run!r}: expected the draw stage of iteration {t}, got {there}")
    ahead = rounds or max(30, config.iterations - t)
    table = context.table(t, "draw", SCORES)
    scores = np.column_stack([table[name].to_numpy() for name in config.reward_names])
    labels = find_basins(context.rewards, context.table(t, "sample", CANDIDATES))
    size = pool_of(config)
    found = forecast_candidates(
        scores,
        labels,
        np.array([config.weights_at(t + step) for step in range(ahead)]),
        pool_size=size,
        temperature=config.selection.temperature,
        rounds=ahead,
        resamples=RESAMPLES if size is None else RESAMPLES_FINITE,
        rng=stage_rng(config.seed, "draw", t, stream=FORECAST_STREAM),
    )
    before = forecast_config(config, ahead, first=t)
    last = found.path[-1]
    after = dataclasses.replace(
        before,
        limit=last,
        survives=[bool(share > GONE) for share in last],
        num_modes=None,
        path=found.path,
        outside=None,
        assumptions=[f"no samples beyond the candidates of iteration {t}, which are reweighted"],
    )
    return after, (found.low, found.high)


def _last_draw(context: RunContext) -> int | None:
    for t in reversed(range(context.config.iterations)):
        if context.store.is_committed(context.run, t, "draw"):
            return t
    return None
