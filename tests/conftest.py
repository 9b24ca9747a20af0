"""What every test shares: steady threads, no display, a Prefect of its own, the real data."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tasks.context import RunContext

# Before numpy or Prefect is imported by any test.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"
os.environ["MPLBACKEND"] = "Agg"
os.environ["NO_COLOR"] = "1"
os.environ.pop("PREFECT_API_URL", None)
os.environ.pop("PLURALIST_STORE", None)
_HOME = tempfile.TemporaryDirectory(prefix="pluralist-prefect-")
os.environ["PREFECT_HOME"] = _HOME.name
os.environ["PREFECT_SERVER_ANALYTICS_ENABLED"] = "false"
os.environ["DO_NOT_TRACK"] = "1"

import pytest  # noqa: E402

SHARED_DATA = "PLURALIST_SHARED_DATA"


# Files whose tests start Prefect servers of their own or stop those that a killed run left, which
# are looked for on the whole machine.
SERVERS = (
    "deploy/test_embedded_server.py",
    "deploy/test_orphans.py",
    "deploy/test_server_check.py",
    "flows/test_prefect.py",
    "flows/test_sweep_flow.py",
    "pluralist/test_bad_input.py",
    "pluralist/test_shard_signals.py",
    "pluralist/test_signals.py",
    "pluralist/test_sweep_signals.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Under `pytest -n`, a file's tests share a process, and so do all that need servers."""
    for item in items:
        file = item.path.relative_to(Path(__file__).parent).as_posix()
        item.add_marker(pytest.mark.xdist_group("servers" if file in SERVERS else file))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real data sets; tests that use it skip where it is not."""
    given = os.environ.get(SHARED_DATA)
    folder = Path(given) if given else Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no real data: {SHARED_DATA} is not set and {folder} does not exist")
    return folder


@pytest.fixture(scope="session")
def image_run(tmp_path_factory: pytest.TempPathFactory) -> "RunContext":
    """A finished tiny image run, of which tests only read."""
    from tests.flows.image_runs import run

    return run(tmp_path_factory.mktemp("images") / "store")


@pytest.fixture(scope="session")
def gpt2_run(tmp_path_factory: pytest.TempPathFactory) -> "RunContext":
    """A finished tiny run of gpt2, of which tests only read."""
    from tests.flows.text_runs import run

    return run(tmp_path_factory.mktemp("gpt2") / "store", "gpt2")


@pytest.fixture(scope="session")
def qwen_run(tmp_path_factory: pytest.TempPathFactory) -> "RunContext":
    """A finished tiny run of qwen, of which tests only read."""
    from tests.flows.text_runs import run

    return run(tmp_path_factory.mktemp("qwen") / "store", "qwen")


@pytest.fixture(scope="session")
def prefect_server_url() -> Iterator[str]:
    """A real Prefect server for the whole session, started once by the product's own code."""
    from deploy.embedded_server import prefect_server

    with prefect_server(lambda _text: None) as url:
        yield url
