"""The packages that a run computes in, and whether they are installed."""

from collections.abc import Iterable, Iterator

from data.installation import INSTALL, check_installed, missing
from data.plugins import OWN, PluginFamily
from generators.registry import FAMILY as GENERATORS
from generators.registry import find_generator
from rewards.registry import FAMILY as REWARDS
from rewards.registry import RewardConfig, find_reward
from tasks.settings import RunConfig

CLASSIFIER_LIBRARIES = ("torch",)
INCEPTION_LIBRARIES = ("torch", "torch-fidelity")


def run_libraries(config: RunConfig) -> set[str]:
    """Distributions that the generator, the classifier and the rewards compute in."""
    found = set(find_generator(config.generator.kind).libraries)
    for reward in _all_rewards(config.rewards):
        found |= set(_of_reward(reward))
    return found | set(CLASSIFIER_LIBRARIES) if config.classifier is not None else found


def check_packages(config: RunConfig) -> None:
    """Raise `EnvironmentProblem` unless all that a run computes in is installed."""
    generator = config.generator.kind
    _check_plugin(GENERATORS, generator, find_generator(generator).libraries)
    if config.classifier is not None:
        check_installed("classifier", CLASSIFIER_LIBRARIES)
    if config.evaluation.inception is not None:
        check_installed("evaluation.inception", INCEPTION_LIBRARIES)
    for reward in _all_rewards(config.rewards):
        _check_plugin(REWARDS, reward.kind, _of_reward(reward))


def _check_plugin(family: PluginFamily, kind: str, libraries: Iterable[str]) -> None:
    if absent := missing(libraries):
        # Our extra holds what our own kinds need.
        own = family.origin(kind) == OWN
        command = INSTALL if own else f"pip install {' '.join(absent)}"
        check_installed(f"{family.noun} {kind!r}", libraries, command=command)


def _all_rewards(rewards: Iterable[RewardConfig]) -> Iterator[RewardConfig]:
    """The rewards and those that they are made of."""
    for reward in rewards:
        yield reward
        yield from _all_rewards(getattr(reward, "parts", ()))


def _of_reward(reward: RewardConfig) -> tuple[str, ...]:
    return tuple(getattr(find_reward(reward.kind), "libraries", ()))
