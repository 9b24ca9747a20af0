"""Two quadratic rewards as the theory sees them: a distance, a strength, a share."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rewards.quadratic import QuadraticConfig
from tasks.settings import RunConfig

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ModeAxis:
    """The line through two reward centres; `frame` turns points to (along, across)."""

    distance: float
    midpoint: FloatArray  # (2,)
    frame: FloatArray  # (2, 2), rows: along the axis mu_2 - mu_1, across it


@dataclass(frozen=True)
class TwoModes(ModeAxis):
    """q and gamma of two quadratic rewards of equal strength that alone decide the run."""

    q: float
    gamma: float


def mode_axis(config: RunConfig) -> ModeAxis | None:
    """The axis of a run with exactly two quadratic rewards, whatever else there is, or None."""
    rewards = [reward for reward in config.rewards if isinstance(reward, QuadraticConfig)]
    if len(rewards) != 2:
        return None
    first, second = (np.array(reward.centre) for reward in rewards)
    distance = float(np.linalg.norm(second - first))
    along = (second - first) / distance if distance else np.array([1.0, 0.0])
    return ModeAxis(
        distance=distance,
        midpoint=(first + second) / 2,
        frame=np.array([along, [-along[1], along[0]]]),
    )


def two_modes(config: RunConfig) -> TwoModes | None:
    """The two-mode geometry of a run, or None when the rewards are not of that kind."""
    axis = mode_axis(config)
    rewards = [reward for reward in config.rewards if isinstance(reward, QuadraticConfig)]
    if axis is None or len(config.rewards) != 2 or rewards[0].gamma != rewards[1].gamma:
        return None
    return TwoModes(
        distance=axis.distance,
        midpoint=axis.midpoint,
        frame=axis.frame,
        q=config.weights[0],
        gamma=rewards[0].gamma,
    )
