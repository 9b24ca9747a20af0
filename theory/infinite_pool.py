"""The update with infinitely many candidates, p' = p sum_i pi_i u_i / E_p[u_i] (paper, Lemma 2).

Rewards do not change from round to round, so u_i = exp((r_i - max r_i) / tau) is computed once
and a round is one pass over blocks that stay in the cache: W = (pi / E_p[u]) u, p' = p W, and the
sums E_p'[u] that the next round needs. Once an atom falls below `SMALLEST` (or the rewards spread
too far for exponentials) the state becomes log p, in which an atom can fall to exp(-10^6) and
come back.

Letters: n atoms, m of them with p > 0, R rewards.
"""

import math

import numpy as np

from theory.checks import FloatArray, check_spread

SMALLEST = 1e-250  # p below which products with u could lose an atom for good
LARGEST_SPREAD = 600.0  # of r / tau, for which exponentials keep every atom
BLOCK_ATOMS = 8192


class TiltedDensity:
    """One density that is advanced round by round; `values` is never written to again."""

    def __init__(
        self,
        p: FloatArray,  # (n,)
        rewards: FloatArray,  # (R, n)
        temperature: float,
    ) -> None:
        self._num_atoms = len(p)
        smallest = float(p.min())
        self._present = None if smallest > 0 else np.flatnonzero(p)
        if self._present is not None:
            p, rewards = p[self._present], rewards[:, self._present]
            smallest = float(p.min())
        self._p = p
        self._rewards, self._temperature = rewards, temperature
        self._tops = rewards.max(axis=1)
        self._log_p: FloatArray | None = None
        with np.errstate(over="ignore"):
            spread = check_spread(float(((self._tops - rewards.min(axis=1)) / temperature).max()))
        if smallest < SMALLEST or spread > LARGEST_SPREAD:
            self._switch_to_logarithms()
        else:
            self._compute_exponentials()

    def advance(self, weights: FloatArray) -> FloatArray:  # (R,) -> (n,)
        """One round under these weights; gives the new density."""
        if self._log_p is None:
            following = np.empty_like(self._p)
            if self._advance_blocks(weights, following) >= SMALLEST:
                self._p = following
                return self._spread_out(following)
            self._switch_to_logarithms()  # and take this round again, from p before it
        return self._spread_out(self._advance_logarithms(weights))

    def _compute_exponentials(self) -> None:
        num_rewards, size = self._rewards.shape
        buffer = np.empty(num_rewards * size)
        tops = self._tops[:, np.newaxis]
        self._blocks: list[tuple[slice, FloatArray]] = []
        self._means = np.zeros(num_rewards)
        for begin in range(0, size, BLOCK_ATOMS):
            atoms = slice(begin, min(begin + BLOCK_ATOMS, size))
            block = buffer[num_rewards * atoms.start : num_rewards * atoms.stop]
            block = block.reshape(num_rewards, -1)  # contiguous, unlike columns of a table
            np.subtract(self._rewards[:, atoms], tops, out=block)
            if self._temperature != 1:
                np.divide(block, self._temperature, out=block)
            np.exp(block, out=block)
            self._means += block @ self._p[atoms]
            self._blocks.append((atoms, block))
        self._multiplier = np.empty(min(size, BLOCK_ATOMS))

    def _advance_blocks(self, weights: FloatArray, following: FloatArray) -> float:
        """Writes p' to `following` and gives its smallest entry."""
        scale = weights / self._means
        means, smallest = np.zeros_like(scale), math.inf
        for atoms, block in self._blocks:
            out = following[atoms]
            multiplier = self._multiplier[: len(out)]
            np.dot(scale, block, out=multiplier)
            np.multiply(self._p[atoms], multiplier, out=out)
            means += np.dot(block, out)
            smallest = min(smallest, out.min())
        if smallest >= SMALLEST:
            self._means = means
        return smallest

    def _switch_to_logarithms(self) -> None:
        self._log_p = np.log(self._p)
        self._blocks = []
        self._logits = (self._rewards - self._tops[:, np.newaxis]) / self._temperature

    def _advance_logarithms(self, weights: FloatArray) -> FloatArray:
        assert self._log_p is not None
        active = np.flatnonzero(weights)
        logits = self._logits[active]
        tilted = logits - log_sum_exp(logits + self._log_p, axis=1)[:, np.newaxis]
        tilted += np.log(weights[active])[:, np.newaxis]
        self._log_p = self._log_p + log_sum_exp(tilted, axis=0)
        following: FloatArray = np.exp(self._log_p)
        return following

    def _spread_out(self, values: FloatArray) -> FloatArray:  # (m,) -> (n,)
        if self._present is None:
            return values
        whole = np.zeros(self._num_atoms)
        whole[self._present] = values
        return whole


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
