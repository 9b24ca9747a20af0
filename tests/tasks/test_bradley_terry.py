"""Selection has the law of the paper's eq. C.1, in every scheme."""

from collections import defaultdict
from itertools import permutations, product
from typing import Any

import numpy as np
import pytest

from tests.tasks.law import (
    ACTIVE,
    SCHEMES,
    SCORES,
    Law,
    Pools,
    assert_law,
    choice,
    chosen,
    enumerated,
    shared,
    three_of,
)


@pytest.mark.parametrize("temperature", [0.5, 0.0])
@pytest.mark.parametrize(("scheme", "size", "cut"), [("all", None, shared), ("fresh", 3, three_of)])
def test_winners_with_replacement_have_the_enumerated_law(
    scheme: str, size: int | None, cut: Pools, temperature: float
) -> None:
    winners = chosen(
        SCORES, np.tile(ACTIVE, 20_000), scheme=scheme, pool_size=size, temperature=temperature
    )
    law = enumerated(ACTIVE.tolist(), temperature, cut, replacement=True)
    assert_law(winners.candidate_id.reshape(-1, 3), law)


@pytest.mark.parametrize("temperature", [0.5, 0.0])
@pytest.mark.parametrize(("scheme", "size", "cut"), [("all", None, shared), ("fresh", 3, three_of)])
def test_winners_without_replacement_have_the_enumerated_law(
    scheme: str, size: int | None, cut: Pools, temperature: float
) -> None:
    rng = np.random.default_rng(11)
    given = {"scheme": scheme, "pool_size": size, "temperature": temperature}
    rows = [
        chosen(SCORES, ACTIVE, replacement=False, rng=rng, **given).candidate_id
        for _ in range(5_000)
    ]
    law = enumerated(ACTIVE.tolist(), temperature, cut, replacement=False)
    assert_law(np.array(rows), law)


def test_winners_of_disjoint_pools_have_the_law_of_every_permutation() -> None:
    law: defaultdict[tuple[int, ...], float] = defaultdict(float)
    for order in permutations(range(4)):
        first, second = list(order[:2]), list(order[2:])
        odds = choice(SCORES[first, 0], 1.0), choice(SCORES[second, 1], 1.0)
        for i, j in product(range(2), repeat=2):
            law[first[i], second[j]] += float(odds[0][i] * odds[1][j]) / 24
    rng = np.random.default_rng(3)
    rows = [
        chosen(SCORES, [0, 1], scheme="disjoint", pool_size=2, rng=rng).candidate_id
        for _ in range(5_000)
    ]
    assert_law(np.array(rows), law)


@pytest.mark.parametrize("temperature", [0.5, 0.0])
def test_each_group_gets_one_winner_with_the_law_of_its_own_pool(temperature: float) -> None:
    repeats = 20_000
    rows = np.tile([3, 0, 1, 2], repeats)  # groups in turn: one row, then three rows
    groups = np.repeat(np.arange(2 * repeats), np.tile([1, 3], repeats))
    shuffle = np.random.default_rng(2).permutation(len(rows))
    rows, groups = rows[shuffle], groups[shuffle]
    winners = chosen(
        SCORES[rows],
        np.tile([0, 1], repeats),
        scheme="grouped",
        groups=groups,
        temperature=temperature,
    )
    np.testing.assert_array_equal(groups[winners.candidate_id], np.arange(2 * repeats))
    odds = choice(SCORES[:3, 1], temperature)
    law: Law = {(3, row): float(odds[row]) for row in range(3)}
    assert_law(rows[winners.candidate_id].reshape(-1, 2), law)


@pytest.mark.parametrize("temperature", [0.7, 0.0])
@pytest.mark.parametrize(("scheme", "size", "replacement"), SCHEMES)
def test_probability_is_that_of_the_winner_within_its_own_pool(
    scheme: str, size: int | None, replacement: bool, temperature: float
) -> None:
    rng = np.random.default_rng(4)
    scores = rng.integers(-9, 9, (60, 2)) / 4  # coarse, so that ties occur
    active = rng.integers(0, 2, 20)
    winners = chosen(
        scores,
        active,
        scheme=scheme,
        pool_size=size,
        replacement=replacement,
        temperature=temperature,
        groups=rng.permutation(np.arange(60) % 20),
        keep_pools=True,
    )
    assert winners.pools is not None
    for draw, reward in enumerate(active):
        pool = np.asarray(winners.pools[draw])
        odds = choice(scores[pool, reward], temperature)
        entries = pool == winners.candidate_id[draw]  # several where a fresh pool repeats it
        assert winners.probability[draw] == pytest.approx(odds[entries].sum(), rel=1e-12)


def test_pools_are_what_each_scheme_promises() -> None:
    scores, active = np.zeros((12, 1)), np.zeros(4, dtype=int)

    def kept(**given: Any) -> tuple[list[int], list[list[int]]]:
        winners = chosen(scores, active, keep_pools=True, **given)
        assert winners.pools is not None
        return winners.candidate_id.tolist(), [np.asarray(pool).tolist() for pool in winners.pools]

    assert kept()[1] == [list(range(12))] * 4
    winners, left = kept(replacement=False)
    assert [set(range(12)) - set(pool) for pool in left] == [set(winners[:d]) for d in range(4)]
    winners, left = kept(scheme="fresh", pool_size=9, replacement=False)
    assert len(set(winners)) == 4
    assert not any(set(pool) & set(winners[:d]) for d, pool in enumerate(left))
    left = kept(scheme="disjoint", pool_size=3)[1]
    assert sorted(row for pool in left for row in pool) == list(range(12))
    groups = np.arange(12) % 4
    assert kept(scheme="grouped", groups=groups)[1] == [[g, g + 4, g + 8] for g in range(4)]
