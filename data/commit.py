"""Committing a stage: attempt, fsync, manifest, and one create-only publishing step.

Until the manifest has its public name nothing of an attempt counts; from then on nothing of
it is ever overwritten. A process may be killed between any two operations.
"""

import os
import secrets
import shutil
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa

from data import parquet, sealed
from data.artifact import Artifact, find_artifact, open_artifact
from data.canonical import canonical_json
from data.errors import Locked, ProvenanceMismatch
from data.files import (
    Digest,
    HashingFile,
    digest_file,
    discard_folder,
    link_new,
    make_folders,
    storage_errors,
    sync_folder,
    sync_path,
    write_file,
)
from data.manifest import MANIFEST, FileEntry, Manifest, content_digest


class Attempt:
    """One try at writing a stage into `folder`.

    Use as a context manager; leaving it without `publish` removes what was written. File
    paths are relative to the attempt.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = f"attempt-{secrets.token_hex(6)}"
        self.path = folder / self.name
        self._entries: list[FileEntry] = []
        self._nan_counts: dict[str, int] = {}

    def __enter__(self) -> Self:
        with storage_errors(self.path):
            make_folders(self.path)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not self._is_published():
            shutil.rmtree(self.path, ignore_errors=True)

    def write_table(
        self, name: str, table: pa.Table, schema: pa.Schema, *, fingerprint: str | None = None
    ) -> None:
        """Write `table` as Parquet file `name` under `schema`; NaN values are counted."""
        table = parquet.require_schema(table, schema, name)
        for column, count in parquet.nan_counts(table).items():
            self._nan_counts[f"{name}:{column}"] = count
        with storage_errors(self.path / name):
            sink = HashingFile(self.path / name)
            try:
                parquet.write_table(table, sink)
                digest = sink.finish()
            finally:
                sink.close()
        self._add(name, digest, rows=table.num_rows, fingerprint=fingerprint)

    def write_json(self, name: str, value: Any) -> None:
        """Write `value` as canonical JSON file `name`."""
        with storage_errors(self.path / name):
            self._add(name, write_file(self.path / name, canonical_json(value) + b"\n"))

    def write_folder(self, name: str, write: Callable[[Path], None]) -> None:
        """Let `write` fill the new folder `name` (flat, files only), then hash and sync it."""
        folder = self.path / name
        with storage_errors(folder):
            folder.mkdir()
            write(folder)
            for path in sorted(folder.iterdir()):
                sync_path(path)
                self._add(f"{name}/{path.name}", digest_file(path))
            sync_folder(folder)

    def adopt(self, source: Artifact, entries: Iterable[FileEntry]) -> None:
        """Take over verified files of another commit, by hard link where possible."""
        with storage_errors(self.path):
            for entry in entries:
                source.verify_file(entry.path)
                target = self.path / entry.path
                target.parent.mkdir(exist_ok=True)
                _link_or_copy(source.path(entry.path), target)
                self._entries.append(entry)
                for counted, number in source.manifest.nan_counts.items():
                    if counted.startswith(f"{entry.path}:"):
                        self._nan_counts[counted] = number

    def publish(
        self, *, run: str | None, iteration: int | None, stage: str, fingerprint: str, **facts: Any
    ) -> Artifact:
        """Make the attempt the stage's one commit and return it.

        `facts` are further fields of `Manifest`. When another process was first, its content
        digest decides: equal content means its commit is used; different content raises
        `ProvenanceMismatch` and both are kept. Raises `Locked` when this attempt was set aside
        by a process that took over.
        """
        manifest = Manifest(
            run=run,
            iteration=iteration,
            stage=stage,
            fingerprint=fingerprint,
            attempt=self.name,
            files=tuple(sorted(self._entries, key=lambda entry: entry.path)),
            content_digest=content_digest(self._entries),
            nan_counts=self._nan_counts,
            committed_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
            **facts,
        )
        text = sealed.render(manifest)
        with storage_errors(self.folder):
            try:
                digest = write_file(self.path / MANIFEST, text)
                sync_folder(self.path)
                won = link_new(self.path / MANIFEST, self.folder / MANIFEST)
            except FileNotFoundError as error:
                raise Locked(
                    f"{self.folder}: this attempt was set aside by another process that took over "
                    "the run; let that one finish, nothing committed is lost"
                ) from error
        if won:
            return Artifact(self.folder, manifest, digest.sha256)
        committed = open_artifact(self.folder)
        self._compare(manifest, committed)
        return committed

    def _is_published(self) -> bool:
        # Asked of the disk: an error or interruption may come right after the link was made.
        try:
            return os.path.samefile(self.path / MANIFEST, self.folder / MANIFEST)
        except OSError:
            return False

    def _compare(self, mine: Manifest, committed: Artifact) -> None:
        theirs = committed.manifest
        if (mine.fingerprint, mine.content_digest) != (theirs.fingerprint, theirs.content_digest):
            # Under another name, since left-over attempts are discarded.
            kept = self.folder / self.name.replace("attempt", "conflict")
            with storage_errors(kept):
                self.path.rename(kept)
            raise ProvenanceMismatch(
                f"{self.folder}: another process committed this stage first with other content: "
                f"expected content digest {mine.content_digest} (kept in {kept.name}), found "
                f"{theirs.content_digest} (in {theirs.attempt}); compare numerics and versions "
                "in the two manifests"
            )

    def _add(
        self, path: str, digest: Digest, *, rows: int | None = None, fingerprint: str | None = None
    ) -> None:
        self._entries.append(
            FileEntry(
                path=path,
                size=digest.size,
                sha256=digest.sha256,
                rows=rows,
                fingerprint=fingerprint,
            )
        )


def discard_attempts(folder: Path) -> None:
    """Remove attempts in `folder` that no published manifest refers to (lock held)."""
    for path in folder.glob("attempt-*"):
        if path.name == _published_attempt(folder):
            continue
        aside = path.with_name(path.name.replace("attempt", "leftover"))
        with storage_errors(path):
            path.rename(aside)
            # A publisher that ignored the lock may have been faster than the renaming.
            if path.name == _published_attempt(folder):
                aside.rename(path)
                continue
        discard_folder(aside)


def _published_attempt(folder: Path) -> str | None:
    committed = find_artifact(folder)
    return committed.manifest.attempt if committed else None


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
    sync_path(target)
    sync_folder(target.parent)
