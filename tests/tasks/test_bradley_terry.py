"""Selection has the law of the paper's eq. C.1, whatever the scheme, scale or chunk size."""

import tracemalloc
from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import permutations, product
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy.stats import chisquare

from data.errors import BadNumbers, ConfigError
from tasks import pools
from tasks.bradley_terry import SelectionConfig, Winners, check_selection, select

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


def test_every_candidate_wins_once_when_all_are_drawn_without_replacement() -> None:
    scores, active = np.random.default_rng(0).normal(size=(300, 3)), np.arange(300) % 3
    for scheme, size in (("all", None), ("fresh", 5)):
        winners = chosen(scores, active, scheme=scheme, pool_size=size, replacement=False)
        assert sorted(winners.candidate_id.tolist()) == list(range(300))
        assert winners.probability[-1] == 1.0


@pytest.mark.parametrize("temperature", [0.5, 0.0])
@pytest.mark.parametrize(("scheme", "size", "replacement"), SCHEMES)
def test_adding_a_constant_to_every_score_leaves_the_winners_unchanged(
    scheme: str, size: int | None, replacement: bool, temperature: float
) -> None:
    rng = np.random.default_rng(8)
    scores = rng.integers(-(2**20), 2**20, (300, 2)) / 2**18  # sums below are exact
    given = {
        "scheme": scheme,
        "pool_size": size,
        "replacement": replacement,
        "temperature": temperature,
        "groups": np.arange(300) // 3,
    }
    active = rng.integers(0, 2, 100)
    plain = chosen(scores, active, **given)
    moved = chosen(scores + np.array([4096.0, -512.0]), active, **given)
    np.testing.assert_array_equal(plain.candidate_id, moved.candidate_id)
    np.testing.assert_array_equal(plain.probability, moved.probability)


@pytest.mark.parametrize(("scheme", "size", "cut"), [("all", None, shared), ("fresh", 3, three_of)])
def test_permuting_the_candidates_permutes_the_law(
    scheme: str, size: int | None, cut: Pools
) -> None:
    order = np.array([2, 0, 3, 1])
    winners = chosen(SCORES[order], np.tile(ACTIVE, 20_000), scheme=scheme, pool_size=size)
    law = enumerated(ACTIVE.tolist(), 1.0, cut, replacement=True)
    assert_law(order[winners.candidate_id].reshape(-1, 3), law)


@pytest.mark.parametrize("temperature", [1.0, 1e-3])
@pytest.mark.parametrize(("scheme", "size", "replacement"), SCHEMES)
def test_far_scores_and_low_temperatures_neither_underflow_nor_overflow(
    scheme: str, size: int | None, replacement: bool, temperature: float
) -> None:
    rng = np.random.default_rng(6)
    # One candidate near 0 and the rest at -1e4: most pools are far below the best of all.
    scores = -1e4 + temperature * rng.normal(size=(90, 2))
    scores[0] = 0.0
    active = rng.integers(0, 2, 30)
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        winners = chosen(
            scores,
            active,
            scheme=scheme,
            pool_size=size,
            replacement=replacement,
            temperature=temperature,
            groups=np.arange(90) // 3,
            keep_pools=True,
        )
    assert winners.pools is not None
    for draw, reward in enumerate(active):
        pool = np.asarray(winners.pools[draw])
        odds = choice(scores[pool, reward], temperature)
        entries = pool == winners.candidate_id[draw]
        assert winners.probability[draw] == pytest.approx(odds[entries].sum(), rel=1e-8)


