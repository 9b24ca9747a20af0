"""Near-optimal basins A_i = {r_i >= r_i* - eps} of a table of rewards (paper, Section 2.1)."""

import numpy as np
import numpy.typing as npt

from theory.checks import BoolArray, FloatArray, check_flags, check_number, check_table


class OverlappingBasins(ValueError):
    """Two basins share an atom; the results about them need them apart."""


class EmptyBasin(ValueError):
    """No atom comes within epsilon of the supremum of a reward."""


def find_basins(
    rewards: npt.ArrayLike,  # (R, n)
    epsilon: float,
    *,
    suprema: npt.ArrayLike | None = None,  # (R,)
    present: npt.ArrayLike | None = None,  # (n,) bool
) -> BoolArray:  # (R, n)
    """The atoms of each basin.

    r_i* is the largest reward over the atoms, or over those `present`, unless `suprema` gives it;
    only atoms that are present belong to a basin. Raises `EmptyBasin` and `OverlappingBasins`, both
    `ValueError`, and `ValueError` for a negative epsilon or arrays of the wrong shape.
    """
    rewards = check_table("rewards", rewards)
    epsilon = check_number("epsilon", epsilon, least=0.0)
    mask = _present_atoms(present, rewards.shape[1])
    tops = find_suprema(rewards, suprema=suprema, present=mask)
    basins: BoolArray = (rewards >= (tops - epsilon)[:, np.newaxis]) & mask
    empty = np.flatnonzero(~basins.any(axis=1))
    if len(empty):
        reward = int(empty[0])
        best = float(rewards[reward, mask].max())
        raise EmptyBasin(
            f"basin {reward}: expected an atom with a reward of at least "
            f"{tops[reward] - epsilon:g}, got {best:g} at most; raise epsilon or lower the supremum"
        )
    shared = np.flatnonzero(basins.sum(axis=0) > 1)
    if len(shared):
        first, second = np.flatnonzero(basins[:, shared[0]])[:2]
        raise OverlappingBasins(
            f"basins {first} and {second}: expected no atom in common, got {len(shared)} shared "
            f"atoms among all basins, the first at {shared[0]}; lower epsilon, now {epsilon:g}"
        )
    return basins


def find_suprema(
    rewards: npt.ArrayLike,  # (R, n)
    *,
    suprema: npt.ArrayLike | None = None,  # (R,)
    present: npt.ArrayLike | None = None,  # (n,) bool
) -> FloatArray:  # (R,)
    """r_i*, the largest reward over the atoms (present), or `suprema` once checked."""
    rewards = check_table("rewards", rewards)
    if suprema is None:
        mask = _present_atoms(present, rewards.shape[1])
        tops: FloatArray = rewards[:, mask].max(axis=1)
        return tops
    given = np.asarray(suprema, dtype=np.float64)
    if given.shape != (len(rewards),) or not np.isfinite(given).all():
        raise ValueError(
            f"suprema: expected {len(rewards)} finite numbers, got {given.tolist()}; give one a "
            "reward, or leave them out to use the largest reward over the atoms"
        )
    return given


def _present_atoms(present: npt.ArrayLike | None, num_atoms: int) -> BoolArray:  # (n,)
    if present is None:
        return np.ones(num_atoms, dtype=np.bool_)
    mask = check_flags("present", present, (num_atoms,))
    if not mask.any():
        raise ValueError("present: expected at least one True, got none; give p > 0 of a model")
    return mask
