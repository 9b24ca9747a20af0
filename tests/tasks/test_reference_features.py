"""Features of the training images: what is kept of them, and files that give them back."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from data.errors import BadNumbers, ConfigError
from tasks.precision_recall import squared_radii
from tasks.reference_features import (
    FACTS,
    TENSORS,
    ReferenceFeatures,
    intra_class_variance,
    make_reference,
    read_reference,
    write_reference,
)


def example(n: int = 60, width: int = 5) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    rng = np.random.default_rng(0)
    predicted = rng.integers(0, 3, n)
    features = rng.normal(size=(n, width)) + 4 * predicted[:, np.newaxis]
    return features.astype(np.float32), predicted


def made() -> ReferenceFeatures:
    features, predicted = example()
    return make_reference(features, predicted=predicted, num_classes=4, most_kept=20)


def test_it_holds_moments_evenly_spaced_rows_and_classes() -> None:
    features, predicted = example()
    reference = made()
    exact = features.astype(np.float64)
    np.testing.assert_allclose(reference.moments.covariance, np.cov(exact.T))
    assert reference.total_variance == pytest.approx(np.cov(exact.T).trace())
    assert reference.moments.root is not None
    np.testing.assert_array_equal(reference.kept, features[::3])
    np.testing.assert_array_equal(reference.squared_radii, squared_radii(features[::3]))
    assert reference.classes is not None
    assert reference.classes.counts.tolist() == [*np.bincount(predicted), 0]


def test_variance_within_classes_is_the_mean_of_their_traces() -> None:
    features, predicted = example()
    traces = [np.cov(features[predicted == one].astype(float).T).trace() for one in range(3)]
    assert intra_class_variance(features, predicted) == pytest.approx(np.mean(traces))


def test_classes_of_one_sample_and_of_none_are_left_out() -> None:
    features = np.array([[0.0], [2.0], [50.0], [7.0], [7.0]])
    predicted = np.array([1, 1, 3, 6, 6])
    assert intra_class_variance(features, predicted) == pytest.approx((2 + 0) / 2)
    assert intra_class_variance(features[:3], np.array([0, 1, 2])) is None


def test_it_comes_back_from_its_files_bit_for_bit(tmp_path: Path) -> None:
    for reference in (made(), make_reference(example()[0], most_kept=0)):
        write_reference(reference, tmp_path)
        found = read_reference(tmp_path)
        for name in ("mean", "covariance", "root"):
            expected = getattr(reference.moments, name)
            np.testing.assert_array_equal(getattr(found.moments, name), expected)
        np.testing.assert_array_equal(found.kept, reference.kept)
        np.testing.assert_array_equal(found.squared_radii, reference.squared_radii)
        assert found.moments.count == reference.moments.count
        assert (found.classes is None) == (reference.classes is None)
        if found.classes is not None and reference.classes is not None:
            np.testing.assert_array_equal(found.classes.counts, reference.classes.counts)
            assert found.classes.intra_variance == reference.classes.intra_variance


def test_equal_references_have_equal_bytes_without_metadata(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in "ab"]
    for folder in folders:
        folder.mkdir()
        write_reference(made(), folder)
    for name in (TENSORS, FACTS):
        first, second = ((folder / name).read_bytes() for folder in folders)
        assert first == second
    assert b"__metadata__" not in (folders[0] / TENSORS).read_bytes()


def test_few_rows_have_no_radii() -> None:
    assert make_reference(example(n=3)[0]).squared_radii.shape == (0,)


def test_features_that_do_not_vary_are_refused() -> None:
    with pytest.raises(BadNumbers, match=r"differ between images, got a variance of 0\.0; check"):
        make_reference(np.ones((5, 3)))
    with pytest.raises(BadNumbers, match=r"differ between images of one predicted class, got"):
        make_reference(np.array([[0.0], [1.0]]), predicted=np.array([0, 1]), num_classes=2)


def test_a_single_image_is_refused() -> None:
    with pytest.raises(ConfigError, match="at least 2 samples, got 1"):
        make_reference(np.ones((1, 3)))
