"""The region of features that holds 95 % of p_0's samples, and how much of a model lies outside.

n samples, D features.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import safetensors.numpy

from data.errors import BadNumbers, ConfigError
from tasks.frechet import Features, centred_chunks, check_features, moments_of

FloatArray = npt.NDArray[np.float64]

TAIL_SHARE = 0.05
TENSORS = "tail.safetensors"


@dataclass(frozen=True)
class TailRegion:
    """An ellipsoid around p_0's mean: where the squared Mahalanobis distance is below `bound`."""

    mean: FloatArray  # (D,)
    whitener: FloatArray  # (D, D), rows times it have unit covariance under p_0
    bound: float

    def squared_distances(
        self,
        features: Features,  # (n, D)
    ) -> FloatArray:  # (n,)
        """Squared Mahalanobis distances to p_0's mean; raises as `check_features`."""
        check_features(features)
        if features.shape[1] != len(self.mean):
            raise ConfigError(
                f"tail region: expected {len(self.mean)} features a sample, got "
                f"{features.shape[1]}; take those of the network it was fitted with"
            )
        chunks = centred_chunks(features, self.mean)
        return np.concatenate([np.sum((chunk @ self.whitener) ** 2, axis=1) for chunk in chunks])

    def coverage(
        self,
        features: Features,  # (n, D)
    ) -> float:
        """Share of samples outside, over .05: 1 for p_0, 0 when its tails are not reached."""
        return float(np.mean(self.squared_distances(features) > self.bound)) / TAIL_SHARE


def fit_tail_region(
    features: Features,  # (n, D), of p_0
) -> TailRegion:
    """The 95 % region of p_0 from its samples, of which every second one fits the ellipsoid.

    The others, which the fit has not seen, decide its size: distances of the very samples that
    a covariance of many features is fitted to are too short. The covariance is shrunk towards
    its mean variance by the oracle approximating rule (Chen et al. 2010), which matters where
    features are many or silent. Raises `BadNumbers` for features that do not vary, `ConfigError`
    for fewer than four samples, and as `check_features`.
    """
    if len(features) < 4:
        raise ConfigError(
            f"tail region: expected at least 4 samples of p_0, got {len(features)}; raise "
            "evaluation.num_samples"
        )
    fitted = moments_of(features[::2])
    covariance = _shrunk(fitted.covariance, fitted.count)
    # From C = L L' follows that rows times inv(L)' have unit covariance.
    whitener = np.linalg.inv(np.linalg.cholesky(covariance)).T
    unbounded = TailRegion(fitted.mean, np.ascontiguousarray(whitener), np.inf)
    distances = unbounded.squared_distances(features[1::2])
    bound = float(np.quantile(distances, 1 - TAIL_SHARE))
    return TailRegion(unbounded.mean, unbounded.whitener, bound)


def write_tail_region(region: TailRegion, folder: Path) -> None:
    """Write tail.safetensors, without metadata; equal regions give equal bytes."""
    tensors = {
        "mean": region.mean,
        "whitener": region.whitener,
        "bound": np.array([region.bound]),
    }
    (folder / TENSORS).write_bytes(safetensors.numpy.save(tensors))


def read_tail_region(folder: Path) -> TailRegion:
    """What `write_tail_region` wrote into `folder`."""
    tensors = safetensors.numpy.load((folder / TENSORS).read_bytes())
    return TailRegion(tensors["mean"], tensors["whitener"], float(tensors["bound"][0]))


def _shrunk(
    covariance: FloatArray,  # (D, D)
    count: int,
) -> FloatArray:  # (D, D)
    """(1 - rho) S + rho tr(S)/D I with rho of the oracle approximating rule, at most 1."""
    width = len(covariance)
    total, squares = float(np.trace(covariance)), float(np.sum(covariance**2))
    if not total > 0:
        raise BadNumbers(
            "tail region: expected features that differ between samples of p_0, got a variance "
            f"of {total}; check the initial model and the weights of the network"
        )
    above = (1 - 2 / width) * squares + total**2
    below = (count + 1 - 2 / width) * (squares - total**2 / width)
    rho = min(1.0, above / below) if below > 0 else 1.0
    return (1 - rho) * covariance + rho * total / width * np.eye(width)
