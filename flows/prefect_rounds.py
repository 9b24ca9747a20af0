"""The loop under Prefect: each batch of places is one task, each evaluated model one table."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from prefect.utilities.annotations import quote

from flows.prefect_page import RunPage
from flows.rounds import rounds
from tasks.context import RunContext
from tasks.places import Place
from tasks.shell import outcomes_of, plain_result, stage_task
from tasks.stage import Outcome


def prefect_rounds(store: str, run: str) -> None:
    """Run the loop of `run` inside a Prefect flow; to be called from a domain's flow."""
    context = RunContext.open(Path(store), run)
    page = RunPage(context)
    before: dict[str, Any] | None = None

    def run_batch(context: RunContext, name: str, places: Sequence[Place]) -> list[Outcome]:
        nonlocal before
        single = context.config.runtime.granularity == "stage"
        named = stage_task.with_options(
            name=places[0].stage if single else context.config.runtime.granularity,
            task_run_name=f"{run}/{name}",
        )
        request = {
            "store": store,
            "run": run,
            "record": context.record.self_digest,
            "places": [list(place) for place in places],
        }
        # Quoted, or Prefect would see dependencies in strings that two requests share.
        quoted = cast("dict[str, Any]", quote(request))  # the task receives the request itself
        before = plain_result(named(quoted, before))
        return outcomes_of(before)

    rounds(context, run_batch=run_batch, after_iteration=page.after_iteration)
