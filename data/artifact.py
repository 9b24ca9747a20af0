"""Reading committed stages: size checked always, SHA-256 on the first read in a process."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from data import parquet, sealed
from data.errors import CorruptArtifact, MissingArtifact
from data.files import digest_file, storage_errors
from data.manifest import MANIFEST, REPAIR, FileEntry, Manifest

# (path, inode, change time in ns, size) of files whose SHA-256 this process has already checked.
_verified: set[tuple[str, int, int, int]] = set()


class Artifact:
    """One committed stage, read-only. `folder` is the stage's, `manifest` what it promises."""

    def __init__(self, folder: Path, manifest: Manifest, manifest_digest: str) -> None:
        self.folder = folder
        self.manifest = manifest
        self.manifest_digest = manifest_digest

    @property
    def fingerprint(self) -> str:
        """Fingerprint of the configuration, seed and upstream stages that made it."""
        return self.manifest.fingerprint

    @property
    def content_digest(self) -> str:
        """Digest of its data files."""
        return self.manifest.content_digest

    def path(self, name: str) -> Path:
        """Where data file `name` lies; raises `MissingArtifact` when the stage has none."""
        self._entry(name)
        return self.folder / self.manifest.attempt / name

    def table(self, name: str) -> pa.Table:
        """Verified table of Parquet file `name`."""
        path = self.path(name)
        if self._entry(name).size > parquet.LARGE:
            self.verify_file(name)
            with storage_errors(path):
                return pq.read_table(path, page_checksum_verification=True, memory_map=True)
        return parquet.parse_table(self.read(name))

    def rows(self, name: str, start: int, stop: int) -> pa.Table:
        """Verified rows `start` .. `stop` of Parquet file `name`, in the row groups around them."""
        if self._entry(name).size <= parquet.LARGE:
            return self.table(name).slice(start, stop - start)
        path = self.verify_file(name)
        with storage_errors(path):
            return parquet.read_rows(path, start, stop)

    def json(self, name: str) -> Any:
        """Verified value of JSON file `name`."""
        return json.loads(self.read(name))

    def read(self, name: str) -> bytes:
        """Verified bytes of data file `name`."""
        entry, path = self._entry(name), self.path(name)
        self._check_size(entry, path)
        with storage_errors(path):
            content = path.read_bytes()
        if not self._is_verified(path):
            self._check_hash(entry, path, hashlib.sha256(content).hexdigest())
        return content

    def verify_file(self, name: str) -> Path:
        """Check size and, once in a process, SHA-256 of `name`; returns its path."""
        entry, path = self._entry(name), self.path(name)
        self._check_size(entry, path)
        if not self._is_verified(path):
            with storage_errors(path):
                found = digest_file(path).sha256
            self._check_hash(entry, path, found)
        return path

    def verified_folder(self, name: str) -> Path:
        """Folder `name` of the stage after checking every file in it."""
        for entry in self.manifest.files:
            if entry.path.startswith(f"{name}/"):
                self.verify_file(entry.path)
        return self.folder / self.manifest.attempt / name

    def check(self) -> list[str]:
        """Read every data file anew; one message for each that is missing or differs."""
        problems = []
        for entry in self.manifest.files:
            path = self.folder / self.manifest.attempt / entry.path
            try:
                self._check_size(entry, path)
                with storage_errors(path):
                    self._check_hash(entry, path, digest_file(path).sha256)
            except CorruptArtifact as error:
                problems.append(str(error))
        return problems

    def _entry(self, name: str) -> FileEntry:
        try:
            return self.manifest.entry(name)
        except KeyError:
            present = ", ".join(entry.path for entry in self.manifest.files)
            raise MissingArtifact(
                f"{self.folder}: no file {name!r} in this stage; it holds {present}"
            ) from None

    def _check_size(self, entry: FileEntry, path: Path) -> None:
        try:
            found = path.stat().st_size
        except (FileNotFoundError, NotADirectoryError):
            raise CorruptArtifact(
                f"{path}: expected {entry.size} bytes, found no file; {REPAIR}"
            ) from None
        if found != entry.size:
            raise CorruptArtifact(f"{path}: expected {entry.size} bytes, found {found}; {REPAIR}")

    def _check_hash(self, entry: FileEntry, path: Path, found: str) -> None:
        if found != entry.sha256:
            raise CorruptArtifact(
                f"{path}: sha256 expected {entry.sha256}, found {found}; {REPAIR}"
            )
        _verified.add(_identity(path))

    def _is_verified(self, path: Path) -> bool:
        return path.exists() and _identity(path) in _verified


def find_artifact(folder: Path) -> Artifact | None:
    """The stage committed in `folder`, or None when there is none.

    Raises `CorruptArtifact` when its manifest cannot be trusted.
    """
    path = folder / MANIFEST
    with storage_errors(path):
        try:
            text = path.read_bytes()
        except FileNotFoundError:
            return None
    manifest = sealed.parse(text, path, Manifest, advice=REPAIR)
    return Artifact(folder, manifest, hashlib.sha256(text).hexdigest())


def open_artifact(folder: Path) -> Artifact:
    """The stage committed in `folder`; raises `MissingArtifact` when there is none."""
    artifact = find_artifact(folder)
    if artifact is None:
        raise MissingArtifact(
            f"{folder}: expected a committed stage, found none; `pluralist resume` makes it"
        )
    return artifact


def _identity(path: Path) -> tuple[str, int, int, int]:
    status = path.stat()
    return (str(path), status.st_ino, status.st_ctime_ns, status.st_size)
