"""The update with infinitely many candidates, p' = p sum_i pi_i u_i / E_p[u_i] (paper, Lemma 2).

Rewards do not change from round to round, so u_i = exp((r_i - max r_i) / tau) is computed once
and a round is one pass over blocks that stay in the cache: W = (pi / E_p[u]) u, p' = p W, and the
sums E_p'[u] that the next round needs. A block with an atom below `SMALLEST` turns to log p, in
which an atom can fall to exp(-10^6) and come back; rewards that spread too far for exponentials
are handled in logarithms throughout.

Letters: n atoms, m of them with p > 0, R rewards.
"""

from dataclasses import dataclass

import numpy as np

from theory.checks import FloatArray, check_spread

SMALLEST = 1e-250  # p below which an atom could be lost for good
LARGEST_SPREAD = 500.0  # of r / tau, for which W and E_p[u] keep every atom
BLOCK_ATOMS = 65_536  # smaller blocks cost calls, larger ones leave the cache


@dataclass(eq=False)
class _Block:
    """Some atoms in a row and what of them outlives a round."""

    atoms: slice
    exponentials: FloatArray  # (R, b), contiguous, unlike columns of a table
    log_p: FloatArray | None = None  # (b,), once an atom is below SMALLEST


class TiltedDensity:
    """One density that is advanced round by round; the arrays it gives are never written again."""

    def __init__(
        self,
        p: FloatArray,  # (n,)
        rewards: FloatArray,  # (R, n)
        temperature: float,
    ) -> None:
        self._num_atoms = len(p)
        self._present = None if p.min() > 0 else np.flatnonzero(p)
        if self._present is not None:
            p, rewards = p[self._present], rewards[:, self._present]
        self._p = p
        tops = rewards.max(axis=1, keepdims=True)
        with np.errstate(over="ignore"):
            spread = float(((tops[:, 0] - rewards.min(axis=1)) / temperature).max())
        self._log_p: FloatArray | None = None
        if check_spread(spread) > LARGEST_SPREAD:
            self._log_p, self._logits = np.log(p), (rewards - tops) / temperature
        else:
            self._compute_exponentials(rewards, tops, temperature)

    def advance(
        self,
        weights: FloatArray,  # (R,)
        *,
        last: bool = False,
    ) -> FloatArray:  # (n,)
        """One round under these weights; gives the new density. No round can follow the last."""
        if self._log_p is None:
            self._p = self._advance_blocks(weights, last)
        else:
            self._p = self._advance_logarithms(weights)
        if self._present is None:
            return self._p
        whole = np.zeros(self._num_atoms)
        whole[self._present] = self._p
        return whole

    def _compute_exponentials(
        self, rewards: FloatArray, tops: FloatArray, temperature: float
    ) -> None:
        num_rewards, size = rewards.shape
        storage = np.empty(num_rewards * size)
        self._buffer = np.empty(min(size, BLOCK_ATOMS))
        self._means = np.zeros(num_rewards)
        self._blocks: list[_Block] = []
        for begin in range(0, size, BLOCK_ATOMS):
            atoms = slice(begin, min(begin + BLOCK_ATOMS, size))
            block = storage[num_rewards * atoms.start : num_rewards * atoms.stop]
            block = block.reshape(num_rewards, -1)
            np.subtract(rewards[:, atoms], tops, out=block)
            if temperature != 1:
                np.divide(block, temperature, out=block)
            np.exp(block, out=block)
            self._means += np.dot(block, self._p[atoms])
            self._blocks.append(_Block(atoms, block))

    def _advance_blocks(self, weights: FloatArray, last: bool) -> FloatArray:
        scale = weights / self._means
        following, means = np.empty_like(self._p), np.zeros_like(scale)
        for block in self._blocks:
            out = following[block.atoms]
            factors = self._buffer[: len(out)]
            np.dot(scale, block.exponentials, out=factors)  # W
            if block.log_p is None:
                np.multiply(self._p[block.atoms], factors, out=out)
                if out.min() < SMALLEST:
                    block.log_p = np.log(self._p[block.atoms])
            if block.log_p is not None:
                block.log_p += np.log(factors, out=factors)
                np.exp(block.log_p, out=out)
            if not last:
                means += np.dot(block.exponentials, out)
        self._means = means
        return following

    def _advance_logarithms(self, weights: FloatArray) -> FloatArray:
        assert self._log_p is not None
        active = np.flatnonzero(weights)
        logits = self._logits[active]
        tilted = logits - log_sum_exp(logits + self._log_p, axis=1)[:, np.newaxis]
        tilted += np.log(weights[active])[:, np.newaxis]
        self._log_p = self._log_p + log_sum_exp(tilted, axis=0)
        following: FloatArray = np.exp(self._log_p)
        return following


def log_sum_exp(values: FloatArray, axis: int) -> FloatArray:
    """log sum exp along an axis of finite values, without overflow."""
    top = values.max(axis=axis, keepdims=True)
    total: FloatArray = np.log(np.exp(values - top).sum(axis=axis)) + top.squeeze(axis)
    return total


def limit_weights(
    p: FloatArray,  # (n,)
    logits: FloatArray,  # (R, n), r / tau
) -> FloatArray:  # (R, n)
    """u_i / E_p[u_i] for every reward and atom; infinite where no float64 holds it."""
    present = np.flatnonzero(p)
    means = log_sum_exp(logits[:, present] + np.log(p[present]), axis=1)
    with np.errstate(over="ignore"):
        tilted: FloatArray = np.exp(logits - means[:, np.newaxis])
    return tilted


def best_weights(
    p: FloatArray,  # (n,)
    rewards: FloatArray,  # (R, n)
) -> FloatArray:  # (R, n)
    """The limit tau = 0 of `limit_weights`: reward i puts all mass on its best atoms with p > 0.

    1 / p(best atoms) there and 0 below. An atom with p = 0 that beats all atoms with p > 0 has an
    infinite weight.
    """
    tops = np.where(p > 0, rewards, -np.inf).max(axis=1, keepdims=True)
    best = rewards == tops
    with np.errstate(over="ignore"):
        on_best = 1 / (best @ p)
    tilted: FloatArray = np.where(best, on_best[:, np.newaxis], 0.0)
    tilted[rewards > tops] = np.inf
    return tilted
