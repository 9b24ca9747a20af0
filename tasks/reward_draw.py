"""Stage `draw`: which reward is active in each curated draw.

Letters: R rewards, m draws.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from data.errors import BadNumbers, ConfigError

FloatArray = npt.NDArray[np.float64]
Mode = Literal["per-draw", "per-round", "alternate"]


def draw_active_rewards(
    num_draws: int,
    weights: Sequence[float] | FloatArray,  # (R,), any positive sum
    *,
    mode: Mode,
    iteration: int,
    rng: np.random.Generator,
) -> npt.NDArray[np.int16]:  # (m,)
    """Index of each draw's active reward; one of weight 0 is never drawn.

    `per-draw`: independent, i with probability pi_i, the weights divided by their sum (paper,
    section C.3). `per-round`: one such draw for all, an ablation that collapses the model.
    `alternate`: in turn by `iteration` among the rewards of positive weight, without chance.
    Raises `BadNumbers` for a NaN or infinite weight, `ConfigError` for weights that are
    negative, all zero or not a row, or an unknown mode.
    """
    shares = _check_weights(np.asarray(weights, dtype=np.float64))
    if mode == "alternate":
        used = np.flatnonzero(shares)
        return np.full(num_draws, used[iteration % len(used)], dtype=np.int16)
    if mode == "per-draw":
        return _categorical(shares, rng.random(num_draws))
    if mode == "per-round":
        return np.repeat(_categorical(shares, rng.random(1)), num_draws)
    raise ConfigError(
        f"active_reward: expected per-draw, per-round or alternate, got {mode!r}; pick one of them"
    )


def _categorical(
    shares: FloatArray,  # (R,), sum 1
    uniforms: FloatArray,  # (m,), in [0, 1)
) -> npt.NDArray[np.int16]:  # (m,)
    """First reward whose cumulative share exceeds the uniform, which skips shares of 0."""
    cumulative = np.cumsum(shares)
    # The last sum may differ from 1 by rounding; scaled by it, a uniform below 1 stays below it.
    targets = uniforms * cumulative[-1]
    drawn: npt.NDArray[np.int16] = np.searchsorted(cumulative, targets, "right").astype(np.int16)
    return drawn


def _check_weights(
    weights: FloatArray,  # (R,)
) -> FloatArray:  # (R,)
    """Weights divided by their sum."""
    if weights.ndim != 1 or weights.size == 0:
        raise ConfigError(
            f"weights: expected one number a reward, got shape {weights.shape}; pass a flat list"
        )
    if not np.isfinite(weights).all():
        raise BadNumbers(
            f"weights: expected finite numbers, got {weights.tolist()}; repair the weight of "
            f"reward {int(np.argmin(np.isfinite(weights)))}"
        )
    if (weights < 0).any():
        raise ConfigError(
            f"weights: expected no negative number, got {weights.tolist()}; set weight 0 to "
            "leave a reward out"
        )
    if not weights.any():
        raise ConfigError(
            f"weights: expected a positive sum, got {weights.tolist()}; give a reward a weight"
        )
    scaled = weights / weights.max()  # so that huge weights cannot overflow in the sum
    shares: FloatArray = scaled / scaled.sum()
    return shares
