"""Data sets by configuration: splits, sizes, subsets, sharing within a process."""

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from data.configuration import describe_errors
from data.image_data import (
    Cifar10Data,
    DigitsData,
    ImageDataConfig,
    first_of_each,
    load_images,
    reduced,
)

RNG = np.random.default_rng(0)


def test_digits_load_with_their_classes_and_shape() -> None:
    found = load_images(DigitsData(), "train")
    assert found.images.shape[1:] == DigitsData().shape
    assert (len(found.images), len(found.class_names)) == (1_497, 10)
    assert len(load_images(DigitsData(), "test").labels) == 300


def test_a_second_call_gives_the_same_arrays_and_nobody_can_change_them() -> None:
    found = load_images(DigitsData(), "train")
    assert load_images(DigitsData(), "train") is found
    with pytest.raises(ValueError, match="read-only"):
        found.images[0] = 0
    with pytest.raises(ValueError, match="read-only"):
        found.labels[0] = 0


def test_the_kind_chooses_the_configuration() -> None:
    adapter: TypeAdapter[DigitsData | Cifar10Data] = TypeAdapter(ImageDataConfig)
    assert adapter.validate_python({"kind": "digits"}) == DigitsData()
    assert adapter.validate_python({"kind": "cifar10", "size": 8}) == Cifar10Data(size=8)
    with pytest.raises(ValidationError, match="'digits', 'cifar10'"):
        adapter.validate_python({"kind": "mnist"})


def test_where_the_data_lies_is_in_no_fingerprint() -> None:
    placed = Cifar10Data(origin="parquet", path="somewhere", per_class=7)
    assert placed.fingerprint_part() == {"kind": "cifar10", "size": 32, "per_class": 7}
    assert placed.model_dump()["path"] == "somewhere"


@pytest.mark.parametrize("origin", ["torchvision", "parquet"])
def test_an_origin_on_disk_needs_a_path(origin: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Cifar10Data.model_validate({"origin": origin})
    expected = f"path: expected the folder of CIFAR-10 for origin '{origin}', got none; set it"
    assert expected in describe_errors(caught.value)


@pytest.mark.parametrize("given", [{"size": 24}, {"per_class": 0}, {"per_class": 5_001}])
def test_impossible_sizes_and_numbers_are_refused(given: dict[str, int]) -> None:
    with pytest.raises(ValidationError):
        Cifar10Data.model_validate(given)


@pytest.mark.parametrize("size", [16, 8])
def test_a_reduced_pixel_is_the_mean_of_its_block_with_halves_rounded_up(size: int) -> None:
    images = RNG.integers(256, size=(5, 32, 32, 3)).astype(np.uint8)
    images[0] = 255
    factor = 32 // size
    blocks = images.reshape(5, size, factor, size, factor, 3).astype(float)
    expected = np.floor(blocks.mean((2, 4)) + 0.5)
    np.testing.assert_array_equal(reduced(images, size=size), expected)


def test_reducing_twice_by_two_is_within_a_level_of_reducing_once_by_four() -> None:
    images = RNG.integers(256, size=(9, 32, 32, 3)).astype(np.uint8)
    twice = reduced(reduced(images, size=16), size=8).astype(int)
    assert np.abs(twice - reduced(images, size=8)).max() <= 1


def test_an_image_of_the_wanted_size_stays_as_it_is() -> None:
    images = np.zeros((1, 32, 32, 3), np.uint8)
    assert reduced(images, size=32) is images


def test_the_first_of_each_class_are_taken_in_order() -> None:
    labels = np.array([3, 3, 1, 3, 1, 1, 0])
    assert first_of_each(labels, 2).tolist() == [0, 1, 2, 4, 6]
