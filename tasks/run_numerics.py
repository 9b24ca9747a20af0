"""The numerics class of a run: device, threads, precision, versions of what computes in it."""

from typing import Any

from data.numerics import numerics_class
from data.torch_session import check_device
from generators.registry import find_generator
from rewards.registry import find_reward
from tasks.settings import RunConfig


def numerics_of(config: RunConfig) -> dict[str, Any]:
    """Numerics class of a run with this configuration on this machine.

    Raises `EnvironmentProblem` for a device that is not there.
    """
    return _numerics(config, _libraries(config))


def shared_numerics_of(config: RunConfig) -> dict[str, Any]:
    """Numerics class of what runs share: what their rewards compute in is no part of it."""
    return _numerics(config, set(find_generator(config.generator.kind).libraries))


def _numerics(config: RunConfig, libraries: set[str]) -> dict[str, Any]:
    kind, runtime = find_generator(config.generator.kind), config.runtime
    precision = getattr(kind, "precision", None)
    special = {} if precision is None else precision(config.generator, runtime.device)
    model = None
    if runtime.device != "cpu":
        special["deterministic"] = runtime.deterministic
        model = check_device(runtime.device)
    return numerics_class(runtime.device, runtime.threads, libraries, device_model=model, **special)


def _libraries(config: RunConfig) -> set[str]:
    """Distributions that the generator, the classifier and the rewards compute in."""
    found = set(find_generator(config.generator.kind).libraries)
    for reward in config.rewards:
        found |= set(getattr(find_reward(reward.kind), "libraries", ()))
    return found | {"torch"} if config.classifier is not None else found
