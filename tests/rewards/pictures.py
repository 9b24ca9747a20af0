"""Small pictures, written as text, and the real digits."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from sklearn.datasets import load_digits

from data.images import image_table


def drawn(*rows: str) -> pa.Table:
    """One image: `#` is 255, `+` is 100, everything else 0."""
    values = [[{"#": 255, "+": 100}.get(mark, 0) for mark in row] for row in rows]
    return image_table(np.array(values, np.uint8)[np.newaxis, :, :, np.newaxis])


def bytes_of_digits() -> npt.NDArray[np.uint8]:  # (1797, 8, 8, 1)
    """scikit-learn's digits, 0..16 stretched over 0..255."""
    images: npt.NDArray[np.uint8] = np.round(load_digits().images * (255 / 16)).astype(np.uint8)
    return images[..., np.newaxis]
