"""Files of weights that a run reads, asked for before it trains anything."""

from collections.abc import Callable, Iterator

from rewards.registry import every_part, find_reward
from tasks.context import RunContext
from tasks.fid import check_weights as check_inception
from tasks.places import Place
from tasks.settings import RunConfig


def check_weights(context: RunContext) -> None:
    """Fetch and check every file that only a later shared stage would ask for.

    So a missing one does not end a run after hours of training. Nothing is asked for once all
    shared stages are committed. Raises `EnvironmentProblem` with the command that fetches it.
    """
    checks = list(_checks(context.config))
    stages = (Place(None, stage) for stage in context.fingerprints.shared)
    if checks and any(context.find(place) is None for place in stages):
        for check in checks:
            check()


def _checks(config: RunConfig) -> Iterator[Callable[[], object]]:
    of_initial = getattr(config.initial, "check_weights", None)
    if of_initial is not None:
        yield of_initial
    inception = config.evaluation.inception
    if inception is not None:
        yield lambda: check_inception(inception)
    for reward in every_part(config.rewards):
        fetch = getattr(find_reward(reward.kind)(reward), "fetch", None)
        if fetch is not None:
            yield fetch
