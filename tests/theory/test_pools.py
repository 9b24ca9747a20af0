import itertools

import numpy as np
import numpy.typing as npt
import pytest

from theory import limits, pools
from theory.dynamics import step
from theory.limits import (
    atoms_limit,
    finite_pool_limit,
    finite_pool_map,
    finite_pool_share,
    returns,
    smallest_safe_pool,
    two_atom_share,
)

FloatArray = npt.NDArray[np.float64]


def iterate_map(
    masses: FloatArray,  # (..., R)
    weights: FloatArray,  # (..., R)
    pool_size: int,
    rounds: int,
) -> FloatArray:  # (..., R)
    """The map as written, with sums over i != j."""
    for _ in range(rounds):
        missed = weights * (1 - masses) ** (pool_size - 1)
        others = missed.sum(axis=-1, keepdims=True) - missed
        masses = weights * (1 - (1 - masses) ** pool_size) + masses * others
    return masses


def test_the_map_is_the_update_of_one_atom_a_basin_without_leakage() -> None:
    rng = np.random.default_rng(110)
    for _ in range(2_000):
        size, pool_size = int(rng.integers(1, 6)), int(rng.choice([1, 2, 3, 7, 40]))
        masses, weights = rng.dirichlet(np.ones(size), 2)
        if size > 2 and rng.random() < 0.3:
            masses[0] = 0.0
            masses /= masses.sum()
        after = finite_pool_map(masses, weights, pool_size)
        np.testing.assert_allclose(after, iterate_map(masses, weights, pool_size, 1), atol=1e-14)
        assert after.sum() == pytest.approx(1, abs=1e-13)
        rewards = np.where(np.eye(size), 0.0, -700.0)
        np.testing.assert_allclose(
            after, step(masses, rewards, weights, pool_size=pool_size), atol=1e-12
        )
        np.testing.assert_allclose(
            finite_pool_map(masses, weights, None), step(masses, rewards, weights), atol=1e-12
        )


def test_two_rewards_survive_iff_the_weight_is_beyond_one_over_the_pool() -> None:
    for pool_size in (2, 3, 4, 5, 8, 50, 1_000):
        for q in np.linspace(0.0005, 0.9995, 600):
            share = finite_pool_share(q, pool_size)
            if min(abs(q - 1 / pool_size), abs(q - 1 + 1 / pool_size)) > 1e-9:
                assert (0 < share < 1) == (1 / pool_size < q < 1 - 1 / pool_size)
            if 0 < share < 1:
                moved = q * (1 - (1 - share) ** pool_size) + (1 - q) * share**pool_size
                assert moved == pytest.approx(share, abs=1e-13)
            if pool_size == 3:
                assert share == pytest.approx(min(1, max(0, 3 * q - 1)), abs=1e-14)


@pytest.mark.parametrize(
    ("q", "pool_size", "share"),
    [
        (0.49, 2, 0.0),
        (0.51, 2, 1.0),
        (0.5, 2, 0.5),  # only drift
        (0.3, 1, 0.3),  # nothing is selected
        (0.3, None, 0.3),
        (0.0, 9, 0.0),
        (1.0, 9, 1.0),
        (0.0, None, 0.0),
        (0.0, 1, 0.0),
        (0.25, 4, 0.0),  # exactly at the transition
    ],
)
def test_shares_at_the_edges(q: float, pool_size: int | None, share: float) -> None:
    assert finite_pool_share(q, pool_size) == share


def test_just_beyond_the_transition_the_share_is_exact() -> None:
    # Expanding q A(m) = (1 - q) A(1 - m) at m = 0 for K = 4, q = 1/4 + d: m = 8 d / 3 + O(d^2).
    for excess in (1e-4, 1e-6, 1e-8):
        share = finite_pool_share(0.25 + excess, 4)
        assert share == pytest.approx(8 * excess / 3, rel=10 * excess + 1e-7)


def test_the_limit_is_where_iterating_the_map_ends() -> None:
    rng = np.random.default_rng(111)
    num_settled = 0
    for size, pool_size in itertools.product((2, 3, 5), (3, 4, 8, 30)):
        all_weights = rng.dirichlet(np.full(size, 6.0), 185)
        starts = rng.dirichlet(np.full(size, 3.0), 185)
        ends = iterate_map(starts, all_weights, pool_size, 3_000)
        moves = np.abs(iterate_map(ends, all_weights, pool_size, 1) - ends).max(axis=1)
        for weights, start, end, move in zip(all_weights, starts, ends, moves, strict=True):
            limit = finite_pool_limit(weights, pool_size, start=start)
            again = finite_pool_map(limit, weights, pool_size)
            np.testing.assert_allclose(again, limit, atol=1e-13)
            for j in np.flatnonzero(limit == 0):
                assert not returns(limit, weights, pool_size, int(j))
            if move < 1e-13:  # else it still crawls, near a transition
                np.testing.assert_allclose(limit, end, atol=1e-9)
                num_settled += 1
    assert num_settled > 2_000


