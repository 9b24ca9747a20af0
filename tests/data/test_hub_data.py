"""Data sets of the hub: from its cache, or with the command that fills it."""

from pathlib import Path

import pytest

from data.errors import EnvironmentProblem
from data.hub_data import HubDataSet, hub_file

COMMIT = "0123456789" * 4
SOURCE = HubDataSet("things", "owner/things", COMMIT, "small/*")


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)


def test_a_cached_file_needs_no_connection(tmp_path: Path) -> None:
    file = tmp_path / "datasets--owner--things" / "snapshots" / COMMIT / "small" / "rows.parquet"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"rows")
    found = hub_file(SOURCE, "small/rows.parquet", cache=str(tmp_path), instead="give up")
    assert found.read_bytes() == b"rows"


def test_without_cache_and_connection_the_command_that_fetches_it_is_given(tmp_path: Path) -> None:
    command = f"hf download owner/things --repo-type dataset --revision {COMMIT}"
    assert SOURCE._replace(include=None).fetch == command
    with pytest.raises(EnvironmentProblem) as caught:
        hub_file(SOURCE, "small/rows.parquet", cache=str(tmp_path), instead="use the digits")
    text = str(caught.value)
    assert "data set things: expected small/rows.parquet of owner/things in the hub's" in text
    assert f"`{command} --include 'small/*' --cache-dir {tmp_path}`" in text
    assert text.endswith("or use the digits")
