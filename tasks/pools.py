"""The pool schemes of the Bradley-Terry choice: each gives (candidate ids, chances, pools).

Every scheme takes two child streams of its generator: one uniform a draw, and whatever forms
the pools. Neither is consumed in an order that depends on how draws are cut into chunks.
A winner is the first entry whose cumulative weight exceeds u * total. It always exists: u is at
most 1 - 2**-53, and that product rounds to less than total. It has raised the sum, so an entry
of weight 0 never wins.
Letters: n candidates, R rewards, m draws, K entries in a pool. Arguments are checked by the
caller: finite scores, spreads that stay finite when divided by the temperature.
"""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
IdArray = npt.NDArray[np.int32]
Picks = tuple[IdArray, FloatArray, Sequence[IdArray] | IdArray | None]

# Pool entries worked on at once: few enough for a core's cache, enough to hide call overheads.
CHUNK = 65_536
# Up to this K a chunk is laid out entry by entry instead of pool by pool, because numpy reduces
# a short axis quickly only when it is the outer one in memory. It changes no result.
NARROW = 64


def weights_in_place(
    gaps: FloatArray,  # any shape; score minus the pool's best, <= 0; overwritten
    temperature: float,
) -> FloatArray:
    """exp(gap / tau) in [0, 1]; at tau = 0 its limit, 1 for the best entries and 0 elsewhere."""
    if temperature == 0:
        gaps[...] = gaps == 0
        return gaps
    if temperature != 1:
        gaps /= temperature
    return np.exp(gaps, out=gaps)


def shared_pool(
    scores: FloatArray,  # (n, R)
    active: IntArray,  # (m,)
    temperature: float,
    rng: np.random.Generator,
    *,
    keep: bool,
) -> Picks:
    """Scheme `all` with replacement: one cumulative sum a reward, O(n R + m log n)."""
    uniforms = rng.spawn(2)[0].random(len(active))
    ids, chances = np.empty(len(active), np.int32), np.empty(len(active))
    for reward in np.unique(active):
        draws = np.flatnonzero(active == reward)
        column = scores[:, reward]
        weights = weights_in_place(column - column.max(), temperature)
        cumulative = np.cumsum(weights)
        total = cumulative[-1]
        # Looking up sorted targets walks through memory once instead of jumping about.
        draws = draws[np.argsort(uniforms[draws])]
        winners = np.searchsorted(cumulative, uniforms[draws] * total, side="right")
        ids[draws] = winners
        chances[draws] = weights[winners] / total
    n = len(scores)
    pools = np.broadcast_to(np.arange(n, dtype=np.int32), (len(active), n)) if keep else None
    return ids, chances, pools


def shrinking_pool(
    scores: FloatArray,  # (n, R)
    active: IntArray,  # (m,)
    temperature: float,
    rng: np.random.Generator,
    *,
    keep: bool,
) -> Picks:
    """Scheme `all` without replacement, exact and O(R n log n).

    Give each entry an exponential clock of rate exp(r_i / tau) for every reward i; the first
    to ring among those left is a softmax choice. What is left has not rung yet and its clocks
    are memoryless, clocks of different rewards are independent, so reading one fixed order of
    ringing a reward, skipping those taken, has the law of fresh choices at every draw.
    """
    _, race_rng = rng.spawn(2)
    n, num_rewards = scores.shape
    orders = []
    for reward in range(num_rewards):
        values: FloatArray = scores[:, reward]
        noise = race_rng.gumbel(size=(n,))
        keys = values
        if temperature > 0:
            keys = (values - values.max()) / temperature + noise
        # The keys behind the first decide what it cannot: ties at tau = 0, and gaps so wide
        # that adding the noise rounded it away.
        orders.append(np.lexsort((noise, values, keys))[::-1])
    ids, left = np.empty(len(active), np.int32), np.ones(n, dtype=bool)
    pools: list[IdArray] | None = [] if keep else None
    heads = [iter(order.tolist()) for order in orders]
    for draw, reward in enumerate(active.tolist()):
        if pools is not None:
            pools.append(np.flatnonzero(left).astype(np.int32))
        winner = next(entry for entry in heads[reward] if left[entry])
        ids[draw], left[winner] = winner, False
    chances = np.empty(len(active))
    for reward in np.unique(active):
        mine = active == reward
        chances[mine] = _chances_at_turn(scores[:, reward], ids, temperature)[mine]
    return ids, chances, pools


