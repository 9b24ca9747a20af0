"""The printed table agrees with itself."""

import math

import pytest

from flows.table_1 import BALANCED, POLARISED, Row


@pytest.mark.parametrize("row", [*BALANCED.values(), *POLARISED.values()])
def test_entropy_and_divergence_sum_to_ln_10(row: Row) -> None:
    assert row.class_entropy + row.kl_to_uniform == pytest.approx(math.log(10), abs=2e-3)


def test_every_column_rises_or_falls_with_m_but_for_one_pair() -> None:
    columns = list(zip(*BALANCED.values(), strict=True))
    assert list(columns[0]) == sorted(columns[0], reverse=True)
    assert list(columns[1]) == sorted(columns[1])
    assert list(columns[3]) == sorted(columns[3])