def test_a_basin_that_is_gone_returns_iff_the_limit_with_it_holds_it() -> None:
    rng = np.random.default_rng(112)
    answers = []
    for _ in range(2_000):
        size, pool_size = int(rng.integers(2, 5)), int(rng.integers(2, 20))
        weights = rng.dirichlet(np.ones(size))
        start = np.append(rng.dirichlet(np.ones(size - 1)), 0.0)
        without = finite_pool_limit(weights, pool_size, start=start)
        assert without[-1] == 0
        comes_back = returns(without, weights, pool_size, size - 1)
        traced = without * (1 - 1e-9) + np.append(np.zeros(size - 1), 1e-9)
        grown = finite_pool_map(traced / traced.sum(), weights, pool_size)[-1] > traced[-1]
        assert comes_back == grown
        if (without[:-1] > 0).all() and pool_size > 2:
            assert comes_back == (finite_pool_limit(weights, pool_size)[-1] > 0)
        answers.append(comes_back)
    assert 200 < sum(answers) < 1_800


def test_infinite_pools_bring_every_rewarded_basin_back() -> None:
    assert returns([1.0, 0.0], [0.9, 0.1], None, 1)
    assert not returns([1.0, 0.0], [1.0, 0.0], None, 1)
    np.testing.assert_allclose(finite_pool_limit([0.2, 0.8], None, start=[0.0, 1.0]), [0.0, 1.0])
    np.testing.assert_allclose(
        finite_pool_limit([0.2, 0.3, 0.5], None, start=[0.5, 0.5, 0.0]), [0.4, 0.6, 0.0]
    )


def test_starts_without_a_choice_stay() -> None:
    assert finite_pool_limit([0.5, 0.5], 2, start=[0.2, 0.8]).tolist() == [0.2, 0.8]
    assert finite_pool_limit([0.4, 0.4, 0.2], 2, start=[0.1, 0.3, 0.6]) == pytest.approx(
        [0.25, 0.75, 0.0]
    )
    assert finite_pool_limit([0.9, 0.1], 1, start=[0.2, 0.8]).tolist() == [0.2, 0.8]
    assert finite_pool_limit([0.0, 1.0], 5, start=[1.0, 0.0]).tolist() == [1.0, 0.0]
    assert finite_pool_limit([1.0, 0.0, 0.0], 5, start=[0.0, 0.3, 0.7]).tolist() == [0, 0.3, 0.7]


def test_leakage_and_infinite_pools_lead_to_the_closed_form() -> None:
    rng = np.random.default_rng(113)
    for _ in range(60):
        eta_1, eta_2 = rng.uniform(0, 0.4, 2)
        q = rng.uniform(0.45, 0.55)
        limit = finite_pool_limit((q, 1 - q), None, eta=(eta_1, eta_2))
        assert limit[0] == pytest.approx(two_atom_share(q, eta_1, eta_2), abs=1e-11)
        expected = atoms_limit([[1, eta_1], [eta_2, 1]], (q, 1 - q))
        np.testing.assert_allclose(limit, expected, atol=1e-11)


def test_leakage_and_finite_pools_lead_to_rest() -> None:
    rng = np.random.default_rng(114)
    for _ in range(20):
        eta, weights = rng.uniform(0, 0.2, (3, 3)), rng.dirichlet(np.full(3, 20.0))
        np.fill_diagonal(eta, 1.0)
        limit = finite_pool_limit(weights, 12, eta=eta)
        after = step(limit / limit.sum(), np.log(eta), weights, pool_size=12)
        np.testing.assert_allclose(after, limit, atol=1e-11)
        none = finite_pool_limit(weights, 12, eta=np.zeros((3, 3)))
        np.testing.assert_allclose(none, finite_pool_limit(weights, 12), atol=1e-11)


def test_a_setting_at_a_transition_is_said_not_to_settle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "ROUND_LIMIT", 200)
    with pytest.raises(ValueError, match="expected masses that settle within 200 rounds, still"):
        finite_pool_limit((0.25, 0.75), 4, eta=(0.0, 0.0))
    with pytest.raises(ValueError, match="eta: expected finite numbers, got an infinity"):
        finite_pool_limit((0.25, 0.75), 4, eta=(0.0, np.inf))


@pytest.mark.parametrize(
    ("weights", "smallest"),
    [
        ((0.7, 0.3), 4),
        ((0.5, 0.5), 3),
        ((0.9, 0.1), 11),
        ((1 / 3, 1 / 3, 1 / 3), 3),
        ((0.25,) * 4, 3),
        ((0.1,) * 10, 3),
        ((1.0, 0.0), None),
        ((0.0, 0.5, 0.5), None),
        ((1.0,), 2),
    ],
)
def test_smallest_safe_pools(weights: tuple[float, ...], smallest: int | None) -> None:
    assert smallest_safe_pool(weights) == smallest


def test_the_smallest_safe_pool_is_the_first_whose_limit_keeps_every_basin() -> None:
    rng = np.random.default_rng(115)
    for _ in range(60):
        weights = rng.dirichlet(np.full(int(rng.integers(2, 6)), 4.0))
        safe = [size for size in range(2, 40) if (finite_pool_limit(weights, size) > 0).all()]
        found = smallest_safe_pool(weights, largest=39)
        assert found == (safe[0] if safe else None)
        if safe:
            assert safe == list(range(safe[0], 40))  # larger pools are safe too


def test_the_limits_are_found_in_one_place() -> None:
    for name in limits.__all__:
        assert callable(getattr(limits, name))
