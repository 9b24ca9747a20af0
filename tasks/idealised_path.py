"""The idealised model on a grid: what selection alone does to p_0, round by round.

n atoms of the plane, R rewards, T rounds. The model can represent every density, so this is the
loop without sampling noise and without a model family.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from data.schemas import POINTS
from data.seeds import stage_seed
from generators.registry import find_generator
from rewards.registry import Reward, find_basins, known_suprema
from tasks.settings import RunConfig
from theory.dynamics import trajectory

FloatArray = npt.NDArray[np.float64]

# Atoms along and across. Even numbers: none lies in the middle, where basins meet.
NUM_ALONG, NUM_ACROSS = 80, 40


@dataclass(frozen=True, eq=False)
class IdealisedPath:
    """Shares of the basins over rounds, and the mass in no basin where the grid can tell."""

    shares: FloatArray  # (T + 1, R)
    outside: FloatArray | None  # (T + 1,)


def idealised_path(
    config: RunConfig,
    rewards: list[Reward],  # R of them
    schedule: FloatArray,  # (T, R)
    pool_size: int | None,
) -> IdealisedPath | None:
    """The path from the configured p_0; None where samples are no points or basins not defined.

    None as well where a Gaussian p_0 is so far from a reward that its mass there underflows.
    """
    found = _start(config, rewards)
    if found is None:
        return None
    atoms, masses, is_exact = found
    labels = find_basins(rewards, atoms)
    if labels is None:
        return None
    scores = np.array([reward(atoms) for reward in rewards])  # (R, n)
    ways = (np.arange(len(rewards))[:, np.newaxis] == labels).astype(np.float64)
    if not is_exact and (ways.any(axis=1) & (ways @ masses == 0)).any():
        return None
    basins = scores >= (known_suprema(rewards) - config.evaluation.basin_epsilon)[:, np.newaxis]
    steps = list(
        trajectory(
            masses,
            scores,
            schedule,
            iterations=len(schedule),
            pool_size=pool_size,
            temperature=config.selection.temperature,
        )
    )
    outside = None
    # A basin without an atom is finer than the grid, or its supremum is not known; one without
    # mass, which the Gaussian has everywhere, is too far away for floating point.
    if basins.any(axis=1).all() and (is_exact or (basins @ masses > 0).all()):
        inside = basins.any(axis=0)
        outside = np.array([float(p[~inside].sum()) for p in steps])
    return IdealisedPath(np.array([ways @ p for p in steps]), outside)


def leakage_at_centres(rewards: list[Reward], temperature: float) -> FloatArray | None:  # (R, R)
    """eta_ij = exp((r_i(mu_j) - r_i(mu_i)) / tau) of rewards with a centre, else None."""
    centres = [getattr(reward.config, "centre", None) for reward in rewards]
    if temperature <= 0 or any(centre is None for centre in centres):
        return None
    x, y = np.array(centres, dtype=np.float64).T
    table = pa.table({"x": x, "y": y}, schema=POINTS)
    scores = np.array([reward(table) for reward in rewards])
    eta: FloatArray = np.exp((scores - np.diag(scores)[:, np.newaxis]) / temperature)
    return eta


def _start(config: RunConfig, rewards: list[Reward]) -> tuple[pa.Table, FloatArray, bool] | None:
    """Atoms, p_0's mass on them, and whether they are the generator's own or a grid of ours."""
    kind = find_generator(config.generator.kind)
    if hasattr(kind, "support"):
        seed = stage_seed(config.initial.seed, "initial", 0)
        support = kind.initial(config.generator, config.initial, seed=seed).support()
        return support.select(["x", "y"]), support["mass"].to_numpy(), True
    plain = config.initial.model_dump(mode="json")
    centres = [getattr(reward.config, "centre", None) for reward in rewards]
    if "mean" not in plain or any(centre is None for centre in centres):
        return None
    mean, covariance = np.array(plain["mean"]), np.array(plain["covariance"])
    return *_gaussian_grid(mean, covariance, np.array(centres, dtype=np.float64)), False


def _gaussian_grid(
    mean: FloatArray,  # (2,)
    covariance: FloatArray,  # (2, 2)
    centres: FloatArray,  # (R, 2)
) -> tuple[pa.Table, FloatArray]:
    """Points of a grid over p_0's Gaussian and all centres, with p_0's mass on them."""
    middle = (centres.min(axis=0) + centres.max(axis=0)) / 2
    gaps = centres[:, np.newaxis] - centres
    first, second = np.unravel_index(np.argmax((gaps**2).sum(axis=2)), gaps.shape[:2])
    line = gaps[second, first]
    length = float(np.linalg.norm(line))
    along = line / length if length else np.array([1.0, 0.0])
    frame = np.array([along, [-along[1], along[0]]])
    spread = np.sqrt(np.diag(frame @ covariance @ frame.T))
    to_mean, to_centres = frame @ (mean - middle), (centres - middle) @ frame.T
    half = np.maximum(np.abs(to_mean), np.abs(to_centres).max(axis=0)) + [4, 3] * spread
    axes = [np.linspace(-h, h, n) for h, n in zip(half, (NUM_ALONG, NUM_ACROSS), strict=True)]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2) @ frame + middle
    steps = grid - mean
    log_mass = -0.5 * np.einsum("ni,ij,nj->n", steps, np.linalg.inv(covariance), steps)
    mass = np.exp(log_mass - log_mass.max())
    return pa.table({"x": grid[:, 0], "y": grid[:, 1]}, schema=POINTS), mass / mass.sum()
