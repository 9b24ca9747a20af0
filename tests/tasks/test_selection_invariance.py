"""What must not change the winners: scale, order, chunk size; and what must decide them."""

import tracemalloc
from itertools import product
from typing import Any

import numpy as np
import pytest

from tasks import pools
from tests.tasks.law import (
    ACTIVE,
    SCHEMES,
    SCORES,
    Pools,
    assert_law,
    choice,
    chosen,
    enumerated,
    shared,
    three_of,
)


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