def _chances_at_turn(
    column: FloatArray,  # (n,)
    ids: IdArray,  # (m,), distinct, in draw order
    temperature: float,
) -> FloatArray:  # (m,)
    """Softmax of each winner under one reward among the entries no earlier draw had taken."""
    if temperature == 0:
        _, level, size = np.unique(column, return_inverse=True, return_counts=True)
        levels = level[ids]
        order = np.argsort(levels, kind="stable")
        ordered = levels[order]
        taken = np.empty(len(ids), np.int64)
        taken[order] = np.arange(len(ids)) - np.searchsorted(ordered, ordered)
        return 1.0 / (size[levels] - taken)
    logits = (column - column.max()) / temperature
    # Sums from the last draw backwards only ever add, where subtracting the winners from the
    # sum over all entries would cancel once the heavy ones are gone.
    rest = np.logaddexp.reduce(np.delete(logits, ids))
    backwards = np.logaddexp.accumulate(np.concatenate(([rest], logits[ids[::-1]])))
    chances: FloatArray = np.exp(np.minimum(logits[ids] - backwards[:0:-1], 0.0))
    return chances


def group_pools(
    scores: FloatArray,  # (n, R)
    active: IntArray,  # (m,)
    temperature: float,
    rng: np.random.Generator,
    order: IntArray,  # (n,), rows sorted by group
    starts: IntArray,  # (m,), first position of each group in `order`
    *,
    keep: bool,
) -> Picks:
    """Scheme `grouped`: one draw from each run of `order`, in O(n)."""
    uniforms = rng.spawn(2)[0].random(len(active))
    sizes = np.diff(starts, append=len(order))
    values = scores[order, np.repeat(active, sizes)]
    best = np.maximum.reduceat(values, starts)
    weights = weights_in_place(values - np.repeat(best, sizes), temperature)
    cumulative = np.cumsum(weights)
    ends = cumulative[starts + sizes - 1]
    before = np.concatenate(([0.0], ends[:-1]))
    # A target in [before, end) is exceeded first by an entry of its own group; the sum with
    # `before` may round up to `end`, which the minimum takes back.
    targets = np.minimum(before + uniforms * (ends - before), np.nextafter(ends, 0.0))
    winners = np.searchsorted(cumulative, targets, side="right")
    chances = weights[winners] / np.add.reduceat(weights, starts)
    rows = order.astype(np.int32)
    return rows[winners], chances, np.split(rows, starts[1:]) if keep else None


def fresh_pools(
    scores: FloatArray,  # (n, R)
    active: IntArray,  # (m,)
    temperature: float,
    rng: np.random.Generator,
    pool_size: int,
    *,
    keep: bool,
) -> Picks:
    """Scheme `fresh` with replacement: K rows drawn i.i.d. for each draw, never all in memory."""
    uniform_rng, pool_rng = rng.spawn(2)
    n = len(scores)

    def rows(start: int, stop: int) -> IntArray:
        return pool_rng.integers(0, n, (stop - start, pool_size))

    uniforms = uniform_rng.random(len(active))
    return _sized_pools(scores, active, temperature, uniforms, rows, pool_size, keep=keep)


