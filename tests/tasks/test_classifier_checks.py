"""A classifier must fit the run before anything is trained."""

from typing import Any

import pytest

from data.errors import ConfigError
from flows.cifar10 import cpu_mini, digits
from flows.domain import merge
from flows.gmm import smoke
from tasks.settings import RunConfig, parse_config

SUM = {
    "kind": "weighted-sum",
    "parts": [
        {"kind": "class-probability", "class_index": 2},
        {"kind": "class-probability", "class_index": 12},
    ],
}
SMALL = {"architecture": "small-cnn", "data": {"kind": "digits"}}


def configured(base: RunConfig, changes: dict[str, Any]) -> RunConfig:
    return parse_config(merge(base.model_dump(mode="json"), changes))


@pytest.mark.parametrize(
    ("base", "changes", "text"),
    [
        (
            digits(),
            {"rewards": [{"kind": "class-probability", "class_index": 10}]},
            "expected a class_index from 0 to 9 for 'class-probability-1', got 10",
        ),
        (digits(), {"rewards": [SUM]}, "a class_index from 0 to 9 for 'weighted-sum-1', got 12"),
        (
            digits(),
            {"classifier": None},
            "rewards: expected a classifier for 'class-0', which scores with one, got none; set",
        ),
        (
            digits(),
            {"classifier": None, "rewards": [SUM]},
            "rewards: expected a classifier for 'weighted-sum-1', which scores with one, got none",
        ),
        (
            cpu_mini(),
            {"classifier": SMALL | {"flip": False, "mean": [0.5], "deviation": [0.5]}},
            r"expected one of images of shape \(16, 16, 3\), as p_0 makes them \(cifar10\), got "
            r"one of \(8, 8, 1\) \(digits\); give `initial.data` and `classifier.data` the same",
        ),
        (
            smoke(),
            {"classifier": SMALL},
            "classifier: expected a generator of images, got 'mixture'; leave `classifier` out",
        ),
        (
            digits(),
            {"classifier": {"architecture": "vgg11-bn", "data": {"kind": "digits"}}},
            r"expected images of 32 x 32 x 3, got 8 x 8 x 1 \(digits\); this is the wrong class",
        ),
        (
            cpu_mini(),
            {"classifier": {"architecture": "resnet20", "data": {"kind": "cifar10", "size": 16}}},
            r"resnet20: expected images of 32 x 32 x 3, got 16 x 16 x 3 \(cifar10\); this is the",
        ),
    ],
)
def test_a_classifier_that_does_not_fit_is_refused(
    base: RunConfig, changes: dict[str, Any], text: str
) -> None:
    with pytest.raises(ConfigError, match=text):
        configured(base, changes)


def test_other_images_of_the_same_shape_are_fine() -> None:
    fewer = {"classifier": {"data": {"per_class": 100}}}
    assert configured(cpu_mini(), fewer).classifier is not None


def test_inception_needs_a_classifier_beside_it() -> None:
    inception = {"weights": "weights.pth"}
    rewards = [{"kind": "ink"}]
    changes = {"classifier": None, "rewards": rewards, "evaluation": {"inception": inception}}
    with pytest.raises(ConfigError, match="evaluation.inception: expected a classifier beside it"):
        configured(digits(), changes)
    del changes["evaluation"]
    assert configured(digits(), changes).classifier is None, "learned rewards alone need none"
