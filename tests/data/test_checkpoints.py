"""Checkpoints inside a stage: the newest complete one counts, a damaged one is never used."""

from pathlib import Path

import pytest

from data import failpoints
from data.checkpoints import CheckpointFolder
from data.errors import StorageError


@pytest.fixture
def checkpoints(tmp_path: Path) -> CheckpointFolder:
    return CheckpointFolder(tmp_path / "retrain", fingerprint="ab" * 32)


def commit(checkpoints: CheckpointFolder, step: int) -> None:
    checkpoints.commit({"step": step}, lambda folder: _write(folder, step))


def _write(folder: Path, step: int) -> None:
    (folder / "weights").write_text(f"weights after {step}")


def test_without_a_checkpoint_there_is_none(checkpoints: CheckpointFolder) -> None:
    assert checkpoints.latest() is None


def test_the_newest_checkpoint_is_found_and_older_ones_go(checkpoints: CheckpointFolder) -> None:
    for step in (100, 200, 300):
        commit(checkpoints, step)
    found = checkpoints.latest()
    assert found is not None
    position, folder = found
    assert position == {"step": 300}
    assert (folder / "weights").read_text() == "weights after 300"
    assert len(list(checkpoints.path.iterdir())) == 1


def test_a_checkpoint_of_another_configuration_is_not_seen(
    checkpoints: CheckpointFolder, tmp_path: Path
) -> None:
    commit(checkpoints, 100)
    other = CheckpointFolder(tmp_path / "retrain", fingerprint="cd" * 32)
    assert other.latest() is None


def test_a_damaged_checkpoint_is_set_aside_with_a_warning(
    checkpoints: CheckpointFolder, caplog: pytest.LogCaptureFixture
) -> None:
    commit(checkpoints, 100)
    found = checkpoints.latest()
    assert found is not None
    (found[1] / "weights").write_text("weights after 999")
    assert checkpoints.latest() is None
    assert "checkpoint set aside in" in caplog.text
    assert "sha256 expected" in caplog.text
    assert len(list(checkpoints.path.glob("quarantine-*"))) == 1
    commit(checkpoints, 200)
    assert checkpoints.latest() is not None


def test_a_failure_while_writing_leaves_the_one_before(checkpoints: CheckpointFolder) -> None:
    commit(checkpoints, 100)

    def fail(operation: str, path: Path) -> None:
        if operation == "before link":
            raise OSError(28, "No space left on device", str(path))

    failpoints.install(fail)
    try:
        with pytest.raises(StorageError, match="No space left on device; free some space"):
            commit(checkpoints, 200)
    finally:
        failpoints.install(None)
    found = checkpoints.latest()
    assert found is not None
    assert found[0] == {"step": 100}


def test_discarding_removes_everything(checkpoints: CheckpointFolder) -> None:
    commit(checkpoints, 100)
    checkpoints.discard()
    assert checkpoints.latest() is None
    assert not checkpoints.path.exists()
