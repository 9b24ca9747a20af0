"""CIFAR-10 (A. Krizhevsky, 2009): the same array wherever it was read, checked to the bit.

The hub and torchvision order the rows differently. Here they stand in a canonical order, by
the SHA-256 of their pixels, so that where the data lay enters no result.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from data.cifar10_origins import FETCH, READERS, Origin, Rows, Split
from data.errors import ConfigError

UInt8Array = npt.NDArray[np.uint8]
IntArray = npt.NDArray[np.int64]

CLASSES = (
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
)  # fmt: skip


@dataclass(frozen=True)
class Promise:
    """What a split has to hold: images of each class, and SHA-256 as `content_digest` gives it."""

    num_per_class: int
    digest: str


PROMISES: dict[Split, Promise] = {
    "train": Promise(5_000, "33587152deae5e711fd800bc0ea97a07f4d660b9bbb1546913be2200754bc6d4"),
    "test": Promise(1_000, "4b83af5e1fb710689a8e3be45e5d5d7e8598f4c3f8fbbab26d7e1874d4b7ca2f"),
}


def load_cifar10(
    split: Split, *, origin: Origin, path: str | None, promises: Mapping[Split, Promise] = PROMISES
) -> tuple[UInt8Array, IntArray]:  # (n, 32, 32, 3), (n,)
    """Pixels and labels of a split in canonical order.

    Raises `EnvironmentProblem` for data that is absent, unreadable or damaged, `ConfigError`
    for another data set than CIFAR-10.
    """
    rows = READERS[origin](split, path)
    _require_classes(rows, promises[split].num_per_class)
    images, labels = canonical(rows.images, np.array(rows.labels, np.int64))
    found, expected = content_digest(images, labels), promises[split].digest
    if found != expected:
        raise ConfigError(
            f"data set cifar10: sha256 of pixels and labels in {rows.place} expected {expected}, "
            f"got {found}; the images were changed (a JPEG copy?) or the classes are in another "
            f"order, fetch the original with `{FETCH}`"
        )
    return images, labels


def canonical(
    images: UInt8Array,  # (n, H, W, C), contiguous
    labels: IntArray,  # (n,)
) -> tuple[UInt8Array, IntArray]:
    """Rows ordered by the SHA-256 of the pixels, then by label: as good as shuffled."""
    digests = [hashlib.sha256(image).digest() for image in images]
    order = sorted(range(len(images)), key=lambda row: (digests[row], labels[row]))
    return images[order], labels[order]


def content_digest(
    images: UInt8Array,  # (n, H, W, C), contiguous
    labels: IntArray,  # (n,)
) -> str:
    """SHA-256 (hex) of the pixels followed by the labels as little-endian int64."""
    digest = hashlib.sha256(images.data)
    digest.update(labels.astype("<i8").tobytes())
    return digest.hexdigest()


def _require_classes(rows: Rows, num_per_class: int) -> None:
    if rows.class_names not in (None, CLASSES):
        raise ConfigError(
            f"data set cifar10: expected classes {', '.join(CLASSES)} in {rows.place}, got "
            f"{', '.join(rows.class_names or ())}; that is another data set, or its labels are "
            "numbered otherwise"
        )
    counts = Counter(rows.labels)
    if counts != Counter(dict.fromkeys(range(len(CLASSES)), num_per_class)):
        shown = ", ".join(f"{label}: {counts[label]}" for label in sorted(counts, key=str)[:12])
        raise ConfigError(
            f"data set cifar10: expected {num_per_class:,} rows of each label 0 .. 9 in "
            f"{rows.place}, got {len(rows.labels):,} rows, {shown or 'none'}; that is another "
            "data set, or a part of this one"
        )
