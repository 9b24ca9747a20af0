"""The enumerated law of selection, and the candidates it is enumerated for."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import chisquare

from tasks.bradley_terry import Winners, select

FloatArray = npt.NDArray[np.float64]
Law = dict[tuple[int, ...], float]  # winners of several draws -> their joint probability
Pools = Callable[[tuple[int, ...]], list[tuple[int, ...]]]  # rows left -> equally likely pools

SIGNIFICANCE = 1e-3  # of each chi-square test; seeds are fixed, so a pass stays a pass
SCORES = np.array([[0.0, 1.2], [0.7, -0.4], [-0.5, 0.3], [0.7, 0.3]])  # (4, 2), with ties
ACTIVE = np.array([0, 1, 0])
SCHEMES = [
    ("all", None, True),
    ("all", None, False),
    ("fresh", 3, True),
    ("fresh", 3, False),
    ("fresh", 90, True),
    ("disjoint", 3, True),
    ("grouped", None, True),
]


def chosen(scores: FloatArray, active: Any, **given: Any) -> Winners:
    given = {
        "scheme": "all",
        "pool_size": None,
        "temperature": 1.0,
        "replacement": True,
        "rng": np.random.default_rng(7),
    } | given
    return select(scores, np.asarray(active), **given)


def choice(values: FloatArray, temperature: float) -> FloatArray:
    """Probability of each entry of one pool, written as plainly as it can be."""
    gaps = values - values.max()
    weights = np.exp(gaps / temperature) if temperature else (gaps == 0).astype(float)
    return np.asarray(weights / weights.sum())


def enumerated(active: Sequence[int], temperature: float, cut: Pools, *, replacement: bool) -> Law:
    """Joint law of the winners by following every pool and every choice."""
    law: Law = {(): 1.0}
    for reward in active:
        longer: defaultdict[tuple[int, ...], float] = defaultdict(float)
        for winners, chance in law.items():
            left = tuple(row for row in range(len(SCORES)) if replacement or row not in winners)
            choices = cut(left)
            for pool in choices:
                odds = choice(SCORES[list(pool), reward], temperature)
                for row, share in zip(pool, odds, strict=True):
                    longer[(*winners, row)] += chance * float(share) / len(choices)
        law = longer
    return law


def assert_law(observed: npt.NDArray[np.integer], law: Law) -> None:
    """Chi-square test of rows of winners, (repeats, m), against their joint law."""
    counts = dict.fromkeys(law, 0)
    for row in observed.tolist():
        counts[tuple(row)] += 1
    expected = {key: chance * len(observed) for key, chance in law.items()}
    assert all(counts[key] == 0 for key in law if law[key] == 0)
    common = [key for key in law if expected[key] >= 5]
    rare = [key for key in law if 0 < expected[key] < 5]
    seen = [counts[key] for key in common] + [sum(counts[key] for key in rare)]
    wanted = [expected[key] for key in common] + [sum(expected[key] for key in rare)]
    if wanted[-1] < 5:
        seen[-2:], wanted[-2:] = [sum(seen[-2:])], [sum(wanted[-2:])]
    assert len(wanted) == 1 or chisquare(seen, wanted).pvalue > SIGNIFICANCE


def shared(left: tuple[int, ...]) -> list[tuple[int, ...]]:
    return [left]


def three_of(left: tuple[int, ...]) -> list[tuple[int, ...]]:
    return list(product(left, repeat=3))
