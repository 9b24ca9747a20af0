"""Scikit-learn's digits: the real ones, split once and for all."""

import hashlib

import numpy as np
import pytest
from sklearn import datasets

from data.digits import CLASSES, DIGEST, check_digits, load_digits
from data.errors import EnvironmentProblem


def test_the_splits_are_the_1797_digits_without_overlap() -> None:
    train, test = load_digits("train"), load_digits("test")
    assert [len(labels) for _, labels in (train, test)] == [1_497, 300]
    images, labels = np.zeros((1_797, 8, 8, 1), np.uint8), np.zeros(1_797, np.int64)
    for rows, (part, part_labels) in (
        (np.arange(0, 1_797, 6), test),
        (np.delete(np.arange(1_797), np.arange(0, 1_797, 6)), train),
    ):
        images[rows], labels[rows] = part, part_labels
    assert hashlib.sha256(images.tobytes() + labels.tobytes()).hexdigest() == DIGEST
    np.testing.assert_array_equal(labels, datasets.load_digits().target)


def test_ink_of_0_to_16_fills_the_range_of_a_byte() -> None:
    images, _ = load_digits("train")
    assert images.dtype == np.uint8 and images.shape[1:] == (8, 8, 1)
    assert set(np.unique(images)) == {int(ink * 255 / 16 + 0.5) for ink in range(17)}


def test_every_class_is_in_both_splits() -> None:
    assert np.bincount(load_digits("train")[1]).min() >= 140
    assert np.bincount(load_digits("test")[1]).tolist() == [32, 28, 25, 31, 30, 31, 31, 33, 28, 31]
    assert CLASSES[7] == "7"


def test_another_copy_than_the_published_one_is_refused() -> None:
    found = datasets.load_digits()
    inks, targets = found.images, found.target
    with pytest.raises(EnvironmentProblem, match=r"expected 1797 images .*got .*\(1796, 8, 8\)"):
        check_digits(inks[:-1], targets[:-1])
    with pytest.raises(EnvironmentProblem, match="expected ink from 0 to 16, got 0 to 32"):
        check_digits(inks * 2, targets)
    with pytest.raises(EnvironmentProblem, match="sha256 .*; reinstall scikit-learn"):
        check_digits(inks, targets[::-1])
