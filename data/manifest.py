"""The manifest: what a committed stage holds, where it came from and how it was made."""

from collections.abc import Iterable
from typing import Any

from pydantic import ConfigDict, Field

from data.canonical import digest_of
from data.configuration import FrozenConfig
from data.sealed import SealedRecord

MANIFEST = "manifest.json"
REPAIR = (
    "`pluralist verify RUN --quarantine` sets it aside and `pluralist resume RUN` makes it again"
)


class FileEntry(FrozenConfig):
    """One data file of a commit; `path` is relative to the attempt's folder."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    path: str
    size: int
    sha256: str
    rows: int | None = None
    fingerprint: str | None = None


class Upstream(FrozenConfig):
    """One stage that was read: its place, its fingerprint and what it held."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    place: str
    fingerprint: str
    content_digest: str
    manifest_digest: str


class Manifest(SealedRecord):
    """Everything recorded about one committed stage."""

    run: str | None
    iteration: int | None
    stage: str
    shard: int | None = None
    fingerprint: str
    upstream: tuple[Upstream, ...] = ()
    seed: int | None = None
    attempt: str
    files: tuple[FileEntry, ...]
    content_digest: str
    nan_counts: dict[str, int] = Field(default_factory=dict)
    numerics: dict[str, Any] = Field(default_factory=dict)
    versions: dict[str, str] = Field(default_factory=dict)
    wall_seconds: float = 0.0
    committed_at: str = ""
    stand_ins: tuple[str, ...] = ()
    reused_from: str | None = None

    def entry(self, path: str) -> FileEntry:
        """The entry of data file `path`; raises `KeyError` when the stage has no such file."""
        for entry in self.files:
            if entry.path == path:
                return entry
        raise KeyError(path)

    @property
    def size(self) -> int:
        """Bytes of all data files together."""
        return sum(entry.size for entry in self.files)


def content_digest(files: Iterable[FileEntry]) -> str:
    """Digest of what a stage holds: SHA-256 over its sorted (path, sha256) pairs.

    Attempt names, times and places do not enter, so equal content has an equal digest.
    """
    return digest_of(sorted((entry.path, entry.sha256) for entry in files))
