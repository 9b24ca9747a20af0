"""Forecast from a committed draw stage: its candidates as the atoms of an idealised model.

A model that could only reweight the candidates it has seen would go this way; a real one also
makes new samples, so this says what selection alone does. n candidates, R rewards, T rounds.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from theory.dynamics import trajectory

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class CandidateForecast:
    """Shares of the basins over rounds, with the spread that resampling the candidates gives."""

    path: FloatArray  # (T + 1, R)
    low: FloatArray  # (R,), of the last round, 95 % over resamples
    high: FloatArray  # (R,)


def forecast_candidates(
    scores: FloatArray,  # (n, R)
    labels: IntArray | None,  # (n,)
    weights: FloatArray,  # (R,) or (T, R)
    *,
    pool_size: int | None,
    temperature: float,
    rounds: int,
    resamples: int,
    rng: np.random.Generator,
) -> CandidateForecast:
    """Iterate the update on equally likely candidates, then on bootstrap samples of them.

    Without `labels` a candidate belongs to the reward under which its rank is best.
    """
    labels = basins_by_rank(scores) if labels is None else labels
    ways = (np.arange(scores.shape[1])[:, np.newaxis] == labels).astype(np.float64)  # (R, n)

    def shares(counts: FloatArray) -> FloatArray:  # (n,) -> (T + 1, R)
        steps = trajectory(
            counts / counts.sum(),
            scores.T,
            weights,
            iterations=rounds,
            pool_size=pool_size,
            temperature=temperature,
        )
        return np.array([ways @ p for p in steps])

    n = len(scores)
    ends = np.array(
        [shares(rng.multinomial(n, np.full(n, 1 / n)).astype(float))[-1] for _ in range(resamples)]
    )
    low, high = np.quantile(ends, (0.025, 0.975), axis=0)
    return CandidateForecast(shares(np.ones(n)), low, high)


def basins_by_rank(
    scores: FloatArray,  # (n, R)
) -> IntArray:  # (n,)
    """Reward under which each candidate ranks best; the first of equals."""
    order = np.argsort(np.argsort(scores, axis=0, kind="stable"), axis=0, kind="stable")
    best: IntArray = order.argmax(axis=1)
    return best
