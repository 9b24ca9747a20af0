"""Two quadratic rewards as the theory sees them: a distance, a strength, a share."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rewards.quadratic import QuadraticConfig
from tasks.settings import RunConfig

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class TwoModes:
    """q, distance d and gamma of two quadratic rewards; `frame` turns points to (along, across)."""

    q: float
    distance: float
    gamma: float
    midpoint: FloatArray  # (2,)
    frame: FloatArray  # (2, 2), rows: along the axis mu_2 - mu_1, across it


def two_modes(config: RunConfig) -> TwoModes | None:
    """The two-mode geometry of a run, or None when the rewards are not of that kind."""
    rewards = [reward for reward in config.rewards if isinstance(reward, QuadraticConfig)]
    if len(rewards) != 2 or len(config.rewards) != 2 or rewards[0].gamma != rewards[1].gamma:
        return None
    first, second = (np.array(reward.centre) for reward in rewards)
    distance = float(np.linalg.norm(second - first))
    along = (second - first) / distance if distance else np.array([1.0, 0.0])
    return TwoModes(
        q=config.weights[0],
        distance=distance,
        gamma=rewards[0].gamma,
        midpoint=(first + second) / 2,
        frame=np.array([along, [-along[1], along[0]]]),
    )
