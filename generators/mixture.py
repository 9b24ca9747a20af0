"""Generator `mixture`: Gaussians in the plane, refitted by EM (paper, section C.4)."""

from pathlib import Path
from typing import ClassVar, Literal, Self, final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pydantic import field_validator

from data.checkpoints import CheckpointFolder
from data.configuration import setting
from data.errors import ConfigError
from data.model_folder import read_model, write_model
from data.points import points_of
from data.schemas import POINTS, TRAINING
from generators.initial_gaussian import GaussianInitial
from generators.mixture_points import draw_points, log_density
from generators.registry import Generator, GeneratorConfig, InitialConfig
from generators.scratch_em import fit_scratch
from generators.warm_em import Components, EmFit, fit_warm, resized

FloatArray = npt.NDArray[np.float64]


class MixtureConfig(GeneratorConfig):
    """Number of components over time, and how EM fits them."""

    after_initial: ClassVar[frozenset[str]] = frozenset({"components"})

    kind: Literal["mixture"] = setting("mixture", "model family", "S")
    components: tuple[tuple[int, int], ...] = setting(
        ((0, 1), (5, 2)), "pairs (first iteration, number of components from then on)", "O"
    )
    algorithm: Literal["em", "warm-em"] = setting(
        "em",
        "em: scikit-learn from scratch in every round, as in the paper; warm-em: faster, from "
        "the present parameters, may reach another optimum",
        "S",
    )
    random_state: int = setting(
        42, "seed of the clustering EM starts from", "S", ge=0, le=2**32 - 1
    )
    tolerance: float = setting(
        1e-3, "EM ends when a step changes the mean log-likelihood by less, in nats", "S", gt=0
    )
    max_steps: int = setting(100, "EM ends after so many steps at the latest", "S", ge=1)
    covariance_floor: float = setting(1e-6, "added to every variance", "S", ge=0)

    @field_validator("components")
    @classmethod
    def _check_components(cls, pairs: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
        firsts = [first for first, _ in pairs]
        ascending = firsts == sorted(set(firsts)) and firsts[:1] == [0]
        if not ascending or any(number < 1 for _, number in pairs):
            raise ValueError(
                "expected pairs (first iteration, number of components) with iterations "
                f"ascending from 0 and numbers of at least 1, got {pairs}; the paper's are "
                "((0, 1), (5, 2))"
            )
        return pairs

    def num_components(self, iteration: int) -> int:
        """Components of the model fitted in `iteration`, which is p_{iteration + 1}."""
        return [number for first, number in self.components if first <= iteration][-1]

    def first_iteration_above_one(self) -> int | None:
        """First iteration that fits more than one component, or None if there is none."""
        return next((first for first, number in self.components if number > 1), None)


class MixtureInitial(GaussianInitial):
    """p_0 is one component fitted to `num_points` points of a Gaussian."""

    num_points: int = setting(1000, "points p_0 is fitted to", "S", ge=2)


@final
class Mixture:
    """A mixture of Gaussians; components are kept in order of their mean's x."""

    Config: ClassVar[type[GeneratorConfig]] = MixtureConfig
    InitialConfig: ClassVar[type[InitialConfig]] = MixtureInitial
    libraries: ClassVar[tuple[str, ...]] = ("scikit-learn", "scipy")

    def __init__(self, config: MixtureConfig, fit: EmFit) -> None:
        self.config = config
        self.fit = fit

    @property
    def schema(self) -> pa.Schema:
        """Columns x and y."""
        return POINTS

    @property
    def training_log(self) -> pa.Table:
        """Mean negative log-likelihood after each EM step; empty if loaded."""
        losses = self.fit.losses
        steps = np.arange(self.fit.num_steps - len(losses), self.fit.num_steps, dtype=np.int32)
        return pa.table({"step": steps, "loss": losses}, schema=TRAINING)

    def sample(self, num_samples: int, *, seed: int, prompts: pa.Table | None = None) -> pa.Table:
        """Independent points; raises `ConfigError` when prompts are given."""
        if prompts is not None:
            raise ConfigError(
                f"generator mixture: expected no prompts, got {prompts.num_rows}; leave them out"
            )
        points = draw_points(self.fit.components, num_samples, rng=np.random.default_rng(seed))
        return pa.table({"x": points[:, 0], "y": points[:, 1]}, schema=POINTS)

    def refit(
        self,
        curated: pa.Table,
        *,
        iteration: int,
        seed: int,
        checkpoints: CheckpointFolder | None = None,
    ) -> Self:
        """The mixture of maximum likelihood with the number of components of `iteration`.

        `seed` and `checkpoints` are not needed: `random_state` decides, and a fit takes
        milliseconds. Raises `BadNumbers` for coordinates that are not finite and for data EM
        cannot fit, `ConfigError` for fewer rows than components or than 2.
        """
        points = points_of(curated, "generator mixture")
        num_components = self.config.num_components(iteration)
        fit = fit_mixture(points, num_components, self.config, start=self.fit.components)
        return type(self)(self.config, fit)

    def metrics(self) -> dict[str, float]:
        """Weight, mean and variances of each component, and how EM ended."""
        components = self.fit.components
        measured: dict[str, float] = {}
        for index, weight in enumerate(components.weights.tolist()):
            measured |= {
                f"component_weight.{index}": weight,
                f"component_mean_x.{index}": float(components.means[index, 0]),
                f"component_mean_y.{index}": float(components.means[index, 1]),
                f"component_var_x.{index}": float(components.covariances[index, 0, 0]),
                f"component_var_y.{index}": float(components.covariances[index, 1, 1]),
            }
        return measured | {
            "num_components": float(len(components.weights)),
            "converged": float(self.fit.converged),
            "em_steps": float(self.fit.num_steps),
        }

    def save(self, folder: Path) -> None:
        """Write model.safetensors (weights, means, covariances) and config.json."""
        components = self.fit.components
        tensors = {
            "weights": components.weights,
            "means": components.means,
            "covariances": components.covariances,
        }
        facts = {"converged": self.fit.converged, "em_steps": self.fit.num_steps}
        write_model(folder, tensors, kind=self.config.kind, **facts)

    @classmethod
    def load(cls, folder: Path, config: MixtureConfig) -> Self:
        """The mixture saved in `folder`; raises `ConfigError` for a model of another kind."""
        tensors, facts = read_model(folder, config.kind)
        components = Components(tensors["weights"], tensors["means"], tensors["covariances"])
        return cls(config, EmFit(components, np.empty(0), facts["em_steps"], facts["converged"]))

    @classmethod
    def initial(
        cls,
        config: MixtureConfig,
        initial_config: MixtureInitial,
        *,
        seed: int,
        checkpoints: CheckpointFolder | None = None,
    ) -> Self:
        """One component fitted to points of the configured Gaussian."""
        gaussian = _source(initial_config)
        points = points_of(cls.real_data(config, initial_config, seed=seed), "generator mixture")
        return cls(config, fit_mixture(points, 1, config, start=gaussian))

    @classmethod
    def real_data(
        cls, config: MixtureConfig, initial_config: MixtureInitial, *, seed: int
    ) -> pa.Table:
        """The points of the configured Gaussian that `initial` with this `seed` is fitted to."""
        rng = np.random.default_rng(seed)
        points = draw_points(_source(initial_config), initial_config.num_points, rng=rng)
        return pa.table({"x": points[:, 0], "y": points[:, 1]}, schema=POINTS)

    def log_density(
        self,
        samples: pa.Table,  # n rows
    ) -> FloatArray:  # (n,)
        """Natural logarithm of the model's density at each point."""
        return log_density(self.fit.components, points_of(samples, "generator mixture"))

    @classmethod
    def example(cls) -> Self:
        """p_0 of 200 points, with a second component from iteration 1 on."""
        config = MixtureConfig(components=((0, 1), (1, 2)))
        return cls.initial(config, MixtureInitial(num_points=200), seed=0)


def _source(initial_config: MixtureInitial) -> Components:
    return Components(
        np.ones(1), np.array([initial_config.mean]), np.array([initial_config.covariance])
    )


def fit_mixture(
    points: FloatArray,  # (n, 2)
    num_components: int,
    config: MixtureConfig,
    *,
    start: Components,
) -> EmFit:
    """Mixture of maximum likelihood by `config.algorithm`; only warm-em uses `start`.

    Raises as `Mixture.refit`.
    """
    least = max(2, num_components)
    if len(points) < least:
        raise ConfigError(
            f"generator mixture: expected at least {least} rows to fit {num_components} "
            f"component(s), got {len(points)}; raise selection.num_curated or lower "
            "generator.components"
        )
    # Overflow ends in the check of the parameters, which says more than numpy's warning.
    with np.errstate(over="ignore", invalid="ignore"):
        if config.algorithm == "warm-em":
            fit = fit_warm(
                points,
                resized(start, num_components),
                tolerance=config.tolerance,
                max_steps=config.max_steps,
                covariance_floor=config.covariance_floor,
            )
        else:
            fit = fit_scratch(
                points,
                num_components,
                random_state=config.random_state,
                tolerance=config.tolerance,
                max_steps=config.max_steps,
                covariance_floor=config.covariance_floor,
            )
        fit.components.factors()
    return EmFit(fit.components.sorted_by_x(), fit.losses, fit.num_steps, fit.converged)


GENERATOR: type[Generator] = Mixture
