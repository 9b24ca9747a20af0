"""Running the parent flow from the command line, with a Prefect server that answers."""

import contextlib
from collections.abc import Iterator, Sequence

import httpx

from data.errors import OrchestratorUnreachable
from data.store import Store
from deploy.embedded_server import prefect_server
from pluralist.output import print_note
from pluralist.progress_bar import progress_shown


def retrain_with_prefect(store: Store, runs: Sequence[str]) -> None:
    """Run or resume `runs` as one `retrain` flow with a subflow each."""
    from flows.retrain import retrain

    with prefect_answering():
        retrain(store=str(store.root), runs=list(runs))


@contextlib.contextmanager
def prefect_answering() -> Iterator[None]:
    """A Prefect server and progress on stderr for the time of the block.

    Raises `OrchestratorUnreachable` when the server stops answering within.
    """
    with prefect_server(print_note) as url, progress_shown():
        try:
            yield
        except httpx.HTTPError as error:
            raise OrchestratorUnreachable(
                f"Prefect server {url}: expected it to answer during the run, got {error}; "
                "committed stages are kept: start the server and resume, or add --no-prefect"
            ) from error
