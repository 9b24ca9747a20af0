"""Running the parent flow from the command line, with a Prefect server that answers."""

from collections.abc import Sequence

import httpx

from data.errors import OrchestratorUnreachable
from data.store import Store
from deploy.embedded_server import prefect_server
from pluralist.output import print_note
from pluralist.progress_bar import progress_shown


def retrain_with_prefect(store: Store, runs: Sequence[str]) -> None:
    """Run or resume `runs` as one `retrain` flow with a subflow each."""
    from flows.retrain import retrain

    with prefect_server(print_note) as url, progress_shown():
        try:
            retrain(store=str(store.root), runs=list(runs))
        except httpx.HTTPError as error:
            raise OrchestratorUnreachable(
                f"Prefect server {url}: expected it to answer during the run, got {error}; "
                "committed stages are kept: start the server and resume, or add --no-prefect"
            ) from error
