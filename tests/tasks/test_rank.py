"""Spearman's rank correlation."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from tasks.rank import spearman


def test_it_is_that_of_scipy_also_with_ties() -> None:
    rng = np.random.default_rng(1)
    for _ in range(5):
        first, second = rng.integers(0, 5, (2, 30)).astype(float)
        assert spearman(first, second) == pytest.approx(spearmanr(first, second).statistic)


def test_only_the_order_counts() -> None:
    values = np.array([0.3, -1.0, 2.0, 0.9])
    assert spearman(values, np.exp(values)) == pytest.approx(1)
    assert spearman(values, -(values**3)) == pytest.approx(-1)


@pytest.mark.parametrize(
    ("first", "second"),
    [([1.0], [2.0]), ([], []), ([1.0, 1.0], [1.0, 2.0]), ([1.0, np.nan], [1.0, 2.0]),
     ([1.0, 2.0], [np.nan, 2.0])],
)  # fmt: skip
def test_where_it_is_not_defined_it_is_not_a_number(
    first: list[float], second: list[float]
) -> None:
    assert np.isnan(spearman(np.array(first), np.array(second)))
