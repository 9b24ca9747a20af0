"""What stands in for the paper's parts, read off configurations."""

from typing import Any

from data.image_data import Cifar10Data
from flows.cifar10 import cpu_mini, digits, paper
from flows.e10 import published
from flows.e10 import stand_ins as tiny
from flows.gmm import paper as points
from rewards.aesthetic import AestheticConfig
from rewards.ink import InkConfig
from rewards.weighted_sum import WeightedSumConfig
from tasks.fid import InceptionConfig
from tasks.settings import RunConfig
from tasks.stand_ins import stand_ins


def with_rewards(*rewards: Any) -> RunConfig:
    return paper().model_copy(update={"rewards": rewards})


def test_points_have_none() -> None:
    assert stand_ins(points()) == ()


def with_inception(**given: Any) -> RunConfig:
    inception = InceptionConfig(weights="inception.pth", **given)
    evaluation = paper().evaluation.model_copy(update={"inception": inception})
    return paper().model_copy(update={"evaluation": evaluation})


def test_the_papers_own_setting_lacks_only_files_that_are_not_ours() -> None:
    base = paper()
    own_vgg = "VGG11-BN of our own training in place of VGG11-BN of 92.39 % test accuracy"
    assert stand_ins(with_inception()) == (own_vgg,)
    assert stand_ins(base) == (
        "VGG11-BN of our own training in place of VGG11-BN of 92.39 % test accuracy",
        "Fréchet distance on the classifier's features in place of FID",
    )


def test_a_file_whose_digest_no_one_pinned_is_named_whatever_it_is_said_to_be() -> None:
    base = paper()
    assert base.classifier is not None
    given = {"weights": "any.pt", "weights_sha256": "0" * 64}
    imported = base.model_copy(
        update={
            "classifier": base.classifier.model_copy(update=given),
            "initial": base.initial.model_copy(update=given),
        }
    )
    flow, classifier, _ = stand_ins(imported)
    assert flow == "p_0 from a file whose digest is not pinned in place of the paper's training"
    assert classifier.startswith("VGG11-BN from a file whose digest is not pinned in place of")
    assert stand_ins(with_inception(sha256="0" * 64))[-1] == (
        "Fréchet distance on features of other Inception weights in place of FID"
    )


def test_digits_replace_images_network_and_classifier() -> None:
    first, second, third, fourth = stand_ins(digits())
    assert "digits" in first and "in place of CIFAR-10" in first
    assert "in place of the U-Net" in second
    assert third == "small-cnn in place of VGG11-BN of 92.39 % test accuracy"
    assert fourth.endswith("in place of FID")


def test_reduced_cifar_says_its_size_and_number() -> None:
    data = cpu_mini().initial.model_dump()["data"]
    assert data == Cifar10Data(size=16, per_class=1_000).model_dump()
    found = stand_ins(cpu_mini())
    assert found[0] == "CIFAR-10 at 16 x 16 in place of 32 x 32"
    assert found[1].startswith("1000 CIFAR-10 training images of each class")
    assert found[2].startswith("U-Net of 32 channels")


def test_rewards_that_are_not_the_published_ones_are_named_also_within_a_sum() -> None:
    base = stand_ins(paper())
    assert stand_ins(with_rewards(*published())) == base
    (others,) = set(stand_ins(with_rewards(*tiny()))) - set(base)
    assert others == (
        "other weights in place of the published ones of pick-score, image-reward, aesthetic"
    )
    (second,) = set(stand_ins(with_rewards(AestheticConfig(version=2)))) - set(base)
    assert second == "LAION aesthetic V2 in place of the cited V1"
    (ink,) = set(stand_ins(with_rewards(WeightedSumConfig(parts=(InkConfig(),))))) - set(base)
    assert ink == "ink of the pixels in place of learned rewards"
