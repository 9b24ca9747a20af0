"""Every part that is not the paper's is named, and nothing else is."""

from typing import Any

import pytest

from flows.cifar10 import cpu_mini, digits, gpu_small, paper
from flows.domain import merge
from flows.gmm import smoke
from tasks.settings import RunConfig, parse_config
from tasks.stand_ins import stand_ins

DISTANCE = "Fréchet distance on the classifier's features in place of FID"
VGG = "VGG11-BN of our own training in place of VGG11-BN of 92.39 % test accuracy"


def changed(base: RunConfig, changes: dict[str, Any]) -> tuple[str, ...]:
    return stand_ins(parse_config(merge(base.model_dump(mode="json"), changes)))


def test_the_paper_with_the_published_weights_needs_none() -> None:
    weights = {"weights": "vgg11_bn.pt", "weights_sha256": "0" * 64}
    evaluation = {"inception": {"weights": "inception.pth"}}
    assert changed(paper(), {"classifier": weights, "evaluation": evaluation}) == ()


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        (smoke(), ()),
        (paper(), (VGG, DISTANCE)),
        (
            gpu_small(),
            (
                "U-Net of 64 channels in place of the one of 35.7 M weights",
                "resnet20 in place of VGG11-BN of 92.39 % test accuracy",
                DISTANCE,
            ),
        ),
        (
            cpu_mini(),
            (
                "CIFAR-10 at 16 x 16 in place of 32 x 32",
                "1000 CIFAR-10 training images of each class in place of 5000",
                "U-Net of 32 channels in place of the one of 35.7 M weights",
                "small-cnn in place of VGG11-BN of 92.39 % test accuracy",
                DISTANCE,
            ),
        ),
        (
            digits(),
            (
                "scikit-learn digits (8 x 8, grey) in place of CIFAR-10",
                "fully connected velocity field in place of the U-Net of 35.7 M weights",
                "small-cnn in place of VGG11-BN of 92.39 % test accuracy",
                DISTANCE,
            ),
        ),
    ],
    ids=["gmm", "paper", "gpu-small", "cpu-mini", "digits"],
)
def test_a_preset_names_its_stand_ins(base: RunConfig, expected: tuple[str, ...]) -> None:
    assert stand_ins(base) == expected


def test_rewards_of_pixels_and_other_weights_are_named_also_inside_a_sum() -> None:
    rewards = [
        {"kind": "weighted-sum", "parts": [{"kind": "ink"}, {"kind": "symmetry"}]},
        {"kind": "ink"},
        {"kind": "aesthetic"},
    ]
    found = changed(digits(), {"rewards": rewards})
    assert found[-1] == "ink, symmetry of the pixels in place of learned rewards"
    assert not any("aesthetic" in text for text in found), "its weights are the published ones"
