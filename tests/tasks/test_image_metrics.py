"""Metrics of images: closed forms, naive references, what is absent, what is refused."""

import math

import numpy as np
import pytest

from data.errors import BadNumbers, ConfigError
from tasks.frechet import FloatArray, frechet_distance_squared
from tasks.image_metrics import class_entropy, class_shares, measure_images, measure_inception
from tasks.reference_features import ReferenceFeatures, make_reference
from tasks.tail_region import fit_tail_region

NAMES = ("zero", "one", "two", "three")
WIDTH = 6


def images(
    n: int, *, seed: int, shares: tuple[float, ...] = (0.25,) * 4, spread: float = 1.0
) -> tuple[FloatArray, FloatArray]:
    """Probabilities and features of samples whose classes are clusters."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(4, n, p=shares)
    probabilities = rng.dirichlet(np.ones(4), n) + 2 * np.eye(4)[labels]
    features = spread * rng.normal(size=(n, WIDTH)) + 5 * np.eye(4, WIDTH)[labels]
    return probabilities / 3, features


def reference() -> ReferenceFeatures:
    probabilities, features = images(800, seed=0)
    return make_reference(features, predicted=probabilities.argmax(axis=1), num_classes=4)


@pytest.mark.parametrize("present", [1, 2, 4])
def test_equal_shares_of_m_classes_have_entropy_ln_m(present: int) -> None:
    shares = class_shares(np.repeat(np.arange(present), 5), 4)
    assert class_entropy(shares) == pytest.approx(math.log(present))
    assert math.copysign(1, class_entropy(shares)) == 1


def test_entropy_of_unequal_shares_has_its_closed_form() -> None:
    expected = -0.9 * math.log(0.9) - 0.1 * math.log(0.1)
    assert class_entropy(np.array([0.9, 0.1, 0])) == pytest.approx(expected)


def test_training_images_compared_with_themselves() -> None:
    probabilities, features = images(800, seed=0)
    measured = measure_images(probabilities, features, NAMES, reference())
    assert measured["feature_variance"] == pytest.approx(1)
    assert measured["intra_class_variance"] == pytest.approx(1)
    assert measured["frechet_classifier"] == pytest.approx(0, abs=1e-8)
    assert (measured["precision"], measured["recall"]) == (1, 1)
    assert measured["num_classes_present"] == 4
    assert measured["class_entropy"] == pytest.approx(math.log(4), abs=0.01)


def test_fresh_images_of_the_same_law_are_close_to_them() -> None:
    measured = measure_images(*images(800, seed=1), NAMES, reference())
    assert measured["feature_variance"] == pytest.approx(1, abs=0.1)
    assert measured["intra_class_variance"] == pytest.approx(1, abs=0.1)
    assert measured["frechet_classifier"] < 0.5
    assert measured["precision"] > 0.85 and measured["recall"] > 0.85


def test_entropy_and_divergence_add_up_and_shares_sum_to_1() -> None:
    measured = measure_images(*images(300, seed=2, shares=(0.7, 0.2, 0.1, 0)), NAMES, reference())
    assert measured["class_entropy"] + measured["kl_to_uniform"] == pytest.approx(math.log(4))
    assert sum(measured[f"class_share.{name}"] for name in NAMES) == pytest.approx(1)
    assert measured["class_share.three"] == 0
    assert measured["num_classes_present"] == 3


def test_one_class_has_no_entropy_and_its_own_variance_within() -> None:
    probabilities, features = images(400, seed=3, shares=(0, 1, 0, 0), spread=0.5)
    measured = measure_images(probabilities, features, NAMES, reference())
    assert measured["class_entropy"] == 0
    assert measured["kl_to_uniform"] == pytest.approx(math.log(4))
    # Spread .5 against 1, in variances; and no more variance between classes.
    assert measured["intra_class_variance"] == pytest.approx(0.25, rel=0.1)
    total = np.cov(features.T).trace()
    assert measured["feature_variance"] == pytest.approx(total / reference().total_variance)
    assert measured["recall"] < 0.3


def test_frechet_is_that_of_the_moments() -> None:
    probabilities, features = images(200, seed=4)
    measured = measure_images(probabilities, features, NAMES, reference())
    expected = frechet_distance_squared(reference().moments, features)
    assert measured["frechet_classifier"] == expected
    assert measure_inception(features, reference()) == {"fid": expected}


def test_what_has_no_meaning_for_so_few_samples_is_absent() -> None:
    probabilities, features = np.eye(4)[:3], np.arange(3.0 * WIDTH).reshape(3, WIDTH)
    measured = measure_images(probabilities, features, NAMES, reference())
    assert {"intra_class_variance", "precision", "recall", "tail_coverage"}.isdisjoint(measured)
    assert "fid" not in measured
    assert all(math.isfinite(value) for value in measured.values())


def test_tail_coverage_is_measured_where_p_0_has_a_region() -> None:
    region = fit_tail_region(images(2_000, seed=5)[1])
    samples = images(500, seed=6)
    measured = measure_images(*samples, NAMES, reference(), tail=region)
    assert measured["tail_coverage"] == region.coverage(samples[1])
    assert 0.2 < measured["tail_coverage"] < 2.5


def test_the_order_of_samples_changes_no_class_metric() -> None:
    probabilities, features = images(300, seed=7)
    order = np.random.default_rng(0).permutation(300)
    before = measure_images(probabilities, features, NAMES, reference())
    after = measure_images(probabilities[order], features[order], NAMES, reference())
    assert after == pytest.approx(before)


def test_a_reference_without_classes_is_refused() -> None:
    probabilities, features = images(20, seed=8)
    with pytest.raises(ConfigError, match=r"a reference with predicted classes, got one without"):
        measure_images(probabilities, features, NAMES, make_reference(features))


def test_features_that_are_not_finite_are_refused() -> None:
    probabilities, features = images(20, seed=8)
    features[3, 2] = np.nan
    with pytest.raises(BadNumbers, match=r"got a NaN or an infinity in row 3"):
        measure_images(probabilities, features, NAMES, reference())
