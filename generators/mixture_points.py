"""Points of a mixture of Gaussians, and its density at points. Letters: n points, k components."""

import numpy as np
import numpy.typing as npt

from generators.warm_em import Components, log_joint

FloatArray = npt.NDArray[np.float64]


def draw_points(
    components: Components,
    num_samples: int,
    *,
    rng: np.random.Generator,
) -> FloatArray:  # (num_samples, 2)
    """Independent points: a component by inverse CDF, then mean + L z with standard normal z."""
    shares = np.cumsum(components.weights)
    uniforms = rng.random(num_samples) * shares[-1]
    chosen = np.searchsorted(shares[:-1], uniforms, side="right")
    normals = rng.standard_normal((num_samples, 2))
    factors = components.factors()[chosen]
    points: FloatArray = components.means[chosen]
    points[:, 0] += factors[:, 0, 0] * normals[:, 0]
    points[:, 1] += factors[:, 1, 0] * normals[:, 0] + factors[:, 1, 1] * normals[:, 1]
    return points


def log_density(
    components: Components,
    points: FloatArray,  # (n, 2)
) -> FloatArray:  # (n,)
    """Natural logarithm of the mixture's density at every point."""
    # A component whose weight has come to 0 adds exp(-inf) = 0.
    with np.errstate(divide="ignore"):
        values: FloatArray = np.logaddexp.reduce(log_joint(components, points), axis=0)
    return values
