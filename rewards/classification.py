"""What a classifier says about images, and the function that says it. n images, C classes."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa


@dataclass(frozen=True, eq=False)
class Classification:
    """Class probabilities and penultimate features of images."""

    probabilities: npt.NDArray[np.float64]  # (n, C), rows sum to 1
    features: npt.NDArray[np.float32]  # (n, D)

    @property
    def classes(self) -> npt.NDArray[np.int64]:  # (n,)
        """The likeliest class of each image, the first of equally likely ones."""
        found: npt.NDArray[np.int64] = self.probabilities.argmax(axis=1)
        return found


Classify = Callable[[pa.Table], Classification]
