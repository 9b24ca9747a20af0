"""Scores of batches, and what rewards share of them."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

from data.errors import BadNumbers
from rewards.classification import Classification
from tasks.scoring import LastBatches, raw_scores

FloatArray = npt.NDArray[np.float64]
ROWS = pa.table({"x": np.arange(10.0)})


class Recorded:
    """A reward that notes the rows of every call."""

    def __init__(self, calls: list[tuple[str, list[float]]], name: str) -> None:
        self.calls = calls
        self.name = name

    def __call__(self, samples: pa.Table) -> FloatArray:
        values: FloatArray = samples["x"].to_numpy()
        self.calls.append((self.name, values.tolist()))
        return values * (2.0 if self.name == "twice" else 1.0)


def scored(*rewards: Any, batch_size: int = 4) -> FloatArray:
    return raw_scores(rewards, [str(i) for i in range(len(rewards))], ROWS, batch_size)


def test_every_reward_sees_a_batch_before_the_next_one_comes() -> None:
    calls: list[tuple[str, list[float]]] = []
    scores = scored(Recorded(calls, "once"), Recorded(calls, "twice"))
    np.testing.assert_array_equal(scores, np.column_stack([np.arange(10), 2 * np.arange(10)]))
    assert [name for name, _ in calls] == ["once", "twice"] * 3
    assert [len(rows) for _, rows in calls] == [4, 4, 4, 4, 2, 2]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_score_that_is_not_finite_names_reward_and_row(value: float) -> None:
    def broken(samples: pa.Table) -> FloatArray:
        return np.where(samples["x"].to_numpy() == 6, value, 0.0)

    text = f"reward '0': expected finite scores, got {value} for row 6 .1 such in this batch."
    with pytest.raises(BadNumbers, match=text):
        scored(broken)


def test_a_score_that_overflows_is_refused_without_a_warning() -> None:
    with pytest.raises(BadNumbers, match="expected finite scores, got inf for row 1"):
        scored(lambda samples: samples["x"].to_numpy() * 1e308 * 10)


def test_another_number_of_scores_is_refused() -> None:
    with pytest.raises(BadNumbers, match=r"expected 4 scores, got shape \(3,\); return one number"):
        scored(lambda samples: np.zeros(3))


def test_no_rows_have_no_scores() -> None:
    assert raw_scores([], [], ROWS, 4).shape == (10, 0)
    assert raw_scores([lambda rows: rows], ["a"], ROWS.slice(0, 0), 4).shape == (0, 1)  # type: ignore[list-item]


def test_a_batch_is_known_again_by_where_it_lies_until_others_have_come() -> None:
    made: list[int] = []

    def ask(known: LastBatches, batch: pa.Table) -> Classification:
        def classify() -> Classification:
            made.append(len(made))
            return Classification(np.full((batch.num_rows, 2), 0.5), np.zeros((1, 1), np.float32))

        return known.find(batch, classify)

    known = LastBatches(capacity=2)
    first = ask(known, ROWS.slice(0, 4))
    assert ask(known, ROWS.slice(0, 4)) is first, "another slice of the same rows"
    assert ask(known, ROWS.slice(4, 4)) is not first
    assert ask(known, ROWS.slice(0, 5)) is not first, "more rows are another batch"
    assert made == [0, 1, 2]
    ask(known, ROWS.slice(0, 4))
    assert made == [0, 1, 2, 3], "it was forgotten"


def test_equal_rows_elsewhere_are_another_batch() -> None:
    said = [Classification(np.full((3, 2), 0.5), np.zeros((3, 1), np.float32)) for _ in range(3)]
    known = LastBatches(capacity=9)
    tables = [pa.table({"x": np.zeros(3)}) for _ in said]
    for table, one in zip(tables, said, strict=True):
        assert known.find(table, lambda one=one: one) is one  # type: ignore[misc]
