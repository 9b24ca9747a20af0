"""Ranges and augmentation of pixels."""

import numpy as np
import torch

from data.pixels import flipped, on_device, shifted, signed, to_bytes, unsigned

EVERY_BYTE = np.arange(256, dtype=np.uint8).reshape(4, 8, 8, 1)


def test_every_byte_survives_the_way_to_signed_values_and_back() -> None:
    np.testing.assert_array_equal(to_bytes(signed(on_device(EVERY_BYTE))), EVERY_BYTE)


def test_ranges_are_those_of_flows_and_classifiers() -> None:
    pixels = on_device(EVERY_BYTE)
    assert [float(value) for value in signed(pixels).aminmax()] == [-1, 1]
    assert [float(value) for value in unsigned(pixels).aminmax()] == [0, 1]


def test_values_outside_the_range_are_clipped_and_not_wrapped() -> None:
    values = torch.tensor([-1.5, 1.5]).reshape(2, 1, 1, 1)
    assert to_bytes(values).ravel().tolist() == [0, 255]


def test_channels_and_pixels_keep_their_places() -> None:
    images = np.random.default_rng(0).integers(256, size=(3, 4, 5, 2)).astype(np.uint8)
    tensor = on_device(images)
    assert tensor.shape == (3, 2, 4, 5)
    assert int(tensor[1, 0, 2, 3]) == int(images[1, 2, 3, 0])


def test_about_half_of_the_images_are_mirrored_and_none_is_changed_otherwise() -> None:
    pixels = torch.arange(6, dtype=torch.uint8).reshape(1, 1, 2, 3).repeat(4000, 1, 1, 1)
    found = flipped(pixels, torch.Generator().manual_seed(0))
    mirrored = (found == pixels.flip(3)).flatten(1).all(1)
    assert (mirrored | (found == pixels).flatten(1).all(1)).all()
    assert abs(mirrored.float().mean() - 0.5) < 0.03  # four standard deviations


def test_a_shift_is_a_crop_of_the_padded_image() -> None:
    pixels = torch.randint(1, 256, (50, 2, 5, 6), generator=torch.Generator().manual_seed(1))
    found = shifted(pixels, torch.Generator().manual_seed(2), by=2)
    padded = torch.nn.functional.pad(pixels, (2, 2, 2, 2))
    crops = [
        [padded[:, :, top : top + 5, left : left + 6] for left in range(5)] for top in range(5)
    ]
    same = torch.stack([(crop == found).flatten(1).all(1) for row in crops for crop in row])
    assert same.any(0).all()
    assert (same.sum(1) > 0).sum() > 10  # many different shifts occur


def test_no_shift_leaves_images_as_they_are() -> None:
    pixels = torch.arange(24, dtype=torch.uint8).reshape(2, 1, 3, 4)
    assert torch.equal(shifted(pixels, torch.Generator().manual_seed(0), by=0), pixels)
