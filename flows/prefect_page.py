"""What a run shows on its Prefect page: progress, one table per iteration, a link to its place."""

from uuid import UUID

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
        self._context = context
        self._progress: UUID | None = None
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
        create_table_artifact(
            rows,
            key=f"{context.run}-metrics",
            description=f"Model p_{k} of {context.run}, measured on fresh samples",
        )
        percent = 100.0 * k / context.config.iterations
        if self._progress is None:
            self._progress = create_progress_artifact(
                percent, key=f"{context.run}-progress", description=f"Iterations of {context.run}"
            )
        else:
            update_progress_artifact(self._progress, percent)
