"""What a run's classifier must fit: the images of p_0, and the rewards that ask it."""

from collections.abc import Sequence

from data.image_data import Cifar10Data, DigitsData
from generators.registry import GeneratorConfig, InitialConfig
from rewards.classifier_config import ClassifierConfig
from rewards.registry import RewardConfig, every_part, find_reward, needs_classifier


def check_classifier(
    classifier: ClassifierConfig | None,
    *,
    generator: GeneratorConfig,
    initial: InitialConfig,
    rewards: Sequence[RewardConfig],  # (R,)
    names: Sequence[str],  # (R,)
) -> None:
    """Raise `ValueError` for a classifier of other images, or for rewards that lack one.

    Before anything is trained: both would be found hours later otherwise.
    """
    if classifier is not None:
        _check_images(classifier, generator, initial)
    for name, reward in zip(names, rewards, strict=True):
        if classifier is None and needs_classifier(find_reward(reward.kind)(reward)):
            raise ValueError(
                f"rewards: expected a classifier for {name!r}, which scores with one, got none; "
                "set `classifier`"
            )
        for part in every_part([reward]):
            index = getattr(part, "class_index", 0)
            if classifier is not None and index >= classifier.data.num_classes:
                raise ValueError(
                    f"rewards: expected a class_index from 0 to {classifier.data.num_classes - 1} "
                    f"for {name!r}, got {index}"
                )


def _check_images(
    classifier: ClassifierConfig, generator: GeneratorConfig, initial: InitialConfig
) -> None:
    data = getattr(initial, "data", None)
    if not isinstance(data, DigitsData | Cifar10Data):
        raise ValueError(
            f"classifier: expected a generator of images, got {generator.kind!r}; leave "
            "`classifier` out"
        )
    if data.shape != classifier.data.shape:
        raise ValueError(
            f"classifier: expected one of images of shape {data.shape}, as p_0 makes them "
            f"({data.kind}), got one of {classifier.data.shape} ({classifier.data.kind}); give "
            "`initial.data` and `classifier.data` the same data"
        )
