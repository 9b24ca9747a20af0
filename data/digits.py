"""The digits of scikit-learn: 1,797 real images of 8 x 8, in the package, so never downloaded.

They are the test half of "Optical Recognition of Handwritten Digits" (UCI, E. Alpaydin and
C. Kaynak, 1998).
"""

import hashlib
from typing import Literal

import numpy as np
import numpy.typing as npt

from data.errors import EnvironmentProblem

UInt8Array = npt.NDArray[np.uint8]
IntArray = npt.NDArray[np.int64]

CLASSES = tuple(str(digit) for digit in range(10))
NUM_IMAGES = 1_797
# Of the pixels as bytes and the labels as int64, in scikit-learn's order.
DIGEST = "0b7e9c3202d7bcd255d6a19a238d3743bf5e320ba74812a6679958a017c55382"
# The test split is every sixth row.
EVERY = 6


def load_digits(
    split: Literal["train", "test"],
) -> tuple[UInt8Array, IntArray]:  # (n, 8, 8, 1), (n,)
    """Pixels 0 .. 255 and labels of 1,497 training or 300 test images.

    Raises `EnvironmentProblem` when scikit-learn's copy is not the published one.
    """
    from sklearn import datasets

    found = datasets.load_digits()
    images, labels = check_digits(found.images, found.target)
    is_test = np.arange(len(images)) % EVERY == 0
    chosen = is_test if split == "test" else ~is_test
    return images[chosen], labels[chosen]


def check_digits(
    inks: npt.NDArray[np.float64],  # (n, 8, 8), 0 .. 16
    targets: npt.NDArray[np.integer],  # (n,)
) -> tuple[UInt8Array, IntArray]:  # (n, 8, 8, 1), (n,)
    """Bytes and labels of scikit-learn's arrays; raises as `load_digits`."""
    advice = "reinstall scikit-learn"
    if inks.shape != (NUM_IMAGES, 8, 8) or targets.shape != (NUM_IMAGES,):
        raise EnvironmentProblem(
            f"data set digits: expected {NUM_IMAGES} images of 8 x 8 with a label each, got "
            f"images of shape {inks.shape} and labels of shape {targets.shape}; {advice}"
        )
    if not (inks.min() >= 0 and inks.max() <= 16):
        raise EnvironmentProblem(
            f"data set digits: expected ink from 0 to 16, got {inks.min():g} to {inks.max():g}; "
            f"{advice}"
        )
    images = np.round(inks * (255 / 16)).astype(np.uint8)[..., np.newaxis]
    labels = targets.astype("<i8")
    digest = hashlib.sha256(images.tobytes() + labels.tobytes()).hexdigest()
    if digest != DIGEST:
        raise EnvironmentProblem(
            f"data set digits: sha256 of pixels and labels expected {DIGEST}, got {digest}; "
            f"{advice}"
        )
    return images, labels
