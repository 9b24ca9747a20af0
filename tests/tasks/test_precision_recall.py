"""Precision and recall: a naive reference, laws, invariances, memory."""

import tracemalloc

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from tasks import precision_recall
from tasks.precision_recall import (
    Features,
    evenly_spaced,
    precision_and_recall,
    squared_radii,
)


def of(reference: Features, features: Features) -> tuple[float, float]:
    return precision_and_recall(reference, squared_radii(reference), features)


def naive(reference: Features, features: Features) -> tuple[float, float]:
    def inside(points: Features, members: Features) -> float:
        radii = np.sort(cdist(members, members), axis=1)[:, 3]
        return float((cdist(points, members) <= radii).any(axis=1).mean())

    return inside(features, reference), inside(reference, features)


@pytest.mark.parametrize("chunk", [7, 500])
def test_it_equals_the_definition(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision_recall, "CHUNK_ROWS", chunk)
    rng = np.random.default_rng(0)
    reference, features = rng.normal(size=(60, 3)), 0.7 * rng.normal(size=(45, 3)) + 1
    found = of(reference, features)
    assert found == naive(reference, features)
    assert 0 < found[0] < 1 and 0 < found[1] < 1


def test_the_radius_reaches_the_third_nearest_other_row() -> None:
    line = np.array([[0.0], [1.0], [3.0], [6.0], [10.0]])
    np.testing.assert_allclose(squared_radii(line), [36, 25, 9, 25, 81])


def test_equal_sets_have_precision_and_recall_1() -> None:
    features = np.random.default_rng(1).normal(size=(80, 20)).astype(np.float32) + 50
    assert of(features, features) == (1.0, 1.0)


def test_copies_of_one_row_lie_within_each_other() -> None:
    copies = np.repeat(np.random.default_rng(1).normal(size=(1, 40)) * 100, 10, axis=0)
    assert of(copies, copies[:6]) == (1.0, 1.0)


def test_sets_far_apart_have_neither() -> None:
    rng = np.random.default_rng(2)
    assert of(rng.normal(size=(50, 4)), rng.normal(size=(50, 4)) + 100) == (0.0, 0.0)


def test_a_lost_mode_costs_recall_and_no_precision() -> None:
    rng = np.random.default_rng(3)
    left, right = rng.normal(size=(2, 300, 2)) + np.array([[[-50.0, 0]], [[50.0, 0]]])
    precision, recall = of(np.vstack([left, right]), rng.normal(size=(300, 2)) - np.array([50, 0]))
    assert precision > 0.9
    assert recall == pytest.approx(0.5, abs=0.05)


def test_a_rotation_and_a_shift_of_both_change_nothing() -> None:
    rng = np.random.default_rng(4)
    reference, features = rng.normal(size=(70, 5)), rng.normal(size=(60, 5)) + 0.5
    turn = np.linalg.qr(rng.normal(size=(5, 5)))[0]
    moved = [one @ turn + 1_000 for one in (reference, features)]
    assert of(moved[0], moved[1]) == of(reference, features)


def test_rows_are_kept_evenly_and_without_repeats() -> None:
    assert evenly_spaced(10, 4).tolist() == [0, 2, 5, 7]
    assert evenly_spaced(3, 10).tolist() == [0, 1, 2]
    assert evenly_spaced(5, 0).tolist() == []
    assert len(set(evenly_spaced(50_000, 10_000).tolist())) == 10_000


@pytest.mark.slow  # 200 million distances
def test_ten_thousand_by_ten_thousand_stay_below_half_a_gigabyte() -> None:
    rng = np.random.default_rng(5)
    reference, features = rng.normal(size=(2, 10_000, 512)).astype(np.float32)
    tracemalloc.start()
    of(reference, features)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # Of the width of Inception's features it would be 123 MB more.
    assert peak + 10_000 * (2_048 - 512) * 8 < 500e6
