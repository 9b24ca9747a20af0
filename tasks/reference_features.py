"""Features of the training images, as every evaluation compares with them: made once, read often.

n images, D features, C classes.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import safetensors.numpy

from data.canonical import canonical_json
from data.errors import BadNumbers
from tasks.frechet import FeatureMoments, Features, moments_of, total_variance
from tasks.precision_recall import NEIGHBOURS, evenly_spaced, squared_radii

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.integer[Any]]

TENSORS, FACTS = "reference.safetensors", "reference.json"
# As many samples as an evaluation draws; Kynkäänniemi et al. take 50,000 of each.
MOST_KEPT = 10_000


@dataclass(frozen=True)
class ClassFacts:
    """What is known of predicted classes: images of each, and the variance within them."""

    counts: IntArray  # (C,)
    intra_variance: float


@dataclass(frozen=True)
class ReferenceFeatures:
    """Moments with their root, evenly spaced rows with their radii, and classes if predicted."""

    moments: FeatureMoments
    kept: npt.NDArray[np.float32]  # (m, D)
    squared_radii: FloatArray  # (m,), to the third nearest other kept row; (0,) for few rows
    classes: ClassFacts | None

    @property
    def total_variance(self) -> float:
        """Trace of the covariance."""
        return float(np.trace(self.moments.covariance))


def make_reference(
    features: Features,  # (n, D)
    *,
    predicted: IntArray | None = None,  # (n,), values 0 .. C - 1
    num_classes: int | None = None,
    most_kept: int = MOST_KEPT,
) -> ReferenceFeatures:
    """Reference of all training images; with their `predicted` classes, of `num_classes`.

    `most_kept` 0 leaves out what precision and recall need, as for the features of Inception.
    Raises `BadNumbers` for features that are not finite or do not vary, also within all
    classes, and `ConfigError` for fewer than two rows.
    """
    assert (predicted is None) == (num_classes is None), "classes need their number"
    moments = moments_of(features)
    _check_variance(float(np.trace(moments.covariance)), "images")
    classes = None
    if predicted is not None:
        within = intra_class_variance(features, predicted)
        _check_variance(within or 0.0, "images of one predicted class")
        assert within is not None
        classes = ClassFacts(np.bincount(predicted, minlength=num_classes or 0), within)
    kept = features[evenly_spaced(len(features), most_kept)].astype(np.float32)
    radii = squared_radii(kept) if len(kept) > NEIGHBOURS else np.empty(0)
    return ReferenceFeatures(moments.with_root(), kept, radii, classes)


def intra_class_variance(
    features: Features,  # (n, D)
    predicted: IntArray,  # (n,)
) -> float | None:
    """Mean over predicted classes of the trace of the covariance within; each counts equally.

    Classes of fewer than two samples have no covariance and are left out; None when all are.
    """
    counts = np.bincount(predicted)
    # One class at a time, so that at most one is copied.
    traces = [total_variance(features[predicted == one]) for one in np.flatnonzero(counts > 1)]
    return float(np.mean(traces)) if traces else None


def write_reference(reference: ReferenceFeatures, folder: Path) -> None:
    """Write reference.safetensors, without metadata, and reference.json; equal ones, equal bytes.

    Raises `AssertionError` for moments without a root, which `make_reference` always gives.
    """
    moments, classes = reference.moments, reference.classes
    assert moments.root is not None, "the root is what readers must not compute again"
    tensors: dict[str, npt.NDArray[Any]] = {
        "mean": moments.mean,
        "covariance": moments.covariance,
        "root": moments.root,
        "kept": reference.kept,
        "squared_radii": reference.squared_radii,
    }
    facts: dict[str, Any] = {"count": moments.count}
    if classes is not None:
        tensors["class_counts"] = classes.counts.astype(np.int64)
        facts["intra_class_variance"] = classes.intra_variance
    # safetensors writes the memory as it lies, also of a transposed array.
    contiguous = {name: np.ascontiguousarray(values) for name, values in tensors.items()}
    (folder / TENSORS).write_bytes(safetensors.numpy.save(contiguous))
    (folder / FACTS).write_bytes(canonical_json(facts) + b"\n")


def read_reference(folder: Path) -> ReferenceFeatures:
    """What `write_reference` wrote into `folder`."""
    tensors = safetensors.numpy.load((folder / TENSORS).read_bytes())
    facts: dict[str, Any] = json.loads((folder / FACTS).read_bytes())
    moments = FeatureMoments(
        tensors["mean"], tensors["covariance"], tensors["root"], facts["count"]
    )
    classes = None
    if "class_counts" in tensors:
        classes = ClassFacts(tensors["class_counts"], facts["intra_class_variance"])
    return ReferenceFeatures(moments, tensors["kept"], tensors["squared_radii"], classes)


def _check_variance(variance: float, what: str) -> None:
    if not variance > 0:
        raise BadNumbers(
            f"reference: expected features that differ between {what}, got a variance of "
            f"{variance}; check the training data and the weights of the network"
        )
