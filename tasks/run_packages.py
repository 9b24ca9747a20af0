"""The packages that a run computes in, and whether they are installed."""

from collections.abc import Iterable, Sequence

from data.installation import check_installed, missing
from data.plugins import OWN, PluginFamily
from generators.registry import FAMILY as GENERATORS
from generators.registry import find_generator
from rewards.registry import FAMILY as REWARDS
from rewards.registry import RewardConfig, every_part, find_reward
from tasks.settings import RunConfig

CLASSIFIER_LIBRARIES = ("torch",)
INCEPTION_LIBRARIES = ("torch", "torch-fidelity")
PROCESSES_LIBRARIES = ("accelerate",)


def run_libraries(config: RunConfig) -> set[str]:
    """Distributions that generator, classifier, rewards and metrics compute in."""
    found = generator_libraries(config) | network_libraries(config, config.rewards)
    found |= set(config.generator.chosen_libraries)
    inception = config.evaluation.inception is not None
    return found | set(INCEPTION_LIBRARIES) if inception else found


def generator_libraries(config: RunConfig) -> set[str]:
    """Distributions that the generator computes in, with those that join its processes."""
    found = set(find_generator(config.generator.kind).libraries)
    several = getattr(config.generator, "processes", 1) > 1
    return found | set(PROCESSES_LIBRARIES) if several else found


def network_libraries(config: RunConfig, rewards: Sequence[RewardConfig]) -> set[str]:
    """Distributions that the classifier, if there is one, and these rewards compute in."""
    found = {name for reward in every_part(rewards) for name in _of_reward(reward)}
    return found | set(CLASSIFIER_LIBRARIES) if config.classifier is not None else found


def check_packages(config: RunConfig) -> None:
    """Raise `EnvironmentProblem` unless all that a run computes in is installed."""
    generator = config.generator.kind
    _check_plugin(GENERATORS, generator, sorted(generator_libraries(config)))
    for name in config.generator.chosen_libraries:
        # vllm pins a torch of its own, so that it is in none of our extras.
        command = "pip install vllm" if name == "vllm" else None
        check_installed(f"generator {generator!r}", (name,), command=command)
    if config.classifier is not None:
        check_installed("classifier", CLASSIFIER_LIBRARIES)
    if config.evaluation.inception is not None:
        check_installed("evaluation.inception", INCEPTION_LIBRARIES)
    for reward in every_part(config.rewards):
        _check_plugin(REWARDS, reward.kind, _of_reward(reward))


def _check_plugin(family: PluginFamily, kind: str, libraries: Iterable[str]) -> None:
    if absent := missing(libraries):
        # Our extras hold what our own kinds need.
        own = family.origin(kind) == OWN
        command = None if own else f"pip install {' '.join(absent)}"
        check_installed(f"{family.noun} {kind!r}", libraries, command=command)


def _of_reward(reward: RewardConfig) -> tuple[str, ...]:
    return tuple(getattr(find_reward(reward.kind), "libraries", ()))
