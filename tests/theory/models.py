"""Random finite models with a seed, and independent slow references for what acts on them."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from theory.basins import OverlappingBasins, find_basins

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

NUM_MODELS = 2_000


@dataclass(frozen=True, eq=False)
class Model:
    """Atoms with probabilities, rewards, weights and a temperature."""

    p: FloatArray  # (n,)
    rewards: FloatArray  # (R, n)
    weights: FloatArray  # (R,)
    temperature: float


@dataclass(frozen=True, eq=False)
class BasinModel(Model):
    """A model whose basins at `epsilon` do not overlap."""

    epsilon: float
    basins: BoolArray  # (R, n)


def random_models(
    seed: int,
    count: int = NUM_MODELS,
    *,
    atoms: tuple[int, int] = (2, 12),
    rewards: tuple[int, int] = (2, 4),
    holes: bool = True,
) -> Iterator[Model]:
    """Sizes, skew of p, spread of rewards and temperature all vary; some atoms may have no mass."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        n = int(rng.integers(atoms[0], atoms[1] + 1))
        p = rng.dirichlet(np.full(n, rng.choice([0.3, 1.0, 5.0])))
        p = np.maximum(p, 1e-12)
        if holes and n > 2 and rng.random() < 0.3:
            p[rng.integers(n)] = 0.0
        num_rewards = int(rng.integers(rewards[0], rewards[1] + 1))
        yield Model(
            p=p / p.sum(),
            rewards=rng.normal(rng.normal(), rng.choice([0.3, 1.0, 4.0]), (num_rewards, n)),
            weights=rng.dirichlet(np.full(num_rewards, 2.0)),
            temperature=float(rng.choice([0.3, 1.0, 2.5])),
        )


def basin_models(seed: int, count: int = NUM_MODELS, *, num_rewards: int = 2) -> list[BasinModel]:
    """Models with disjoint basins, usually with mass outside of them too."""
    rng = np.random.default_rng(seed + 1)
    found: list[BasinModel] = []
    sizes = {"atoms": (2 * num_rewards, 14), "rewards": (num_rewards, num_rewards)}
    for model in random_models(seed, 100 * count, holes=False, **sizes):
        spread = float(np.ptp(model.rewards))
        epsilon = spread * float(rng.choice([0.01, 0.1, 0.25]))
        try:
            basins = find_basins(model.rewards, epsilon)
        except OverlappingBasins:
            continue
        found.append(BasinModel(**vars(model), epsilon=epsilon, basins=basins))
        if len(found) == count:
            return found
    raise AssertionError(f"only {len(found)} models with disjoint basins")


def only_basins(model: BasinModel, masses: FloatArray) -> FloatArray:  # (R,) -> (n,)
    """p moved into the basins with these masses, the conditionals kept."""
    p = np.zeros_like(model.p)
    for basin, mass in zip(model.basins, masses, strict=True):
        p[basin] = mass * model.p[basin] / model.p[basin].sum()
    normalized: FloatArray = p / p.sum()
    return normalized


def masses_of(p: FloatArray, basins: BoolArray) -> tuple[FloatArray, float]:
    """Basin masses and the mass outside, which is not below 0 by rounding."""
    inside: FloatArray = basins @ p
    return inside, float(p[~basins.any(axis=0)].sum())


def infinite_step(model: Model, p: FloatArray) -> FloatArray:
    """The update as written: p sum_i pi_i u_i / E_p[u_i]."""
    u = np.exp((model.rewards - model.rewards.max()) / model.temperature)
    multiplier: FloatArray = (model.weights / (u @ p)) @ u
    return p * multiplier


def brute_force_weights(
    p: FloatArray,  # (n,)
    u: FloatArray,  # (n,)
    pool_size: int,
) -> FloatArray:  # (n,)
    """H^K by going through every ordered pool of the K - 1 others."""
    n = len(p)
    total = np.zeros(n)
    for others in itertools.product(range(n), repeat=pool_size - 1):
        chosen = list(others)
        total += np.prod(p[chosen]) * pool_size * u / (u + u[chosen].sum())
    return total


def brute_force_best_weights(
    p: FloatArray,  # (n,)
    reward: FloatArray,  # (n,)
    pool_size: int,
) -> FloatArray:  # (n,)
    """The same when the best candidate wins and equal ones share."""
    n = len(p)
    total = np.zeros(n)
    for others in itertools.product(range(n), repeat=pool_size - 1):
        chosen = list(others)
        for x in range(n):
            pool = np.append(reward[chosen], reward[x])
            wins = reward[x] == pool.max()
            total[x] += np.prod(p[chosen]) * pool_size * wins / (pool == pool.max()).sum()
    return total
