"""Real images by configuration: which data set, at which size, how many of each class."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from data import cifar10, digits
from data.cifar10_origins import Origin, Split
from data.configuration import FrozenConfig, setting
from data.hub_data import check_path
from data.images import Shape

UInt8Array = npt.NDArray[np.uint8]
IntArray = npt.NDArray[np.int64]

# Of the split `test` so many times fewer images a class are taken, as in CIFAR-10 itself.
TRAIN_PER_TEST = 5


class DigitsData(FrozenConfig):
    """Scikit-learn's digits, 8 x 8 in one channel: 1,497 to train and 300 to test on."""

    kind: Literal["digits"] = setting("digits", "data set", "O")

    @property
    def shape(self) -> Shape:
        """Height, width and channels of an image."""
        return 8, 8, 1

    @property
    def num_classes(self) -> int:
        """Classes the images are of."""
        return len(digits.CLASSES)


class Cifar10Data(FrozenConfig):
    """CIFAR-10 in three channels, at full size or reduced."""

    kind: Literal["cifar10"] = setting("cifar10", "data set", "S")
    size: Literal[32, 16, 8] = setting(
        32, "side in pixels; 16 and 8 are means over blocks of 2 x 2 and 4 x 4", "S"
    )
    per_class: int | None = setting(
        None,
        "how many training images of each class, a fifth as many (at least one) to test on; all "
        "when not given",
        "S",
        ge=1,
        le=cifar10.PROMISES["train"].num_per_class,
    )
    origin: Origin = setting(
        "hub",
        "where it is read: hub (Hugging Face), torchvision (its folder), parquet (a folder with "
        "train.parquet and test.parquet)",
        "O",
        location=True,
    )
    path: str | None = setting(
        None, "folder of the origin; for hub its cache, the usual one when not given", "O",
        location=True,
    )  # fmt: skip

    @model_validator(mode="after")
    def _check_path(self) -> Self:
        check_path(self.origin, self.path, name="CIFAR-10")
        return self

    @property
    def shape(self) -> Shape:
        """Height, width and channels of an image."""
        return self.size, self.size, 3

    @property
    def num_classes(self) -> int:
        """Classes the images are of."""
        return len(cifar10.CLASSES)


ImageDataConfig = Annotated[DigitsData | Cifar10Data, Field(discriminator="kind")]


@dataclass(frozen=True, eq=False)
class ImageData:
    """Images with labels, read-only; label k means `class_names[k]`."""

    images: UInt8Array  # (n, H, W, C)
    labels: IntArray  # (n,)
    class_names: tuple[str, ...]


@lru_cache(maxsize=4)
def load_images(config: DigitsData | Cifar10Data, split: Split) -> ImageData:
    """One split of a data set, kept by the process: every call gives the same arrays.

    Raises as the loader of the data set does.
    """
    if isinstance(config, DigitsData):
        images, labels = digits.load_digits(split)
        class_names = digits.CLASSES
    else:
        images, labels = cifar10.load_cifar10(split, origin=config.origin, path=config.path)
        class_names = cifar10.CLASSES
        if config.per_class is not None:
            share = 1 if split == "train" else TRAIN_PER_TEST
            chosen = first_of_each(labels, max(config.per_class // share, 1))
            images, labels = images[chosen], labels[chosen]
        images = reduced(images, size=config.size)
    for array in (images, labels):
        array.flags.writeable = False
    return ImageData(images, labels, class_names)


def first_of_each(
    labels: IntArray,  # (n,)
    num_per_class: int,
) -> IntArray:  # (m,), ascending
    """Rows that are among the first `num_per_class` of their label."""
    rows = [np.flatnonzero(labels == label)[:num_per_class] for label in np.unique(labels)]
    return np.sort(np.concatenate(rows))


def reduced(
    images: UInt8Array,  # (n, H, H, C)
    *,
    size: int,
) -> UInt8Array:  # (n, size, size, C)
    """Mean over square blocks, halves rounded up; `size` divides H."""
    factor, rest = divmod(images.shape[1], size)
    assert rest == 0 and images.shape[1] == images.shape[2]
    if factor == 1:
        return images
    # Whole numbers, so that no machine rounds otherwise; 16 bits hold 16 x 16 pixels.
    total = np.full((len(images), size, size, images.shape[3]), factor**2 // 2, np.uint16)
    for row in range(factor):
        for column in range(factor):
            total += images[:, row::factor, column::factor]
    means: UInt8Array = (total // factor**2).astype(np.uint8)
    return means
