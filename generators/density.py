"""Generator `density`: any distribution on a grid, refitted exactly (paper, section C.9).

The model of infinite capacity: maximum likelihood is the share of every grid point among the
curated rows, so nothing lies between the curated set and the next model.
"""

from pathlib import Path
from typing import ClassVar, Literal, Self, final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from data.checkpoints import CheckpointFolder
from data.configuration import setting
from data.errors import BadNumbers, ConfigError
from data.model_folder import read_model, write_model
from data.points import points_of
from data.schemas import POINTS, TRAINING, described
from generators.density_grid import DensityConfig, atom_indices
from generators.initial_gaussian import GaussianInitial
from generators.registry import Generator, GeneratorConfig, InitialConfig

FloatArray = npt.NDArray[np.float64]

SUPPORT = pa.schema([*POINTS, described("mass", pa.float64(), "probability of the sample")])
NEGLIGIBLE_MASS = 1e-12


class DensityInitial(GaussianInitial):
    """p_0; exact, so `seed` changes nothing. One dimension uses the first entry of each field."""

    shape: Literal["uniform", "gaussian"] = setting(
        "uniform", "equal masses, or the Gaussian's density normalised on the grid", "R"
    )


@final
class Density:
    """A probability for every point of a grid, in the order of `DensityConfig.atoms`."""

    Config: ClassVar[type[GeneratorConfig]] = DensityConfig
    InitialConfig: ClassVar[type[InitialConfig]] = DensityInitial
    libraries: ClassVar[tuple[str, ...]] = ()

    def __init__(self, config: DensityConfig, masses: FloatArray, losses: FloatArray) -> None:
        self.config = config
        self.masses = masses  # (n,), sum 1
        self.losses = losses  # (0,) or (1,)

    @property
    def schema(self) -> pa.Schema:
        """Columns x and y; y is 0 on a grid of one dimension."""
        return POINTS

    @property
    def training_log(self) -> pa.Table:
        """Mean negative log-likelihood of the curated rows after the fit; empty if loaded."""
        steps = np.arange(len(self.losses), dtype=np.int32)
        return pa.table({"step": steps, "loss": self.losses}, schema=TRAINING)

    def support(self) -> pa.Table:
        """Every grid point with its mass, also those of mass 0."""
        atoms = self.config.atoms()
        columns = {"x": atoms[:, 0], "y": atoms[:, 1], "mass": self.masses}
        return pa.table(columns, schema=SUPPORT)

    def sample(self, num_samples: int, *, seed: int, prompts: pa.Table | None = None) -> pa.Table:
        """Independent grid points by inverse CDF; raises `ConfigError` when prompts are given."""
        if prompts is not None:
            raise ConfigError(
                f"generator density: expected no prompts, got {prompts.num_rows}; leave them out"
            )
        cumulative = np.cumsum(self.masses)
        uniforms = np.random.default_rng(seed).random(num_samples) * cumulative[-1]
        drawn = np.searchsorted(cumulative, uniforms, side="right")
        # A product that rounds up to the total would fall behind the last atom of any mass.
        drawn = np.minimum(drawn, np.flatnonzero(self.masses)[-1])
        atoms = self.config.atoms()[drawn]
        return pa.table({"x": atoms[:, 0], "y": atoms[:, 1]}, schema=POINTS)

    def refit(
        self,
        curated: pa.Table,
        *,
        iteration: int,
        seed: int,
        checkpoints: CheckpointFolder | None = None,
    ) -> Self:
        """The exact maximum of the likelihood: a grid point's share of the curated rows.

        With a column `weight` shares are sums of weights. `iteration`, `seed`, `checkpoints`
        and the present masses change nothing. Raises `BadNumbers` for coordinates that are not
        finite and for weights that are negative, not finite or all zero, `ConfigError` for no
        rows and for a row that is no grid point.
        """
        points = points_of(curated, "generator density")
        if len(points) == 0:
            raise ConfigError(
                "generator density: expected at least 1 row to fit, got 0; raise "
                "selection.num_curated"
            )
        indices = atom_indices(points, self.config)
        weights = _weights_of(curated)
        shares = np.bincount(indices, weights, minlength=len(self.masses))
        masses = shares / shares.sum()
        # The likelihood of weighted rows at its own maximum is the entropy of the shares.
        return type(self)(self.config, masses, np.array([_entropy(masses)]))

    def metrics(self) -> dict[str, float]:
        """Entropy in nats, and the number of grid points with a mass above 1e-12."""
        return {
            "entropy": _entropy(self.masses),
            "num_atoms": float(np.count_nonzero(self.masses > NEGLIGIBLE_MASS)),
        }

    def save(self, folder: Path) -> None:
        """Write model.safetensors (masses, float64) and config.json."""
        tensors = {"masses": self.masses}
        write_model(folder, tensors, kind=self.config.kind, num_atoms=len(self.masses))

    @classmethod
    def load(cls, folder: Path, config: DensityConfig) -> Self:
        """The density saved in `folder`; raises `ConfigError` for another kind or grid size."""
        masses = read_model(folder, config.kind)[0]["masses"]
        num_atoms = len(config.atoms())
        if masses.shape != (num_atoms,):
            raise ConfigError(
                f"generator density: expected {num_atoms} masses in {folder}, got "
                f"{len(masses)}; load it with the grid it was saved with"
            )
        return cls(config, masses, np.empty(0))

    @classmethod
    def initial(
        cls,
        config: DensityConfig,
        initial_config: DensityInitial,
        *,
        seed: int,
        checkpoints: CheckpointFolder | None = None,
    ) -> Self:
        """Equal masses, or the Gaussian normalised on the grid."""
        atoms = config.atoms()
        logs = np.zeros(len(atoms))
        if initial_config.shape == "gaussian":
            axes = slice(0, config.dimensions)
            steps = (atoms - np.array(initial_config.mean))[:, axes]
            precision = np.linalg.inv(np.array(initial_config.covariance)[axes, axes])
            logs = -0.5 * np.einsum("ni,ij,nj->n", steps, precision, steps)
        # Relative to the largest, so that a Gaussian far from the grid is no 0/0.
        masses = np.exp(logs - logs.max())
        return cls(config, masses / masses.sum(), np.empty(0))

    @classmethod
    def example(cls) -> Self:
        """A Gaussian on a plane of 9 x 7 points."""
        config = DensityConfig(dimensions=2, bounds=((-2.0, 2.0), (-1.5, 1.5)), num_points=(9, 7))
        return cls.initial(config, DensityInitial(shape="gaussian"), seed=0)


def _weights_of(
    curated: pa.Table,  # n rows
) -> FloatArray | None:  # (n,)
    if "weight" not in curated.column_names:
        return None
    weights: FloatArray = curated["weight"].to_numpy().astype(np.float64)
    bad = np.flatnonzero(~(np.isfinite(weights) & (weights >= 0)))
    if len(bad):
        raise BadNumbers(
            f"generator density: expected finite weights of at least 0, got {weights[bad[0]]} in "
            f"row {bad[0]} ({len(bad)} such rows of {len(weights)}); correct what produced them"
        )
    with np.errstate(over="ignore"):
        total = float(weights.sum())
    if not 0 < total < np.inf:
        raise BadNumbers(
            f"generator density: expected weights with a finite positive sum, got {total}; a fit "
            "needs at least one row that counts"
        )
    return weights


def _entropy(
    masses: FloatArray,  # (n,)
) -> float:
    positive = masses[masses > 0]
    return float(-(positive * np.log(positive)).sum())


GENERATOR: type[Generator] = Density
