"""Files of weights that a run reads, asked for before it trains anything."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext

from data.errors import EnvironmentProblem, WeightsNotAtHand
from data.published_weights import find_all, without_fetching
from data.torch_session import check_device
from rewards.classifier_import import check_weights as check_classifier
from rewards.registry import Reward, find_reward
from tasks.context import RunContext
from tasks.fid import check_weights as check_inception
from tasks.places import Place
from tasks.run_packages import check_packages
from tasks.settings import RunConfig


def check_weights(context: RunContext) -> None:
    """Fetch and check every file of weights that a shared stage or a reward will ask for.

    So a missing one does not end a run after hours of training. Nothing is asked for once all
    shared stages are committed. Raises `EnvironmentProblem` with the commands that fetch them.
    """
    checks = list(_checks(context.config, context.rewards))
    stages = (Place(None, stage) for stage in context.fingerprints.shared)
    if checks and any(context.find(place) is None for place in stages):
        find_all(checks)


def absent_weights(config: RunConfig) -> WeightsNotAtHand | None:
    """What published weights of a run are neither on this machine nor to be fetched.

    Where its device is not there either, nothing is fetched, and what comes says so too. Raises
    `EnvironmentProblem` for packages that are missing and for files that are not those configured.
    """
    check_packages(config)
    checks = _checks(config, [find_reward(one.kind)(one) for one in config.rewards])
    no_device = _device_problem(config.runtime.device)
    try:
        with nullcontext() if no_device is None else without_fetching():
            find_all(checks)
    except WeightsNotAtHand as problem:
        if no_device is None:
            return problem
        return WeightsNotAtHand(f"{problem}\n{no_device}", repos=problem.repos)
    return None


def _device_problem(device: str) -> EnvironmentProblem | None:
    if device == "cpu":
        return None
    try:
        check_device(device)
    except EnvironmentProblem as problem:
        return problem
    return None


def _checks(config: RunConfig, rewards: Sequence[Reward]) -> Iterator[Callable[[], object]]:
    classifier = config.classifier
    if classifier is not None:
        yield lambda: check_classifier(classifier)
    of_initial = getattr(config.initial, "check_weights", None)
    if of_initial is not None:
        yield lambda: of_initial(config.generator)
    inception = config.evaluation.inception
    if inception is not None:
        yield lambda: check_inception(inception)
    for reward in rewards:
        fetch = getattr(reward, "fetch", None)
        if fetch is not None:
            yield fetch
