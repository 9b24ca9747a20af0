"""How far a model's samples spread, against p_0 and against the real data."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from data.points import points_of
from data.seeds import stage_seed
from generators.registry import Generator
from tasks.context import RunContext
from tasks.geometry import mode_axis
from tasks.metrics import tail_coverage
from tasks.point_metrics import frechet_distance, moments, point_metrics
from tasks.real_rows import find_real_rows

FloatArray = npt.NDArray[np.float64]

TAIL_SHARE = 0.05
# Samples of p_0 whose densities bound its tails: a quantile to within 3 % of the share.
NUM_REFERENCE = 20_000
REFERENCE_STREAM = 1


def measure_distribution(
    context: RunContext,
    model: Generator,
    samples: pa.Table,  # n rows
    masses: FloatArray | None,  # (n,)
) -> dict[str, float]:
    """Entropy (nats), tail coverage, spread and distance to the real data, where defined."""
    measured: dict[str, float] = {}
    log_density = getattr(model, "log_density", None)
    if log_density is not None and masses is None:
        measured["entropy"] = -float(np.mean(log_density(samples)))
        measured["tail_coverage"] = tail_coverage(
            context.initial_model.log_density(samples),  # type: ignore[attr-defined]
            context.remember("tail floor", _tail_floor),
            TAIL_SHARE,
        )
    if {"x", "y"} <= set(samples.column_names):
        points = points_of(samples, "evaluation")
        measured |= point_metrics(points, mode_axis(context.config), masses)
        real = context.remember("real moments", _real_moments)
        if real is not None:
            measured["real_distance"] = frechet_distance(moments(points, masses), real)
    return measured


def _tail_floor(context: RunContext) -> float:
    """Log density that 5 % of p_0's samples are below."""
    initial = context.initial_model
    seed = stage_seed(context.config.initial.seed, "initial", 0, stream=REFERENCE_STREAM)
    reference = initial.sample(NUM_REFERENCE, seed=seed)
    densities = initial.log_density(reference)  # type: ignore[attr-defined]
    return float(np.quantile(densities, TAIL_SHARE))


def _real_moments(context: RunContext) -> tuple[FloatArray, FloatArray] | None:
    real = find_real_rows(context.config)
    return None if real is None else moments(points_of(real, "real data"))
