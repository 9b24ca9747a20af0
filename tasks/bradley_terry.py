"""Stage `select`: who wins each curated draw, by Bradley-Terry choice within a pool.

Letters: n candidates, R rewards, m draws, K entries in a pool.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import ValidationError

from data.errors import BadNumbers, ConfigError
from tasks import pools as schemes
from tasks.selection import Scheme, SelectionConfig, check_selection

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
IdArray = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Winners:
    """One winner a draw, in draw order. A candidate's id is its row in `scores`."""

    candidate_id: IdArray  # (m,)
    # Chance of this candidate within its pool at the moment of its draw, in (0, 1]; one that
    # stands there several times has the chances of all its entries.
    probability: FloatArray  # (m,)
    pools: Sequence[IdArray] | IdArray | None  # ids in each draw's pool, when asked for


def select(
    scores: FloatArray,  # (n, R)
    active: npt.NDArray[np.integer],  # (m,)
    *,
    scheme: Scheme,
    pool_size: int | None,
    temperature: float,
    replacement: bool,
    rng: np.random.Generator,
    groups: npt.NDArray[np.integer] | None = None,  # (n,)
    keep_pools: bool = False,
) -> Winners:
    """Winner of each draw: entry j of its pool with probability softmax_j(r_i(x_j) / tau).

    i is the draw's active reward (paper, eq. C.1); at tau = 0 the best entry wins, ties shared
    equally. Pools: `all` every row; `fresh` K rows drawn i.i.d. with replacement; `disjoint` K
    consecutive rows of one permutation; `grouped` the rows of one value of `groups`, one draw
    a value, ascending. Without replacement a winner leaves all later pools, in draw order.
    Advances `rng` by two children and nothing else.
    Raises `ConfigError` for arguments that do not fit, `BadNumbers` for a NaN or infinite score.
    """
    if scheme == "expected":
        raise ConfigError(
            "scheme: expected one that draws winners, got 'expected'; use `expected_winners`"
        )
    _check_shapes(scores, active)
    _check_arguments(
        len(scores),
        scheme=scheme,
        pool_size=pool_size,
        num_curated=len(active),
        temperature=temperature,
        replacement=replacement,
    )
    _check_values(scores, temperature)
    rewards: IntArray = active.astype(np.int64)
    tau, keep = temperature, keep_pools
    if scheme == "grouped":
        order, starts = _check_groups(groups, len(scores), len(active))
        picks = schemes.group_pools(scores, rewards, tau, rng, order, starts, keep=keep)
    elif pool_size is None:
        shared = schemes.shared_pool if replacement else schemes.shrinking_pool
        picks = shared(scores, rewards, tau, rng, keep=keep)
    elif scheme == "disjoint":
        picks = schemes.disjoint_pools(scores, rewards, tau, rng, pool_size, keep=keep)
    else:
        sized = schemes.fresh_pools if replacement else schemes.fresh_shrinking_pools
        picks = sized(scores, rewards, tau, rng, pool_size, keep=keep)
    return Winners(*picks)


def _check_arguments(num_candidates: int, **arguments: Any) -> None:
    try:
        config = SelectionConfig(**arguments)
    except ValidationError as error:
        problems = [(*problem["loc"], problem["msg"]) for problem in error.errors()]
        text = "; ".join(": ".join(map(str, parts)) for parts in problems)
        raise ConfigError(f"selection: {text}; got {arguments}") from error
    check_selection(config, num_candidates)


def _check_shapes(
    scores: FloatArray,  # (n, R)
    active: npt.NDArray[np.integer],  # (m,)
) -> None:
    if scores.ndim != 2 or scores.size == 0:
        raise ConfigError(
            f"scores: expected one row a candidate and one column a reward, got shape "
            f"{scores.shape}; a single reward needs shape (n, 1)"
        )
    num_rewards = scores.shape[1]
    if active.ndim != 1 or active.dtype.kind not in "iu":
        raise ConfigError(
            f"active: expected one integer a draw, got {active.dtype} of shape {active.shape}; "
            "pass the index of each draw's active reward"
        )
    if active.size and (active.min() < 0 or active.max() >= num_rewards):
        raise ConfigError(
            f"active: expected reward indices from 0 to {num_rewards - 1}, got {active.min()} to "
            f"{active.max()}; scores needs one column for every reward that is drawn"
        )


def _check_values(
    scores: FloatArray,  # (n, R)
    temperature: float,
) -> None:
    highest, lowest = float(scores.max()), float(scores.min())
    if not (math.isfinite(highest) and math.isfinite(lowest)):
        finite = np.isfinite(scores)
        row, column = divmod(int(np.argmin(finite)), scores.shape[1])
        raise BadNumbers(
            f"scores: expected finite numbers, got {scores[row, column]} at row {row}, reward "
            f"column {column} ({scores.size - int(finite.sum())} in all); repair that reward"
        )
    spread, largest = highest - lowest, float(np.finfo(np.float64).max)
    if spread > min(temperature or 1.0, 1.0) * largest:
        raise ConfigError(
            f"temperature: expected the spread of scores over it to be finite, got {spread:g} over "
            f"{temperature:g}; scale the rewards down, or use temperature 0 for best-of-K"
        )


def _check_groups(
    groups: npt.NDArray[np.integer] | None,  # (n,)
    num_candidates: int,
    num_draws: int,
) -> tuple[IntArray, IntArray]:  # (n,), (m,)
    """Rows sorted by group, and where in that order each group starts."""
    if groups is None or groups.shape != (num_candidates,) or groups.dtype.kind not in "iu":
        got = "nothing" if groups is None else f"{groups.dtype} of shape {groups.shape}"
        raise ConfigError(
            f"groups: expected one integer for each of {num_candidates} candidates with scheme "
            f"'grouped', got {got}; pass the group of every row"
        )
    order = np.argsort(groups, kind="stable")
    ordered = groups[order]
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    if len(starts) != num_draws:
        raise ConfigError(
            f"active: expected one draw for each of {len(starts)} groups of scheme 'grouped', "
            f"got {num_draws}; set num_curated to the number of groups"
        )
    return order, starts
