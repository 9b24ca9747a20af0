"""How often an atom wins a pool of K candidates, exactly (paper, Lemma 1).

H^K_i(x) = E[ K u_i(x) / (u_i(x) + sum_{k<K} u_i(X_k)) ] with X_k drawn independently from p and
u_i = exp(r_i / tau). Two ways, both without sampling:
- few atoms and a small pool: the sum over every multiset of the K - 1 others;
- else 1/(a + S) = int_0^inf exp(-s (a + S)) ds, so that H = K u int exp(-s u) phi(s)^(K-1) ds
  with phi(s) = E[exp(-s u(X))], by the trapezoid rule in log s.
Error of the second, relative to H and for any u, p and K: the integrand is analytic for
|Im log s| < pi/2 and its integral there at most 1/cos of that angle times H, so the step of 1/4
costs 2e-15. Nodes are kept where some atom has 1e-17/K < s u < 40: elsewhere exp(-s u) is 0 or 1
for all atoms, and leaving these nodes out costs 1e-16. Rounding of sums of n terms comes on top.

Letters: n atoms, R rewards, K candidates, C multisets, m atoms with p > 0.
"""

import itertools
import math
from functools import lru_cache

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

ENUMERATED = 512  # multisets up to which they are enumerated; also keeps coefficients finite
ENUMERATED_TERMS = 1_000_000  # multisets times atoms times atoms with p > 0
STEP = 0.25  # in log s
START = 1e-17  # of 1 / (K u)
END = 40.0  # of 1 / u
BLOCK_ENTRIES = 1 << 17  # nodes times atoms handled at once: 1 MB an array
LARGE_POOL = 100  # above it phi^(K-1) needs 1 - phi to full precision


def pool_weights(
    p: FloatArray,  # (n,)
    logits: FloatArray,  # (R, n), r / tau
    pool_size: int,
) -> FloatArray:  # (R, n)
    """H^K_i(x) for every reward and atom, also those with p = 0; at a pool of one it is 1.

    The spread of the logits does not matter to the result, only to the time: at most
    4 (spread + log K + 43) evaluations an atom and reward. Arguments are not checked.
    """
    if pool_size == 1:
        return np.ones_like(logits)
    p = p / p.sum()
    present = np.flatnonzero(p)
    num_multisets = math.comb(pool_size + len(present) - 2, len(present) - 1)
    if num_multisets <= ENUMERATED and num_multisets * len(p) * len(present) <= ENUMERATED_TERMS:
        return np.stack([_by_enumeration(p, present, row, pool_size) for row in logits])
    return np.stack([_by_integral(p, row, pool_size) for row in logits])


def best_of_pool_weights(
    p: FloatArray,  # (n,)
    rewards: FloatArray,  # (R, n)
    pool_size: int,
) -> FloatArray:  # (R, n)
    """H^K_i(x) in the limit tau = 0: the best candidate wins, ties share equally.

    With G = P(r(X) <= r(x)) and e = P(r(X) = r(x)): (G^K - (G - e)^K)/e, or K G^(K-1) for e = 0.
    """
    p = p / p.sum()
    result = np.empty_like(rewards)
    for row, out in zip(rewards, result, strict=True):
        levels, level = np.unique(row, return_inverse=True)
        equal = np.bincount(level, weights=p, minlength=len(levels))
        upto = np.minimum(np.cumsum(equal), 1.0)
        # 0 where no atom of this level or below has mass: only a pool of one is won there.
        share = np.divide(equal, upto, out=np.ones_like(equal), where=upto > 0)
        with np.errstate(divide="ignore"):
            lost = -np.expm1(pool_size * np.log1p(-share))  # 1 - ((G - e)/G)^K
        chance = np.divide(lost, share, out=np.full_like(lost, float(pool_size)), where=share > 0)
        out[:] = (upto ** (pool_size - 1) * chance)[level]
    return result


def _by_enumeration(
    p: FloatArray,  # (n,)
    present: npt.NDArray[np.intp],  # (m,)
    logits: FloatArray,  # (n,)
    pool_size: int,
) -> FloatArray:  # (n,)
    counts, ways = _multisets(pool_size - 1, len(present))
    chances = ways * np.prod(p[present] ** counts, axis=1)  # (C,)
    # Clipped where the ratio would overflow: the atom then never wins against that other.
    ratios = np.exp(np.minimum(logits[present, np.newaxis] - logits, 700.0))  # (m, n)
    won: FloatArray = chances @ (pool_size / (1 + counts @ ratios))
    return won


@lru_cache(maxsize=64)
def _multisets(total: int, kinds: int) -> tuple[FloatArray, FloatArray]:  # (C, kinds), (C,)
    """Every way to split `total` draws over `kinds` atoms, and the number of orders of each."""
    bars = itertools.combinations(range(total + kinds - 1), kinds - 1)
    edges = [(-1, *chosen, total + kinds - 1) for chosen in bars]
    counts = np.diff(np.array(edges, dtype=np.int64), axis=1) - 1
    ways = [
        float(math.factorial(total) // math.prod(math.factorial(int(count)) for count in row))
        for row in counts
    ]
    return counts.astype(np.float64), np.array(ways)


def _by_integral(
    p: FloatArray,  # (n,), sum 1
    logits: FloatArray,  # (n,)
    pool_size: int,
) -> FloatArray:  # (n,)
    logits = logits - logits.max()
    log_nodes = _log_nodes(logits, pool_size)
    total = np.zeros_like(p)
    rows = max(1, BLOCK_ENTRIES // len(p))
    for begin in range(0, len(log_nodes), rows):
        log_s = log_nodes[begin : begin + rows]
        # exp(-812) is 0, so that clipping changes nothing and nothing overflows.
        exponent = np.exp(np.minimum(log_s[:, np.newaxis] + logits, 6.7))  # s u
        decay = np.exp(-exponent)
        log_phi = _log_phi(p, exponent, decay, pool_size)
        if log_phi[0] * (pool_size - 1) < -746:  # exp of it is 0, here and at all later nodes
            break
        exponent *= decay
        total += (STEP * np.exp((pool_size - 1) * log_phi)) @ exponent
    return pool_size * total


def _log_nodes(logits: FloatArray, pool_size: int) -> FloatArray:  # (n,) -> (nodes,)
    """Multiples of STEP, ascending, within reach of some atom."""
    centres = np.unique(-logits)
    begins = np.floor((centres + math.log(START / pool_size)) / STEP)
    ends = np.ceil((centres + math.log(END)) / STEP)
    apart = np.flatnonzero(begins[1:] > ends[:-1])
    begins = begins[np.concatenate(([0], apart + 1))]
    ends = ends[np.concatenate((apart, [len(ends) - 1]))]
    stretches = [np.arange(first, last + 1) for first, last in zip(begins, ends, strict=True)]
    return STEP * np.concatenate(stretches)


def _log_phi(
    p: FloatArray,  # (n,)
    exponent: FloatArray,  # (nodes, n)
    decay: FloatArray,  # (nodes, n), exp(-exponent)
    pool_size: int,
) -> FloatArray:  # (nodes,)
    phi = decay @ p
    with np.errstate(divide="ignore"):
        log_phi: FloatArray = np.log(phi)
    close = phi > 0.5
    if pool_size > LARGE_POOL and close.any():
        log_phi[close] = np.log1p(np.expm1(-exponent[close]) @ p)
    return log_phi
