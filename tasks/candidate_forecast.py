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
    """Shares of the basins and mass outside over rounds, and what resampling the candidates gives.

    The interval is that after one round: the limit hardly depends on which candidates were drawn.
    """

    path: FloatArray  # (T + 1, R)
    outside: FloatArray | None  # (T + 1,), where basins are known
    low: FloatArray | None  # (R,), share after one round, 95 % over resamples
    high: FloatArray | None  # (R,); None for a whole support, which is not drawn


def forecast_candidates(
    scores: FloatArray,  # (n, R)
    labels: IntArray | None,  # (n,)
    schedule: FloatArray,  # (T, R)
    *,
    pool_size: int | None,
    temperature: float,
    resamples: int,
    rng: np.random.Generator,
    masses: FloatArray | None = None,  # (n,)
    inside: npt.NDArray[np.bool_] | None = None,  # (n,)
) -> CandidateForecast:
    """Iterate the update on the candidates, then one round of it on bootstrap samples of them.

    Candidates are equally likely unless they are a whole support with `masses`. Without `labels`
    a candidate belongs to the reward under which its rank is best.
    """
    labels = basins_by_rank(scores) if labels is None else labels
    ways = (np.arange(scores.shape[1])[:, np.newaxis] == labels).astype(np.float64)  # (R, n)
    n, start = len(scores), masses
    if start is None:
        start = np.full(n, 1 / n)

    def walk(p: FloatArray, rounds: int) -> list[FloatArray]:
        return list(
            trajectory(
                p,
                scores.T,
                schedule[:rounds],
                iterations=rounds,
                pool_size=pool_size,
                temperature=temperature,
            )
        )

    steps = walk(start, len(schedule))
    low = high = None
    if masses is None:
        counts = rng.multinomial(n, start, size=resamples) / n
        once = np.array([ways @ walk(p, 1)[-1] for p in counts])
        low, high = np.quantile(once, (0.025, 0.975), axis=0)
    outside = None if inside is None else np.array([float(p[~inside].sum()) for p in steps])
    return CandidateForecast(np.array([ways @ p for p in steps]), outside, low, high)


def basins_by_rank(
    scores: FloatArray,  # (n, R)
) -> IntArray:  # (n,)
    """Reward under which each candidate ranks best; the first of equals."""
    order = np.argsort(np.argsort(scores, axis=0, kind="stable"), axis=0, kind="stable")
    best: IntArray = order.argmax(axis=1)
    return best
