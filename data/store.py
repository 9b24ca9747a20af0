"""Layout of a store on a local or NFS file system, and the records beside its artifacts.

<store>/store.json
<store>/initial/<fingerprint>/                    p_0, shared by all runs that ask for it
<store>/runs/<run>/run.json, lock
<store>/runs/<run>/initial/evaluate/              evaluation of p_0 under the run's rewards
<store>/runs/<run>/iteration-0007/<stage>/        the five stages
<store>/groups/<name>/group.json, results.parquet
"""

import json
import os
import re
from pathlib import Path
from typing import Any

from pydantic import Field

from data import sealed
from data.canonical import canonical_json
from data.errors import ConfigError, CorruptArtifact, MissingArtifact, StorageError
from data.files import create_file, replace_file, storage_errors
from data.manifest import MANIFEST
from data.sealed import SCHEMA_VERSION, Record, SealedRecord

DEFAULT_STORE = "pluralist-store"
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


class RunRecord(SealedRecord):
    """What is written down when a run is created; `config` never changes except `iterations`."""

    run: str
    domain: str
    preset: str | None = None
    arm: str | None = None
    group: str | None = None
    config: dict[str, Any]
    config_fingerprint: str
    numerics: dict[str, Any]
    accepted_numerics: tuple[dict[str, Any], ...] = ()
    forked_from: str | None = None
    # In a sweep: the run's value on every axis, in the order of the axes.
    axes: dict[str, Any] = Field(default_factory=dict)
    package_version: str
    created_at: str


class GroupRecord(SealedRecord):
    """The runs of one experiment, by arm."""

    group: str
    domain: str
    preset: str | None = None
    experiment: str | None = None
    # Keys of a sweep's axes in order; None for a group that is no sweep.
    axes: tuple[str, ...] | None = None
    # In full, so that runs a kill left uncreated can still be made.
    members: tuple[RunRecord, ...]


class Store:
    """One store below `root`; `create` makes it on first use."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()

    def create(self) -> None:
        """Make the store's folders; an existing store of this schema version is fine.

        Raises `StorageError` when the place cannot hold a store.
        """
        if self.root.exists() and not self.root.is_dir():
            raise StorageError(f"store {self.root}: expected a folder, found a file")
        with storage_errors(self.root):
            for name in ("runs", "initial", "groups"):
                (self.root / name).mkdir(parents=True, exist_ok=True)
            record = canonical_json({"schema_version": SCHEMA_VERSION})
            create_file(self.root / "store.json", record + b"\n")
        found = _schema_version(self.root / "store.json")
        if found > SCHEMA_VERSION:
            raise StorageError(
                f"store {self.root}: schema version {found} is newer than {SCHEMA_VERSION}, "
                "the newest this release writes; upgrade pluralist"
            )

    def run_folder(self, run: str) -> Path:
        """Folder of `run`; raises `ConfigError` for a name outside [a-z0-9][a-z0-9-]{0,62}."""
        return self.root / "runs" / check_name(run)

    def group_folder(self, group: str) -> Path:
        """Folder of `group`; names as for runs."""
        return self.root / "groups" / check_name(group)

    def initial_folder(self, fingerprint: str) -> Path:
        """Folder of the shared p_0 with this fingerprint."""
        return self.root / "initial" / fingerprint

    def stage_folder(self, run: str, iteration: int | None, stage: str) -> Path:
        """Folder of one stage; `iteration` None is the place before the first iteration."""
        step = "initial" if iteration is None else f"iteration-{iteration:04d}"
        return self.run_folder(run) / step / stage

    def run_names(self) -> list[str]:
        """Names of all runs, sorted."""
        return self._names("runs", "run.json")

    def group_names(self) -> list[str]:
        """Names of all groups, sorted."""
        return self._names("groups", "group.json")

    def find_run(self, run: str) -> RunRecord | None:
        """Record of `run`, or None; raises `CorruptArtifact` when it cannot be read."""
        return _find_record(self.run_folder(run) / "run.json", RunRecord)

    def read_run(self, run: str) -> RunRecord:
        """Record of `run`; raises `MissingArtifact` naming the runs there are."""
        record = self.find_run(run)
        if record is None:
            raise MissingArtifact(self._missing("run", run, self.run_names()))
        return record

    def find_group(self, group: str) -> GroupRecord | None:
        """Record of `group`, or None."""
        return _find_record(self.group_folder(group) / "group.json", GroupRecord)

    def create_run(self, record: RunRecord) -> bool:
        """Write down a new run; False when the name was taken meanwhile."""
        return self._create(self.run_folder(record.run) / "run.json", record)

    def create_group(self, record: GroupRecord) -> bool:
        """Write down a new group; False when it exists already."""
        return self._create(self.group_folder(record.group) / "group.json", record)

    def update_run(self, record: RunRecord) -> None:
        """Replace a run's record in one atomic step (more iterations, accepted numerics)."""
        path = self.run_folder(record.run) / "run.json"
        with storage_errors(path):
            replace_file(path, sealed.render(record))

    def is_committed(self, run: str, iteration: int | None, stage: str) -> bool:
        """Whether the stage has a published manifest; does not read it."""
        return os.path.exists(self.stage_folder(run, iteration, stage) / MANIFEST)

    def models_evaluated(self, run: str, iterations: int) -> int:
        """How many of p_0 .. p_iterations are evaluated.

        Stages are committed in order, so a binary search over manifests is enough.
        """
        low, high = 0, iterations + 1
        while low < high:
            middle = (low + high) // 2
            if self.is_committed(run, middle - 1 if middle else None, "evaluate"):
                low = middle + 1
            else:
                high = middle
        return low

    def _create(self, path: Path, record: RunRecord | GroupRecord) -> bool:
        with storage_errors(path):
            return create_file(path, sealed.render(record))

    def _names(self, kind: str, record: str) -> list[str]:
        folder = self.root / kind
        if not folder.is_dir():
            return []
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries if NAME.fullmatch(entry.name)]
        return sorted(name for name in names if (folder / name / record).exists())

    def _missing(self, kind: str, name: str, present: list[str]) -> str:
        shown = ", ".join(present[:10]) + (" ..." if len(present) > 10 else "")
        return f"no {kind} {name!r} in store {self.root}; there is: {shown or 'nothing yet'}"


def check_name(name: str) -> str:
    """`name` if it may name a run or group; raises `ConfigError` otherwise."""
    if not NAME.fullmatch(name):
        shown = name if len(name) <= 80 else f"{name[:77]}... ({len(name)} characters)"
        raise ConfigError(
            "name: expected 1 to 63 characters a-z, 0-9 and '-', starting with a letter or digit, "
            f"got {shown!r}; choose another --name"
        )
    return name


def _schema_version(path: Path) -> int:
    with storage_errors(path):
        text = path.read_bytes()
    try:
        return int(json.loads(text)["schema_version"])
    except (ValueError, KeyError, TypeError) as error:
        raise CorruptArtifact(
            f'{path}: expected {{"schema_version": {SCHEMA_VERSION}}}, found {text[:60]!r}; '
            "write that into it"
        ) from error


def _find_record(path: Path, model: type[Record]) -> Record | None:
    with storage_errors(path):
        try:
            text = path.read_bytes()
        except FileNotFoundError:
            return None
    return sealed.parse(text, path, model, advice="restore it from a backup")
