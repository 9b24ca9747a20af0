"""Measured quantities of generated images, from one pass of a network over them.

n samples, C classes, D features. The paper's text names these quantities (appendix C.5)
without formulas: that classes are counted by the largest probability, and how variances are
normalised, is our choice.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from data.errors import ConfigError
from tasks.frechet import Features, frechet_distance_squared, total_variance
from tasks.precision_recall import NEIGHBOURS, evenly_spaced, precision_and_recall
from tasks.reference_features import MOST_KEPT, ReferenceFeatures, intra_class_variance
from tasks.tail_region import TailRegion

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.integer[Any]]


def measure_images(
    probabilities: FloatArray,  # (n, C)
    features: Features,  # (n, D)
    class_names: Sequence[str],  # C
    reference: ReferenceFeatures,
    *,
    tail: TailRegion | None = None,
) -> dict[str, float]:
    """Everything the classifier's probabilities and features say about samples, by metric.

    - `class_share.<name>`: share of samples predicted to be of the class;
    - `num_classes_present`: classes with at least one sample;
    - `class_entropy`, nats, and `kl_to_uniform` = ln C - entropy, of these shares;
    - `feature_variance`: trace of the features' covariance, over that of the training images;
    - `intra_class_variance`: mean over predicted classes of at least two samples of the trace
      within the class, over the same of the training images; absent when no class has two;
    - `frechet_classifier`: squared Fréchet distance of these features to the training images';
      no FID, whose features are Inception's;
    - `precision`, `recall`: by nearest neighbours among up to 10,000 evenly spaced rows of either
      side; absent where a side has fewer than four;
    - `tail_coverage`, with `tail`: share of samples outside p_0's 95 % region, over .05.

    Raises `ConfigError` for a reference without classes or of other features and for fewer than
    two samples, `BadNumbers` for features that are not finite.
    """
    assert probabilities.shape == (len(features), len(class_names))
    if reference.classes is None:
        raise ConfigError(
            "image metrics: expected a reference with predicted classes, got one without; make "
            "it from the classifier's features and predictions"
        )
    predicted = probabilities.argmax(axis=1)
    shares = class_shares(predicted, len(class_names))
    entropy = class_entropy(shares)
    measured = {
        "class_entropy": entropy,
        "kl_to_uniform": math.log(len(class_names)) - entropy,
        "num_classes_present": float(np.count_nonzero(shares)),
        "feature_variance": total_variance(features) / reference.total_variance,
        "frechet_classifier": frechet_distance_squared(reference.moments, features),
    }
    within = intra_class_variance(features, predicted)
    if within is not None:
        measured["intra_class_variance"] = within / reference.classes.intra_variance
    members = features[evenly_spaced(len(features), MOST_KEPT)]
    if min(len(members), len(reference.squared_radii)) > NEIGHBOURS:
        measured["precision"], measured["recall"] = precision_and_recall(
            reference.kept, reference.squared_radii, members
        )
    if tail is not None:
        measured["tail_coverage"] = tail.coverage(features)
    for name, share in zip(class_names, shares, strict=True):
        measured[f"class_share.{name}"] = float(share)
    return measured


def measure_inception(
    features: Features,  # (n, 2048), of `tasks.fid`
    reference: ReferenceFeatures,
) -> dict[str, float]:
    """`fid`: squared Fréchet distance of Inception's features; raises as the distance does."""
    return {"fid": frechet_distance_squared(reference.moments, features)}


def class_shares(
    predicted: IntArray,  # (n,)
    num_classes: int,
) -> FloatArray:  # (C,)
    """Share of samples predicted to be of each class; sums to 1."""
    return np.bincount(predicted, minlength=num_classes) / float(len(predicted))


def class_entropy(
    shares: FloatArray,  # (C,)
) -> float:
    """Entropy of shares in nats: 0 for a single class, ln C for equal ones."""
    present = shares[shares > 0]
    # Not minus zero for a single class.
    return float(np.sum(present * -np.log(present))) + 0.0
