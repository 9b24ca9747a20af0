"""Mixtures and points that the tests of generator `mixture` share."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

from generators.mixture import Mixture, MixtureConfig, MixtureInitial
from generators.mixture_points import draw_points
from generators.warm_em import Components

FloatArray = npt.NDArray[np.float64]

FLOOR = 1e-6
TWO = Components(
    weights=np.array([0.3, 0.7]),
    means=np.array([[-3.0, 1.0], [3.0, 0.0]]),
    covariances=np.array([[[0.5, 0.2], [0.2, 0.3]], [[1.0, -0.4], [-0.4, 0.8]]]),
)
ALGORITHMS = pytest.mark.parametrize("algorithm", ["em", "warm-em"])


def table(points: FloatArray) -> pa.Table:
    return pa.table({"x": points[:, 0], "y": points[:, 1]})


def points_of_two(num_points: int, seed: int = 0) -> FloatArray:
    return draw_points(TWO, num_points, rng=np.random.default_rng(seed))


def configured(algorithm: str, **changes: object) -> MixtureConfig:
    return MixtureConfig.model_validate({"algorithm": algorithm, **changes})


def started(algorithm: str = "em", **changes: object) -> Mixture:
    config = configured(algorithm, **changes)
    return Mixture.initial(config, MixtureInitial(), seed=0)


def moments(components: Components) -> tuple[FloatArray, FloatArray]:
    mean = components.weights @ components.means
    steps = components.means - mean
    spread = components.covariances + steps[:, :, None] * steps[:, None, :]
    return mean, np.einsum("k,kij->ij", components.weights, spread)
