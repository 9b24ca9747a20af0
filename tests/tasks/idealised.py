"""Runs of the theory checks computed the plain way, for tests of what is made of them."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pandas as pd

from tasks.basin_path import Paths, basin_paths

FloatArray = npt.NDArray[np.float64]

NAMES = ("left", "right")
ATOMS = np.linspace(-10, 10, 101)
EPSILON = 0.1


def bumps(distance: float) -> FloatArray:  # (2, 101)
    """Scores of the grid under two bumps of height 5 and width 1."""
    centres = np.array([[-distance / 2], [distance / 2]])
    scores: FloatArray = 5 * np.exp(-((ATOMS - centres) ** 2) / 2)
    return scores


def measured(distance: float, q: float, iterations: int = 50) -> dict[str, FloatArray]:
    """Metrics over k = 0 .. T of p' = p sum_i pi_i u_i / E_p[u_i] from a uniform start."""
    rewards, weights = bumps(distance), np.array([q, 1 - q])
    tilts, p = np.exp(rewards), np.full(len(ATOMS), 1 / len(ATOMS))
    basins = rewards >= rewards.max(axis=1, keepdims=True) - EPSILON
    masses = []
    for _ in range(iterations + 1):
        masses.append([*(basins @ p), p[~basins.any(axis=0)].sum()])
        p = p * (weights / (tilts @ p) @ tilts)
    columns = np.array(masses).T
    leaked = [rewards[i].max() - rewards[i][basins[1 - i]].max() for i in range(2)]
    eta = np.exp(EPSILON - np.array(leaked))
    rounds = np.arange(1, iterations + 1)
    return {
        "high_reward_mass.left": columns[0],
        "high_reward_mass.right": columns[1],
        "outside_mass": columns[2],
        "eta.left.right": np.full(len(rounds), eta[0]),
        "eta.right.left": np.full(len(rounds), eta[1]),
    }


def frame_of(
    distances: Iterable[float], weights: Iterable[float], iterations: int = 50
) -> pd.DataFrame:
    """The tidy frame of runs at every distance with every weight."""
    rows = []
    pairs = [(distance, q) for distance in distances for q in weights]
    for distance, q in pairs:
        run = f"c9-distance{distance:g}-q{q:g}"
        for metric, values in measured(distance, q, iterations).items():
            first = iterations + 1 - len(values)
            rows += [
                (run, "", 0, q, distance, first + k, metric, float(value))
                for k, value in enumerate(values)
            ]
    columns = ["run", "arm", "seed", "q", "distance", "k", "metric", "value"]
    return pd.DataFrame(rows, columns=columns)


def paths_of(distances: Iterable[float], weights: Iterable[float], iterations: int = 50) -> Paths:
    """The paths in that frame."""
    return basin_paths(frame_of(distances, weights, iterations), NAMES)
