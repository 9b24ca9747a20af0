"""The thin Prefect task around every stage: small plain values in and out, never arrays.

Prefect decides when and where; whether a stage is done is the artifact store's to say. So
results are not persisted and nothing is cached by Prefect.
"""

from functools import lru_cache
from pathlib import Path
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.logging import get_run_logger
from prefect.states import Completed

from data.errors import StageFailed, StorageError
from tasks.context import RunContext
from tasks.places import Place
from tasks.stage import Outcome, run_place

Plain = dict[str, Any]


def is_worth_retrying(_task: Any, _run: Any, state: State[Any]) -> bool:
    """True for causes outside the run (a store or device out of reach), never for bad numbers."""
    try:
        state.result()
    except (StageFailed, StorageError):
        return True
    except Exception:
        return False
    return False


@task(
    name="stage",
    cache_policy=NO_CACHE,
    persist_result=False,
    retries=2,
    retry_delay_seconds=2,
    retry_condition_fn=is_worth_retrying,
)
def stage_task(request: Plain, upstream: Plain | None = None) -> Any:
    """Run the places of `request` = {store, run, places: [[iteration, stage], ...]}.

    Returns {run, outcomes}; as a state named "Cached" when every place was committed already.
    `upstream` is what the task before returned, which lets Prefect draw the chain.
    """
    context = open_context(request["store"], request["run"], request["record"])
    outcomes = [run_place(context, Place(*place)) for place in request["places"]]
    plain = [outcome.plain(context.run) | {"seconds": outcome.seconds} for outcome in outcomes]
    logger = get_run_logger()
    for outcome in outcomes:
        logger.info("%s: %s in %.3f s", outcome.place, outcome.how, outcome.seconds)
    result = {"run": context.run, "outcomes": plain}
    if all(outcome.how != "computed" for outcome in outcomes):
        return Completed(name="Cached", message="committed already", data=result)
    return result


@lru_cache(maxsize=4)
def open_context(store: str, run: str, _record: str) -> RunContext:
    """Context of a run, kept between tasks of one process; `_record` is its record's digest."""
    return RunContext.open(Path(store), run)


def plain_result(returned: Any) -> Plain:
    """What `stage_task` returned, taken out of its "Cached" state where there is one."""
    result: Plain = returned.result() if isinstance(returned, State) else returned
    return result


def outcomes_of(result: Plain) -> list[Outcome]:
    """The outcomes in a plain result of `stage_task`."""
    return [
        Outcome(
            place=Place(plain["iteration"], plain["stage"]),
            how=plain["how"],
            fingerprint=plain["fingerprint"],
            content_digest=plain["content_digest"],
            seconds=plain["seconds"],
        )
        for plain in result["outcomes"]
    ]