@pytest.mark.parametrize("temperature", [0.5, 0.0])
@pytest.mark.parametrize(
    ("scheme", "size"), [("fresh", 5), ("fresh", 130), ("disjoint", 5), ("disjoint", 65)]
)
def test_winners_do_not_depend_on_the_chunk_size_or_layout(
    scheme: str, size: int, temperature: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(9)
    scores, active = rng.normal(size=(1000, 3)), rng.integers(0, 3, 15)
    given = {"scheme": scheme, "pool_size": size, "temperature": temperature, "keep_pools": True}
    whole = chosen(scores, active, **given)
    for chunk, narrow in product((1, 333, 10**6), (0, 1000)):
        monkeypatch.setattr(pools, "CHUNK", chunk)
        monkeypatch.setattr(pools, "NARROW", narrow)
        cut = chosen(scores, active, **given)
        np.testing.assert_array_equal(cut.candidate_id, whole.candidate_id)
        np.testing.assert_array_equal(cut.probability, whole.probability)
        np.testing.assert_array_equal(np.array(cut.pools), np.array(whole.pools))


@pytest.mark.parametrize("scheme", ["fresh", "disjoint"])
def test_single_candidate_pool_always_wins(scheme: str) -> None:
    scores = np.random.default_rng(0).normal(scale=100.0, size=(50, 1))
    winners = chosen(scores, np.zeros(50, dtype=int), scheme=scheme, pool_size=1, keep_pools=True)
    assert winners.pools is not None
    np.testing.assert_array_equal(np.array(winners.pools)[:, 0], winners.candidate_id)
    np.testing.assert_array_equal(winners.probability, np.ones(50))


@pytest.mark.parametrize("temperature", [0.0, 1e-12])
@pytest.mark.parametrize(("scheme", "size", "replacement"), SCHEMES)
def test_temperature_towards_zero_is_best_of_k(
    scheme: str, size: int | None, replacement: bool, temperature: float
) -> None:
    rng = np.random.default_rng(10)
    scores, active = rng.normal(size=(90, 2)), rng.integers(0, 2, 30)
    winners = chosen(
        scores,
        active,
        scheme=scheme,
        pool_size=size,
        replacement=replacement,
        temperature=temperature,
        groups=np.arange(90) % 30,
        keep_pools=True,
    )
    assert winners.pools is not None
    for draw, reward in enumerate(active):
        pool = np.asarray(winners.pools[draw])
        assert scores[winners.candidate_id[draw], reward] == scores[pool, reward].max()


class Ends(np.random.Generator):
    """Gives the smallest and the largest uniform there is, in turn."""

    def spawn(self, n_children: int) -> list[np.random.Generator]:
        return [Ends(child) for child in self.bit_generator.spawn(n_children)]

    def random(self, size: Any = None, *_: Any, **__: Any) -> Any:
        return np.resize([0.0, 1 - 2.0**-53], size)


@pytest.mark.parametrize(
    ("scheme", "size"),
    [("all", None), ("fresh", 7), ("fresh", 90), ("disjoint", 3), ("grouped", None)],
)
def test_the_ends_of_the_unit_interval_pick_an_entry_of_positive_weight_in_the_pool(
    scheme: str, size: int | None
) -> None:
    scores = np.tile([[-1e6], [0.0], [-1e6]], (100, 1))
    scores[1::6] = 0.3
    winners = chosen(
        scores,
        np.zeros(100, dtype=int),
        scheme=scheme,
        pool_size=size,
        rng=Ends(np.random.PCG64(0)),
        groups=np.arange(300) // 3,
        keep_pools=True,
    )
    assert winners.pools is not None
    for winner, pool in zip(winners.candidate_id, winners.pools, strict=True):
        assert winner in pool
    assert (winners.probability > 0).all()


@pytest.mark.parametrize("pool_size", [4, 1_000, 50_000])
def test_large_pools_are_never_held_in_memory_together(pool_size: int) -> None:
    scores = np.zeros((50_000, 2))
    active = np.zeros(400_000 // pool_size, dtype=int)
    tracemalloc.start()
    chosen(scores, active, scheme="fresh", pool_size=pool_size)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16e6


def test_the_same_generator_gives_the_same_winners_and_is_left_as_it_was() -> None:
    rng = np.random.default_rng(21)
    before = rng.bit_generator.state
    first = chosen(SCORES, ACTIVE, rng=rng)
    assert rng.bit_generator.state == before
    again = chosen(SCORES, ACTIVE, rng=np.random.default_rng(21))
    np.testing.assert_array_equal(first.candidate_id, again.candidate_id)


def test_every_setting_says_what_it_means_and_where_its_default_comes_from() -> None:
    for field in SelectionConfig.model_fields.values():
        assert field.description
        assert isinstance(field.json_schema_extra, dict)
        assert field.json_schema_extra["source"] in list("SQAFTRO")


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"scheme": "fresh"}, "pool_size: expected a number for scheme 'fresh', got nothing"),
        ({"scheme": "disjoint"}, "pool_size: expected a number for scheme 'disjoint'"),
        ({"pool_size": 4}, "pool_size: expected nothing for scheme 'all', got 4; leave it out"),
        ({"scheme": "grouped", "pool_size": 4}, "expected nothing for scheme 'grouped', got 4"),
        ({"temperature": -1.0}, "temperature"),
        ({"num_curated": 0}, "num_curated"),
        ({"scheme": "fresh", "pool_size": 0}, "pool_size"),
    ],
)
def test_a_contradictory_configuration_is_refused(given: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        SelectionConfig(**given)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (
            {"replacement": False, "num_curated": 11},
            "num_curated without replacement: expected at most num_candidates = 10, got 11; raise",
        ),
        (
            {"scheme": "fresh", "pool_size": 11, "replacement": False, "num_curated": 3},
            "pool_size of scheme 'fresh': expected at most num_candidates = 10, got 11; lower it",
        ),
        (
            {"scheme": "disjoint", "pool_size": 11, "num_curated": 1},
            "pool_size of scheme 'disjoint': expected at most num_candidates = 10, got 11",
        ),
        (
            {"scheme": "disjoint", "pool_size": 4, "num_curated": 3},
            "expected at most num_candidates // pool_size = 10 // 4 = 2, got 3; raise .* to 12",
        ),
    ],
)
def test_a_selection_that_cannot_be_made_is_refused(given: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        check_selection(SelectionConfig(**given), 10)


@pytest.mark.parametrize(
    ("given", "warnings"),
    [
        ({}, []),
        ({"scheme": "fresh", "pool_size": 10}, []),
        (
            {"scheme": "fresh", "pool_size": 11},
            ["pool_size 11 exceeds num_candidates 10: every pool repeats candidates"],
        ),
        ({"scheme": "disjoint", "pool_size": 5, "num_curated": 2}, []),
        (
            {"scheme": "disjoint", "pool_size": 4, "num_curated": 2},
            ["scheme 'disjoint' leaves 2 of 10 candidates out of every pool"],
        ),
    ],
)
def test_repeated_and_unused_candidates_are_reported(
    given: dict[str, Any], warnings: list[str]
) -> None:
    assert check_selection(SelectionConfig(**given), 10) == warnings


@pytest.mark.parametrize(
    ("scores", "active", "given", "text"),
    [
        (np.zeros(4), [0], {}, r"scores: expected one row a candidate .* got shape \(4,\)"),
        (np.zeros((0, 2)), [0], {}, r"scores: expected one row a candidate .* got shape \(0, 2\)"),
        (SCORES, [0.0], {}, r"active: expected one integer a draw, got float64 of shape \(1,\)"),
        (SCORES, [[0]], {}, r"active: expected one integer a draw, got int64 of shape \(1, 1\)"),
        (SCORES, [0, 2], {}, "active: expected reward indices from 0 to 1, got 0 to 2"),
        (SCORES, [-1], {}, "active: expected reward indices from 0 to 1, got -1 to -1"),
        (SCORES, [0], {"temperature": -1.0}, "selection: temperature: .*greater than or equal"),
        (SCORES, [0], {"scheme": "fresh"}, "selection: .*pool_size: expected a number"),
        (SCORES, [0], {"scheme": "best"}, "selection: scheme: .*'all', 'fresh'"),
        (SCORES, [0] * 5, {"replacement": False}, "num_curated without replacement"),
        (SCORES, [0], {"scheme": "grouped"}, "groups: expected one integer .* got nothing; pass"),
        (
            SCORES,
            [0],
            {"scheme": "grouped", "groups": np.zeros(3, dtype=int)},
            r"groups: expected one integer for each of 4 .* got int64 of shape \(3,\)",
        ),
        (
            SCORES,
            [0, 1, 0],
            {"scheme": "grouped", "groups": np.array([0, 1, 0, 1])},
            "active: expected one draw for each of 2 groups of scheme 'grouped', got 3",
        ),
        (
            SCORES * 1e4,
            [0],
            {"temperature": 1e-310},
            "temperature: expected the spread of scores over it to be finite, got 17000 over",
        ),
        (
            SCORES * 1.2e308,
            [0],
            {"temperature": 2.0},
            "temperature: expected the spread of scores .* got inf over 2; scale the rewards",
        ),
    ],
)
def test_arguments_that_do_not_fit_are_refused(
    scores: FloatArray, active: list[Any], given: dict[str, Any], text: str
) -> None:
    with pytest.raises(ConfigError, match=text):
        chosen(scores, active, **given)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_score_that_is_not_finite_is_refused_with_its_place(value: float) -> None:
    scores = SCORES.copy()
    scores[2, 1] = value
    text = f"scores: expected finite numbers, got {value} at row 2, reward column 1 .1 in all."
    with pytest.raises(BadNumbers, match=text):
        chosen(scores, ACTIVE)
