"""What counts as CIFAR-10, on small stand-ins that promise fewer images."""

from pathlib import Path

import numpy as np
import pytest

from data.cifar10 import CLASSES, Promise, canonical, content_digest, load_cifar10
from data.cifar10_origins import Split
from data.errors import ConfigError
from tests.data.cifar10_files import png, write_parquet

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(256, size=(20, 32, 32, 3)).astype(np.uint8)
LABELS = np.tile(np.arange(10), 2)
PNGS = [png(image) for image in IMAGES]
DIGEST = content_digest(*canonical(IMAGES, LABELS))
SMALL: dict[Split, Promise] = {"train": Promise(2, DIGEST), "test": Promise(1, "none such")}


def load(folder: Path, split: Split = "train") -> np.ndarray:
    return load_cifar10(split, origin="parquet", path=str(folder), promises=SMALL)[0]


def test_the_order_of_the_rows_changes_nothing(tmp_path: Path) -> None:
    found = []
    for name, rows in (("a", np.arange(20)), ("b", RNG.permutation(20))):
        write_parquet(
            tmp_path / name / "train.parquet", [PNGS[row] for row in rows], LABELS[rows].tolist()
        )
        found.append(load(tmp_path / name))
    np.testing.assert_array_equal(found[0], found[1])
    assert {image.tobytes() for image in found[0]} == {image.tobytes() for image in IMAGES}


def test_equal_images_are_ordered_by_label() -> None:
    images, labels = canonical(np.repeat(IMAGES[:1], 3, axis=0), np.array([5, 2, 9]))
    assert labels.tolist() == [2, 5, 9] and (images == IMAGES[0]).all()


def test_a_label_goes_with_its_image() -> None:
    images, labels = canonical(IMAGES, LABELS)
    by_pixels = {image.tobytes(): label for image, label in zip(IMAGES, LABELS, strict=True)}
    assert [by_pixels[image.tobytes()] for image in images] == labels.tolist()


def test_the_digest_sees_a_pixel_a_label_and_the_order() -> None:
    changed = IMAGES.copy()
    changed[7, 3, 2, 1] ^= 1
    digests = {
        content_digest(IMAGES, LABELS),
        content_digest(changed, LABELS),
        content_digest(IMAGES, LABELS[::-1]),
        content_digest(IMAGES[::-1].copy(), LABELS[::-1]),
    }
    assert len(digests) == 4


def test_a_file_that_does_not_name_its_classes_is_judged_by_its_pixels(tmp_path: Path) -> None:
    write_parquet(tmp_path / "train.parquet", PNGS, LABELS.tolist(), names=None)
    assert len(load(tmp_path)) == 20


def test_classes_in_another_order_are_refused(tmp_path: Path) -> None:
    write_parquet(tmp_path / "train.parquet", PNGS, LABELS.tolist(), names=sorted(CLASSES)[::-1])
    with pytest.raises(
        ConfigError, match=r"expected classes airplane, automobile.*train.parquet, got truck, ship"
    ):
        load(tmp_path)


def test_missing_surplus_and_foreign_labels_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "train.parquet"
    write_parquet(path, PNGS[:19], LABELS[:19].tolist())
    with pytest.raises(ConfigError, match=r"2 rows of each label 0 \.\. 9 .*got 19 rows.*9: 1;"):
        load(tmp_path)
    write_parquet(path, PNGS, [*LABELS[:19].tolist(), 10])
    with pytest.raises(ConfigError, match=r"got 20 rows, 0: 2, 1: 2, 10: 1,.*another data set"):
        load(tmp_path)
    write_parquet(path, PNGS, [*LABELS[:19].tolist(), None])
    with pytest.raises(ConfigError, match="None: 1"):
        load(tmp_path)
    write_parquet(path, [], [])
    with pytest.raises(ConfigError, match="got 0 rows, none"):
        load(tmp_path)


def test_other_pixels_in_the_right_numbers_are_refused(tmp_path: Path) -> None:
    write_parquet(tmp_path / "test.parquet", PNGS[:10], LABELS[:10].tolist())
    with pytest.raises(ConfigError, match=r"sha256 of pixels.*expected none such.*`hf download"):
        load(tmp_path, "test")
