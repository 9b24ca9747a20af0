"""Commit protocol: attempts, publishing, races, reading back."""

import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from data import failpoints
from data.artifact import find_artifact, open_artifact
from data.commit import Attempt, discard_attempts
from data.errors import CorruptArtifact, Locked, MissingArtifact, ProvenanceMismatch, StorageError
from data.manifest import content_digest
from data.quarantine import quarantine
from data.schemas import POINTS

POINTS_TABLE = pa.table({"x": [0.5, -1.0], "y": [2.0, 3.0]}, schema=POINTS)


def commit(root: Path, *, table: pa.Table = POINTS_TABLE, fingerprint: str = "f" * 64) -> Path:
    root.mkdir(exist_ok=True)
    folder = root / "runs" / "a" / "iteration-0000" / "sample"
    with Attempt(folder) as attempt:
        attempt.write_table("candidates.parquet", table, POINTS)
        attempt.write_json("config.json", {"k": 1})
        attempt.publish(run="a", iteration=0, stage="sample", fingerprint=fingerprint)
    return folder


def test_a_published_stage_reads_back_as_written(tmp_path: Path) -> None:
    artifact = open_artifact(commit(tmp_path))
    assert artifact.table("candidates.parquet").equals(POINTS_TABLE)
    assert artifact.json("config.json") == {"k": 1}
    assert artifact.manifest.entry("candidates.parquet").rows == 2
    assert artifact.check() == []


