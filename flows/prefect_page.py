"""What a run shows on its Prefect page: progress, one table per iteration, a link to its place."""

import contextlib
from collections.abc import Iterator
from typing import cast
from uuid import UUID

import httpx
from prefect.artifacts import (
    create_link_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)

from tasks.context import RunContext
from tasks.places import evaluation_place


class RunPage:
    """Artifacts of one run on the Prefect server; the store stays the only record."""

    def __init__(self, context: RunContext) -> None:
        self._progress: UUID | None = None
        with _page_may_fail():
            create_link_artifact(
                link=context.store.run_folder(context.run).as_uri(),
                link_text=f"artifacts of {context.run}",
                key=f"{context.run}-store",
                description="Where the committed stages of this run lie",
            )

    def after_iteration(self, context: RunContext, k: int) -> None:
        """Show the metrics of p_k and how many iterations are done."""
        metrics = context.open_place(evaluation_place(k)).table("metrics.parquet")
        rows = [
            {"metric": row["metric"], "value": f"{row['value']:.6g}"} for row in metrics.to_pylist()
        ]
        percent = 100.0 * k / context.config.iterations
        with _page_may_fail():
            create_table_artifact(
                rows,
                key=f"{context.run}-metrics",
                description=f"Model p_{k} of {context.run}, measured on fresh samples",
            )
            if self._progress is None:
                created = create_progress_artifact(
                    percent,
                    key=f"{context.run}-progress",
                    description=f"Iterations of {context.run}",
                )
                self._progress = cast(UUID, created)  # a coroutine only in asynchronous flows
            else:
                update_progress_artifact(self._progress, percent)


@contextlib.contextmanager
def _page_may_fail() -> Iterator[None]:
    # The page is for looking; a server that is gone must not cost a run its next stage.
    with contextlib.suppress(httpx.HTTPError):
        yield
