"""Small random images, the examples of rewards that score any image."""

import numpy as np
import pyarrow as pa

from data.images import image_table


def random_images(num_samples: int, *, seed: int) -> pa.Table:
    """Images of 8 x 8 x 1 bytes: noise of a brightness of its own in each."""
    rng = np.random.default_rng(seed)
    limits = rng.integers(1, 256, size=(num_samples, 1, 1, 1))
    return image_table(rng.integers(limits, size=(num_samples, 8, 8, 1)).astype(np.uint8))
