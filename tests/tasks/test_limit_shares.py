"""Limit shares with leakage, and the smallest pool that keeps every preference."""

import numpy as np
import pytest

from tasks.geometry import TwoModes, two_modes
from tasks.limit_shares import GONE, Limit, limit_shares, smallest_safe
from tests.tasks.test_forecast import configured
from theory.limits import finite_pool_limit, quadratic_limit, smallest_safe_pool


def modes_at(distance: float, q: float) -> TwoModes:
    found = two_modes(configured(distance=distance, q=q))
    assert found is not None
    return found


def limit(distance: float, q: float, size: int | None) -> Limit:
    modes = modes_at(distance, q)
    return limit_shares(np.array([q, 1 - q]), size, 1.0, modes=modes, eta=None)


def safe(distance: float, q: float) -> int | None:
    modes = modes_at(distance, q)
    return smallest_safe(np.array([q, 1 - q]), 1.0, modes=modes, eta=None)


def test_the_smallest_pool_with_leakage_is_where_the_limit_becomes_interior() -> None:
    size = safe(1.6, 0.85)
    assert size is not None
    assert size > (smallest_safe_pool((0.85, 0.15)) or 0), "leakage asks for more"
    kept, lost = limit(1.6, 0.85, size), limit(1.6, 0.85, size - 1)
    assert kept.num_modes == 2 and (kept.shares > GONE).all()
    assert lost.num_modes == 1 and lost.shares[1] <= GONE
    assert not lost.is_compromise


def test_far_apart_the_smallest_pool_is_that_without_leakage() -> None:
    for q in (0.5, 0.7, 0.93):
        assert safe(6.0, q) == smallest_safe_pool((q, 1 - q))


@pytest.mark.parametrize(("distance", "q"), [(0.8, 0.5), (1.6, 0.9), (1.2, 0.9)])
def test_no_pool_keeps_two_where_even_the_infinite_one_settles_on_a_compromise(
    distance: float, q: float
) -> None:
    for size in (None, 4, 512):
        found = limit(distance, q, size)
        assert found.is_compromise and found.num_modes == 1
    assert safe(distance, q) is None


def test_one_preference_has_no_smallest_pool() -> None:
    for weights in ([1.0], [1.0, 0.0]):
        assert smallest_safe(np.array(weights), 1.0, modes=None, eta=None) is None


def test_a_weight_below_any_pool_has_no_smallest_pool_and_is_no_compromise() -> None:
    assert safe(6.0, 0.9999) is None
    assert not limit(6.0, 0.9999, 8).is_compromise


def test_an_infinite_pool_has_the_limit_of_the_two_quadratics() -> None:
    found = limit(2.0, 0.4, None)
    assert found.num_modes == 2
    np.testing.assert_allclose(found.shares, quadratic_limit(0.4, 2.0, 1.0).shares, atol=1e-9)


def test_without_geometry_nothing_leaks_and_modes_are_not_counted() -> None:
    found = limit_shares(np.array([0.6, 0.4]), 4, 1.0, modes=None, eta=None)
    np.testing.assert_allclose(found.shares, finite_pool_limit((0.6, 0.4), 4))
    assert (found.num_modes, found.basis) == (None, "basins that do not leak")


def test_leakage_between_centres_is_used_until_it_is_too_much_to_decide() -> None:
    weights = np.array([0.3, 0.7])
    little, much = np.array([[1.0, 0.05], [0.05, 1.0]]), np.array([[1.0, 0.2], [0.01, 1.0]])
    found = limit_shares(weights, 8, 1.0, modes=None, eta=little)
    np.testing.assert_allclose(
        found.shares, finite_pool_limit(weights, 8, eta=little - np.diag([1, 1]))
    )
    assert not found.is_mixed
    assert found.basis == "leakage between the centres of at most 0.05"
    mixed = limit_shares(weights, 8, 1.0, modes=None, eta=much)
    assert mixed.is_mixed
    np.testing.assert_allclose(mixed.shares, finite_pool_limit(weights, 8))
    assert not limit_shares(np.array([1.0, 0.0]), 8, 1.0, modes=None, eta=much).is_mixed
