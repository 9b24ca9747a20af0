"""Recipes, and classifiers that cannot be."""

from typing import Any

import pytest
from pydantic import ValidationError

from rewards.classifier_config import ClassifierConfig

DIGITS = {"kind": "digits"}
CIFAR = {"kind": "cifar10"}


def config(**given: Any) -> ClassifierConfig:
    return ClassifierConfig.model_validate(given)


def test_the_paper_classifier_is_vgg11_with_its_published_recipe() -> None:
    given = config(data=CIFAR)
    assert given.architecture == "vgg11-bn"
    recipe = (given.num_epochs, given.batch_size, given.learning_rate, given.weight_decay)
    assert recipe == (100, 256, 0.01, 0.01)
    assert given.deviation == (0.2471, 0.2435, 0.2616)


def test_each_architecture_has_the_recipe_and_range_of_its_own() -> None:
    resnet = config(architecture="resnet20", data=CIFAR)
    assert (resnet.num_epochs, resnet.learning_rate, resnet.schedule) == (200, 0.1, "cosine")
    assert resnet.mean == (0.485, 0.456, 0.406)
    digits = config(architecture="small-cnn", data=DIGITS)
    assert (digits.mean, digits.deviation, digits.flip) == ((0.5,), (0.5,), False)
    small = config(architecture="small-cnn", data=CIFAR | {"size": 8})
    assert (small.mean, small.flip) == ((0.5, 0.5, 0.5), True)


def test_a_given_value_goes_before_the_recipe() -> None:
    given = config(architecture="small-cnn", data=DIGITS, num_epochs=3, mean=(0.25,))
    assert (given.num_epochs, given.mean, given.batch_size) == (3, (0.25,), 64)


def test_digits_are_not_mirrored() -> None:
    with pytest.raises(ValidationError, match="classifier.flip: expected false for digits, got tr"):
        config(architecture="small-cnn", data=DIGITS, flip=True)


@pytest.mark.parametrize("architecture", ["vgg11-bn", "resnet56", "small-cnn"])
def test_plain_values_give_the_same_configuration_back(architecture: str) -> None:
    given = config(architecture=architecture, data=CIFAR, num_epochs=7)
    assert ClassifierConfig.model_validate(given.model_dump(mode="json")) == given


def test_the_digest_of_weights_is_part_of_the_fingerprint_and_their_place_is_not() -> None:
    trained = config(architecture="resnet20", data=CIFAR).fingerprint_part()
    first, second = (
        config(
            architecture="resnet20", data=CIFAR, weights=place, weights_sha256="0" * 64
        ).fingerprint_part()
        for place in ("a.th", "b.th")
    )
    assert first == second != trained


@pytest.mark.parametrize("architecture", ["vgg11-bn", "resnet20", "resnet56"])
@pytest.mark.parametrize(
    ("data", "size"), [(DIGITS, r"8 x 8 x 1 \(digits\)"), (CIFAR | {"size": 16}, "16 x 16 x 3")]
)
def test_the_wrong_classifier_for_the_image_size_is_refused_naming_both(
    architecture: str, data: dict[str, object], size: str
) -> None:
    text = rf"classifier {architecture}: expected images of 32 x 32 x 3, got {size}.*use small-cnn"
    with pytest.raises(ValidationError, match=text):
        config(architecture=architecture, data=data)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"data": {"kind": "imagenet"}}, "data"),
        ({}, "data"),
        ({"architecture": "vgg16"}, "architecture"),
        ({"mean": (0.5,)}, r"mean: expected one number for each of the 3 channels, got \(0.5,\)"),
        ({"deviation": (1.0, 0.0, 1.0)}, "deviation: expected positive numbers, got"),
        ({"weights": "vgg.pt"}, "weights, weights_sha256: expected both or none, got 'vgg.pt', No"),
        ({"weights_sha256": "0" * 64}, "weights, weights_sha256: expected both or none, got None"),
        ({"weights": "a", "weights_sha256": "beef"}, "weights_sha256"),
        ({"num_epochs": 0}, "num_epochs"),
        ({"momentum": 1.0}, "momentum"),
        ({"learning_rate": 0.0}, "learning_rate"),
    ],
)
def test_what_cannot_be_is_refused(given: dict[str, Any], text: str) -> None:
    with pytest.raises(ValidationError, match=text):
        config(**({"data": CIFAR} if given and "data" not in given else {}), **given)
