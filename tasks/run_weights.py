"""Files of weights that a run reads, asked for before it trains anything."""

from collections.abc import Callable, Iterator

from rewards.classifier_import import check_weights as check_classifier
from tasks.context import RunContext
from tasks.fid import check_weights as check_inception
from tasks.places import Place


def check_weights(context: RunContext) -> None:
    """Fetch and check every file of weights that a shared stage or a reward will ask for.

    So a missing one does not end a run after hours of training. Nothing is asked for once all
    shared stages are committed. Raises `EnvironmentProblem` with the command that fetches it.
    """
    checks = list(_checks(context))
    stages = (Place(None, stage) for stage in context.fingerprints.shared)
    if checks and any(context.find(place) is None for place in stages):
        for check in checks:
            check()


def _checks(context: RunContext) -> Iterator[Callable[[], object]]:
    config = context.config
    classifier = config.classifier
    if classifier is not None:
        yield lambda: check_classifier(classifier)
    of_initial = getattr(config.initial, "check_weights", None)
    if of_initial is not None:
        yield lambda: of_initial(config.generator)
    inception = config.evaluation.inception
    if inception is not None:
        yield lambda: check_inception(inception)
    for reward in context.rewards:
        fetch = getattr(reward, "fetch", None)
        if fetch is not None:
            yield fetch
