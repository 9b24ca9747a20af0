"""Selection without sampling noise: every candidate's chance instead of one winner a draw.

n candidates that are the whole support of the model, R rewards.
"""

import numpy as np
import numpy.typing as npt

from data.errors import BadNumbers, ConfigError
from theory.dynamics import selection_weights

FloatArray = npt.NDArray[np.float64]


def expected_winners(
    scores: FloatArray,  # (n, R)
    masses: FloatArray,  # (n,)
    *,
    pool_size: int | None,
    temperature: float,
) -> FloatArray:  # (R, n)
    """Chance p(x) H_i(x) that candidate x wins a draw decided by reward i; rows sum to 1.

    `pool_size` None is the infinite pool, H_i = u_i / E_p[u_i] (paper, Lemma 2), a number the
    exact law of a pool of so many candidates drawn from p (paper, Lemma 1). Raises `BadNumbers`
    for scores that are not finite, `ConfigError` for masses that are no probabilities.
    """
    if not np.isfinite(scores).all():
        raise BadNumbers("scores: expected finite numbers, got NaN or infinity; repair the reward")
    try:
        weights = selection_weights(masses, scores.T, pool_size=pool_size, temperature=temperature)
    except ValueError as error:
        raise ConfigError(f"selection: {error}") from error
    # A candidate without mass may have an infinite weight; it wins nothing all the same.
    chances: FloatArray = masses * np.where(masses > 0, weights, 0.0)
    return chances