@pytest.mark.parametrize("num_rows", [100, 700_000])  # read as a whole, and by row groups
def test_some_rows_are_those_of_the_whole_table(tmp_path: Path, num_rows: int) -> None:
    numbers = np.arange(float(num_rows))
    table = pa.table({"x": numbers, "y": -numbers}, schema=POINTS)
    artifact = open_artifact(commit(tmp_path, table=table))
    for start, stop in ((0, 1), (17, 42), (num_rows // 11, num_rows // 3), (0, num_rows)):
        rows = artifact.rows("candidates.parquet", start, stop)
        assert rows.equals(table.slice(start, stop - start), check_metadata=True)
    last = artifact.rows("candidates.parquet", num_rows - 1, num_rows)
    assert last["x"].to_pylist() == [num_rows - 1]


def test_field_metadata_survives_the_round_trip(tmp_path: Path) -> None:
    table = open_artifact(commit(tmp_path)).table("candidates.parquet")
    assert table.schema.field("x").metadata[b"meaning"].startswith(b"coordinate")


def test_leaving_an_attempt_without_publishing_leaves_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "stage"
    with Attempt(folder) as attempt:
        attempt.write_json("config.json", {})
    assert list(folder.iterdir()) == []
    assert find_artifact(folder) is None


def test_equal_content_has_an_equal_digest_whatever_the_attempt(tmp_path: Path) -> None:
    first, second = open_artifact(commit(tmp_path / "a")), open_artifact(commit(tmp_path / "b"))
    assert first.content_digest == second.content_digest
    assert first.manifest.attempt != second.manifest.attempt
    assert first.content_digest == content_digest(reversed(first.manifest.files))


def test_the_loser_of_a_race_uses_the_winner_when_content_is_equal(tmp_path: Path) -> None:
    winner = open_artifact(commit(tmp_path))
    loser = open_artifact(commit(tmp_path))
    assert loser.manifest.attempt == winner.manifest.attempt
    assert len(list(winner.folder.glob("attempt-*"))) == 1


def test_a_late_publisher_with_other_content_overwrites_nothing(tmp_path: Path) -> None:
    folder = commit(tmp_path)
    before = (folder / "manifest.json").read_bytes()
    other = pa.table({"x": [9.0], "y": [9.0]}, schema=POINTS)
    with pytest.raises(ProvenanceMismatch, match="committed this stage first with other content"):
        commit(tmp_path, table=other)
    assert (folder / "manifest.json").read_bytes() == before
    assert len(list(folder.glob("attempt-*"))) == 1
    (kept,) = folder.glob("conflict-*")
    assert (kept / "candidates.parquet").exists(), "both are kept"
    discard_attempts(folder)
    assert kept.exists()


def test_an_attempt_set_aside_by_another_process_cannot_publish(tmp_path: Path) -> None:
    folder = tmp_path / "stage"
    with Attempt(folder) as attempt:
        attempt.write_json("config.json", {})
        discard_attempts(folder)
        with pytest.raises(Locked, match="set aside by another process"):
            attempt.publish(run="a", iteration=0, stage="sample", fingerprint="f")
    assert find_artifact(folder) is None


def test_an_attempt_published_while_it_is_discarded_stays_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = commit(tmp_path)
    manifest = (folder / "manifest.json").read_bytes()
    (folder / "manifest.json").unlink()
    renamed = Path.rename

    def publish_first(self: Path, target: Path) -> Path:
        if self.name.startswith("attempt-") and not (folder / "manifest.json").exists():
            (folder / "manifest.json").write_bytes(manifest)
        return renamed(self, target)

    monkeypatch.setattr(Path, "rename", publish_first)
    discard_attempts(folder)
    assert open_artifact(folder).check() == []


def test_discarding_attempts_keeps_the_published_one(tmp_path: Path) -> None:
    folder = commit(tmp_path)
    (folder / "attempt-000000000000").mkdir()
    discard_attempts(folder)
    assert [path.name for path in folder.glob("attempt-*")] == [
        open_artifact(folder).manifest.attempt
    ]
    assert open_artifact(folder).check() == []


@pytest.mark.parametrize("position", [0, 5, 100, -1])
def test_a_flipped_bit_in_a_table_is_never_read(tmp_path: Path, position: int) -> None:
    artifact = open_artifact(commit(tmp_path))
    path = artifact.path("candidates.parquet")
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)
    with pytest.raises(CorruptArtifact, match="sha256 expected .* found"):
        artifact.table("candidates.parquet")
    assert len(artifact.check()) == 1


def test_a_truncated_file_is_reported_with_both_sizes(tmp_path: Path) -> None:
    artifact = open_artifact(commit(tmp_path))
    path = artifact.path("candidates.parquet")
    size = path.stat().st_size
    os.truncate(path, size - 3)
    with pytest.raises(CorruptArtifact, match=f"expected {size} bytes, found {size - 3}"):
        artifact.read("candidates.parquet")


def test_a_vanished_file_is_reported(tmp_path: Path) -> None:
    artifact = open_artifact(commit(tmp_path))
    artifact.path("config.json").unlink()
    with pytest.raises(CorruptArtifact, match="found no file"):
        artifact.json("config.json")


def test_every_flipped_bit_in_a_manifest_is_reported(tmp_path: Path) -> None:
    path = commit(tmp_path) / "manifest.json"
    content = path.read_bytes()
    for position in range(0, len(content), 7):
        damaged = bytearray(content)
        damaged[position] ^= 1 << (position % 8)
        path.write_bytes(damaged)
        with pytest.raises(CorruptArtifact):
            find_artifact(path.parent)


def test_a_manifest_of_a_newer_release_is_refused(tmp_path: Path) -> None:
    path = commit(tmp_path) / "manifest.json"
    path.write_bytes(path.read_bytes().replace(b'"schema_version": 1', b'"schema_version": 99'))
    with pytest.raises(CorruptArtifact, match="schema version 99 is newer than 1"):
        find_artifact(path.parent)


def test_asking_for_what_was_never_committed_says_so(tmp_path: Path) -> None:
    with pytest.raises(MissingArtifact, match="expected a committed stage, found none"):
        open_artifact(tmp_path / "stage")
    with pytest.raises(MissingArtifact, match=r"no file 'scores.parquet'.*candidates.parquet"):
        open_artifact(commit(tmp_path)).path("scores.parquet")


def test_quarantine_keeps_the_bytes_and_lets_the_stage_be_made_again(tmp_path: Path) -> None:
    folder = commit(tmp_path)
    attempt = open_artifact(folder).manifest.attempt
    aside = quarantine(folder)
    assert find_artifact(folder) is None
    assert (aside / attempt / "candidates.parquet").exists()
    commit(tmp_path)
    assert open_artifact(folder).check() == []


def test_adopted_files_are_verified_before_they_are_taken_over(tmp_path: Path) -> None:
    source = open_artifact(commit(tmp_path))
    path = source.path("config.json")
    path.write_bytes(path.read_bytes().replace(b"1", b"2"))
    with (
        pytest.raises(CorruptArtifact, match="sha256 expected"),
        Attempt(tmp_path / "other") as attempt,
    ):
        attempt.adopt(source, source.manifest.files)


def test_a_store_that_fails_at_any_operation_gives_one_error_and_loses_nothing(
    tmp_path: Path,
) -> None:
    operations = 0

    def count(_operation: str, _path: Path) -> None:
        nonlocal operations
        operations += 1

    failpoints.install(count)
    try:
        commit(tmp_path / "count")
        for nth in range(operations):
            remaining = nth

            def fail(_operation: str, path: Path) -> None:
                nonlocal remaining
                remaining -= 1
                if remaining == -1:
                    raise OSError(5, "Input/output error", str(path))

            root = tmp_path / f"fail-{nth}"
            failpoints.install(fail)
            with pytest.raises(StorageError, match=r"Input/output error; check the disk"):
                commit(root)
            failpoints.install(None)
            assert remaining <= -1, "the failpoint fired"
            artifact = open_artifact(commit(root))
            assert artifact.check() == []
    finally:
        failpoints.install(None)
