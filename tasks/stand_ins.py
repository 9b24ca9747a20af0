"""What stands in for parts of the paper's experiments, from the configuration alone.

Whoever reads a number has to see what it was measured with, on every page and in every manifest.
"""

from collections.abc import Iterator, Sequence

from data.image_data import Cifar10Data, DigitsData
from generators.ot_cfm_config import OtCfmConfig, UNetField
from generators.registry import GeneratorConfig, InitialConfig
from rewards.classifier_config import ClassifierConfig
from rewards.registry import RewardConfig, every_part
from tasks.fid import PUBLISHED_SHA256
from tasks.settings import RunConfig
from tasks.text_stand_ins import text_stand_ins

# Rewards computed from pixels, where the paper has models of what people like.
COMPUTED = ("ink", "symmetry", "thinness")


def stand_ins(config: RunConfig) -> tuple[str, ...]:
    """One text a stand-in, `this in place of that`; none for runs of points."""
    data = getattr(config.initial, "data", None)
    if not isinstance(data, DigitsData | Cifar10Data):
        return (*text_stand_ins(config), *_of_rewards(config.rewards))
    return (
        *_of_data(data),
        *_of_field(config.generator),
        *_of_initial(config.initial),
        *_of_classifier(config.classifier),
        *_of_distance(config),
        *_of_rewards(config.rewards),
    )


def _of_data(data: DigitsData | Cifar10Data) -> Iterator[str]:
    if isinstance(data, DigitsData):
        yield "scikit-learn digits (8 x 8, grey) in place of CIFAR-10"
        return
    if data.size != 32:
        yield f"CIFAR-10 at {data.size} x {data.size} in place of 32 x 32"
    if data.per_class is not None:
        yield f"{data.per_class} CIFAR-10 training images of each class in place of 5000"


def _of_field(generator: GeneratorConfig) -> Iterator[str]:
    if not isinstance(generator, OtCfmConfig) or generator.field == UNetField():
        return
    if isinstance(generator.field, UNetField):
        yield f"U-Net of {generator.field.channels} channels in place of the one of 35.7 M weights"
    else:
        yield "fully connected velocity field in place of the U-Net of 35.7 M weights"


def _of_initial(initial: InitialConfig) -> Iterator[str]:
    # The digest in a configuration is the user's own: it says which file, not whose.
    if getattr(initial, "weights", None) is not None:
        yield "p_0 from a file whose digest is not pinned in place of the paper's training"


def _of_classifier(classifier: ClassifierConfig | None) -> Iterator[str]:
    if classifier is None:
        return
    published = "VGG11-BN of 92.39 % test accuracy"
    if classifier.architecture != "vgg11-bn":
        yield f"{classifier.architecture} in place of {published}"
    elif classifier.weights is None:
        yield f"VGG11-BN of our own training in place of {published}"
    else:
        yield f"VGG11-BN from a file whose digest is not pinned in place of {published}"


def _of_distance(config: RunConfig) -> Iterator[str]:
    if config.classifier is None:
        return
    inception = config.evaluation.inception
    if inception is None:
        yield "Fréchet distance on the classifier's features in place of FID"
    elif inception.sha256 != PUBLISHED_SHA256:
        yield "Fréchet distance on features of other Inception weights in place of FID"


def _of_rewards(rewards: Sequence[RewardConfig]) -> Iterator[str]:
    found = list(every_part(rewards))
    others = [one.kind for one in found if not getattr(one, "uses_published_weights", True)]
    if others:
        yield f"other weights in place of the published ones of {_listed(others)}"
    if any(one.kind == "aesthetic" and getattr(one, "version", 1) != 1 for one in found):
        yield "LAION aesthetic V2 in place of the cited V1"
    computed = [one.kind for one in found if one.kind in COMPUTED]
    if computed:
        yield f"{_listed(computed)} of the pixels in place of learned rewards"


def _listed(kinds: Sequence[str]) -> str:
    return ", ".join(dict.fromkeys(kinds))