def disjoint_pools(
    scores: FloatArray,  # (n, R)
    active: IntArray,  # (m,)
    temperature: float,
    rng: np.random.Generator,
    pool_size: int,
    *,
    keep: bool,
) -> Picks:
    """Scheme `disjoint`: draw d takes the d-th K consecutive rows of one permutation."""
    uniform_rng, pool_rng = rng.spawn(2)
    permutation = pool_rng.permutation(len(scores))

    def rows(start: int, stop: int) -> IntArray:
        return permutation[start * pool_size : stop * pool_size].reshape(-1, pool_size)

    uniforms = uniform_rng.random(len(active))
    return _sized_pools(scores, active, temperature, uniforms, rows, pool_size, keep=keep)


def fresh_shrinking_pools(
    scores: FloatArray,  # (n, R)
    active: IntArray,  # (m,)
    temperature: float,
    rng: np.random.Generator,
    pool_size: int,
    *,
    keep: bool,
) -> Picks:
    """Scheme `fresh` without replacement: K rows i.i.d. from those that have not won yet."""
    uniform_rng, pool_rng = rng.spawn(2)
    uniforms = uniform_rng.random(len(active))
    left = np.arange(len(scores), dtype=np.int32)
    ids, chances = np.empty(len(active), np.int32), np.empty(len(active))
    pools = np.empty((len(active), pool_size), np.int32) if keep else None
    for draw, reward in enumerate(active.tolist()):
        last = len(left) - draw - 1
        places = pool_rng.integers(0, last + 1, pool_size)
        rows = left[places]
        values = scores[rows, reward][:, np.newaxis]
        slots, chance = _choose(
            values, rows[:, np.newaxis], uniforms[draw, np.newaxis], temperature
        )
        ids[draw], chances[draw] = rows[slots[0]], chance[0]
        left[places[slots[0]]] = left[last]
        if pools is not None:
            pools[draw] = rows
    return ids, chances, pools


def _sized_pools(
    scores: FloatArray,  # (n, R)
    active: IntArray,  # (m,)
    temperature: float,
    uniforms: FloatArray,  # (m,)
    rows: Callable[[int, int], IntArray],  # draws [start, stop) -> (stop - start, K)
    pool_size: int,
    *,
    keep: bool,
) -> Picks:
    """Choices from pools of one size, a chunk of draws at a time."""
    num_rewards, m = scores.shape[1], len(active)
    flat = np.ascontiguousarray(scores).reshape(-1)
    ids, chances = np.empty(m, np.int32), np.empty(m)
    pools = np.empty((m, pool_size), np.int32) if keep else None
    step = max(1, CHUNK // pool_size)
    for start in range(0, m, step):
        stop = min(start + step, m)
        entries, columns = rows(start, stop), active[start:stop]
        if pools is not None:
            pools[start:stop] = entries
        # Every place is in range; "clip" spares the pass that would check it.
        if pool_size <= NARROW:
            places = np.add((num_rewards * entries).T, columns, order="C")
            values = flat.take(places, mode="clip")
        else:
            places = (num_rewards * entries).T
            places += columns
            values = flat.take(places.T, mode="clip").T
        slots, chances[start:stop] = _choose(values, places, uniforms[start:stop], temperature)
        ids[start:stop] = entries[np.arange(stop - start), slots]
    return ids, chances, pools


def _choose(
    values: FloatArray,  # (K, c), scores in each pool; overwritten
    names: npt.NDArray[np.integer],  # (K, c), equal where a pool repeats a candidate
    uniforms: FloatArray,  # (c,)
    temperature: float,
) -> tuple[IntArray, FloatArray]:  # (c,), (c,)
    """Position of each pool's winner by inverting the cumulative softmax, and its chance."""
    values -= values.max(axis=0)
    weights = weights_in_place(values, temperature)
    if len(weights) <= NARROW:
        cumulative = weights.copy()
        for entry in range(1, len(weights)):
            cumulative[entry] += cumulative[entry - 1]
    else:
        cumulative = np.cumsum(weights.T, axis=1).T
    total = cumulative[-1]
    winners = np.argmin(cumulative <= uniforms * total, axis=0), np.arange(len(uniforms))
    times = (names == names[winners]).sum(axis=0, dtype=np.int32)
    return winners[0], times * weights[winners] / total
