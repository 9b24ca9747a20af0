"""Mixtures of Gaussians in the plane, and EM started from a mixture that is already near.

Between two rounds the model changes little, so a start from the present parameters saves
the initial clustering and most of the steps. It may reach another optimum than a fit from
scratch. Letters: n points, k components.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from data.errors import BadNumbers

FloatArray = npt.NDArray[np.float64]

# Keeps the mean of a component that lost all its points defined (scikit-learn's choice too).
LEAST_COUNT = 10 * np.finfo(np.float64).eps
# Each half of a unit Gaussian, cut at 0, has mean +-sqrt(2/pi) and variance 1 - 2/pi.
HALF_MEAN = np.sqrt(2 / np.pi)


@dataclass(frozen=True, eq=False)
class Components:
    """Parameters of a mixture."""

    weights: FloatArray  # (k,), sum 1
    means: FloatArray  # (k, 2)
    covariances: FloatArray  # (k, 2, 2)

    def sorted_by_x(self) -> "Components":
        """The same mixture with its components in order of their mean, x before y."""
        order = np.lexsort((self.means[:, 1], self.means[:, 0]))
        return Components(self.weights[order], self.means[order], self.covariances[order])

    def factors(self) -> FloatArray:  # (k, 2, 2)
        """Cholesky factors L with covariance L L^T; raises `BadNumbers` if there are none."""
        try:
            factors = np.asarray(np.linalg.cholesky(self.covariances), dtype=np.float64)
        except np.linalg.LinAlgError:
            factors = np.full_like(self.covariances, np.nan)
        parameters = (self.weights, self.means, factors)
        if not all(np.isfinite(values).all() for values in parameters):
            raise BadNumbers(
                "generator mixture: expected finite parameters and positive definite "
                f"covariances, got {self.covariances.tolist()}; rescale the points or raise "
                "generator.covariance_floor"
            )
        return factors


@dataclass(frozen=True, eq=False)
class EmFit:
    """Outcome of EM. `losses` are mean negative log-likelihoods after the last steps, in nats."""

    components: Components
    losses: FloatArray  # (at most num_steps,)
    num_steps: int
    converged: bool


def log_joint(
    components: Components,
    points: FloatArray,  # (n, 2)
) -> FloatArray:  # (k, n)
    """log(weight_j N(x; mean_j, covariance_j)) of every component j and point x."""
    factors = components.factors()
    along, slope, across = factors[:, 0, 0], factors[:, 1, 0], factors[:, 1, 1]
    first = (points[:, 0] - components.means[:, :1]) / along[:, np.newaxis]
    second = points[:, 1] - components.means[:, 1:] - slope[:, np.newaxis] * first
    second /= across[:, np.newaxis]
    constants = np.log(components.weights) - np.log(2 * np.pi * along * across)
    joint: FloatArray = constants[:, np.newaxis] - 0.5 * (first**2 + second**2)
    return joint


def mean_log_likelihood(
    components: Components,
    points: FloatArray,  # (n, 2)
) -> float:
    """Mean over the points of log p(x), in nats."""
    return float(np.logaddexp.reduce(log_joint(components, points), axis=0).mean())


def fit_warm(
    points: FloatArray,  # (n, 2)
    start: Components,
    *,
    tolerance: float,
    max_steps: int,
    covariance_floor: float,
) -> EmFit:
    """Maximum likelihood by EM from `start`, with as many components.

    Ends when a step changes the mean log-likelihood by less than `tolerance` (nats), or after
    `max_steps`. `covariance_floor` is added to every variance. Weighted moments of the points
    come from the sums of 1, x, y, x^2, xy, y^2 per component, which costs one pass; they are
    taken about the overall mean because the difference of squares loses digits far from it.
    """
    origin = points.mean(axis=0)
    x, y = (points - origin).T
    features = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y])
    components, converged = start, False
    responsibilities, bound = _expect(start, points)
    losses: list[float] = []
    while len(losses) < max_steps and not converged:
        # einsum without BLAS: the bits do not depend on the number of threads.
        sums = np.einsum("kn,fn->kf", responsibilities, features)
        components = _maximise(sums, origin, covariance_floor)
        responsibilities, after = _expect(components, points)
        converged = abs(after - bound) < tolerance
        bound = after
        losses.append(-after)
    return EmFit(components, np.array(losses), len(losses), converged)


def resized(components: Components, num_components: int) -> Components:
    """A start with `num_components` components, close to `components`.

    To grow, the component with the largest weight times principal variance is cut in two halves
    along its principal axis, again and again; every cut keeps weight, mean and covariance of the
    whole. To shrink, the mixture is replaced by one Gaussian of its moments, which is then cut.
    """
    if num_components < len(components.weights):
        components = _merged(components)
    while len(components.weights) < num_components:
        components = _split(components)
    return components


def _expect(
    components: Components,
    points: FloatArray,  # (n, 2)
) -> tuple[FloatArray, float]:  # (k, n)
    joint = log_joint(components, points)
    log_density = np.logaddexp.reduce(joint, axis=0)
    return np.exp(joint - log_density), float(log_density.mean())


def _maximise(
    sums: FloatArray,  # (k, 6)
    origin: FloatArray,  # (2,)
    covariance_floor: float,
) -> Components:
    counts = sums[:, 0] + LEAST_COUNT
    moments = sums[:, 1:] / counts[:, np.newaxis]
    means = moments[:, :2]
    second = moments[:, [2, 3, 3, 4]].reshape(-1, 2, 2)
    covariances = second - means[:, :, np.newaxis] * means[:, np.newaxis, :]
    covariances += covariance_floor * np.eye(2)
    return Components(counts / counts.sum(), means + origin, covariances)


def _merged(components: Components) -> Components:
    mean = components.weights @ components.means
    steps = components.means - mean
    spread = components.covariances + steps[:, :, np.newaxis] * steps[:, np.newaxis, :]
    covariance = np.einsum("k,kij->ij", components.weights, spread)
    return Components(np.ones(1), mean[np.newaxis], covariance[np.newaxis])


def _split(components: Components) -> Components:
    variances, axes = np.linalg.eigh(components.covariances)
    chosen = int(np.argmax(components.weights * variances[:, -1]))
    axis = axes[chosen, :, -1]
    # An eigenvector has no sign of its own; pointing right makes the result canonical.
    axis = axis * (1.0 if (axis[0], axis[1]) > (0.0, 0.0) else -1.0)
    step = HALF_MEAN * np.sqrt(variances[chosen, -1]) * axis
    others = np.arange(len(components.weights)) != chosen
    weight, mean = components.weights[chosen] / 2, components.means[chosen]
    half = components.covariances[chosen] - np.outer(step, step)
    return Components(
        np.concatenate([components.weights[others], [weight, weight]]),
        np.concatenate([components.means[others], [mean - step, mean + step]]),
        np.concatenate([components.covariances[others], [half, half]]),
    )
