"""Durable operations on a local file system: hashed writes, fsync, create-only publishing."""

import contextlib
import errno
import hashlib
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from data.errors import StorageError
from data.failpoints import reach

HASH_BLOCK = 1 << 20


class Digest(NamedTuple):
    """Size in bytes and SHA-256 (hex) of a file's content."""

    size: int
    sha256: str


@contextlib.contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn an `OSError` of the file system under `path` into `StorageError`."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            advice = "free some space or raise the limit"
        elif error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            advice = "make the store writable for this user"
        else:
            advice = "check the disk"
        reason = error.strerror or str(error)
        raise StorageError(
            f"store could not write or read {path}: {reason}; {advice}, then resume: "
            "everything committed so far is kept"
        ) from error


class HashingFile:
    """A new file that is hashed while it is written; `finish` makes it durable.

    Enough of a Python file for pyarrow. Raises `FileExistsError` when the path exists.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.closed = False
        self._hash = hashlib.sha256()
        self._size = 0
        reach("create", path)
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)

    def write(self, content: bytes) -> int:
        """Append `content` (any buffer); returns its size in bytes."""
        view = memoryview(content).cast("B")
        self._hash.update(view)
        written = 0
        while written < len(view):
            written += os.write(self._descriptor, view[written:])
        self._size += written
        reach("write", self.path)
        return written

    def tell(self) -> int:
        """Bytes written so far."""
        return self._size

    def flush(self) -> None:
        """Nothing to do: writes are not buffered here, `finish` makes them durable."""

    def writable(self) -> bool:
        """Always true."""
        return True

    def readable(self) -> bool:
        """Always false."""
        return False

    def seekable(self) -> bool:
        """Always false."""
        return False

    def close(self) -> None:
        """Close without a promise of durability; closing twice is harmless."""
        if not self.closed:
            self.closed = True
            os.close(self._descriptor)

    def finish(self) -> Digest:
        """Force the content to the disk, close, and return its digest."""
        reach("fsync", self.path)
        os.fsync(self._descriptor)
        self.close()
        return Digest(self._size, self._hash.hexdigest())


def write_file(path: Path, content: bytes) -> Digest:
    """Create `path` with `content`, durable on return (its folder entry is not)."""
    sink = HashingFile(path)
    try:
        sink.write(content)
        return sink.finish()
    finally:
        sink.close()


def replace_file(path: Path, content: bytes) -> None:
    """Put `content` at `path` in one atomic step, durable on return. Not for artifacts."""
    temporary = _temporary(path)
    write_file(temporary, content)
    reach("replace", path)
    os.replace(temporary, path)
    sync_folder(path.parent)


def create_file(path: Path, content: bytes) -> bool:
    """Create `path` with `content` in one atomic step; False when it exists already."""
    make_folders(path.parent)
    temporary = _temporary(path)
    write_file(temporary, content)
    try:
        return link_new(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def link_new(source: Path, target: Path) -> bool:
    """Give `source` the second name `target`, the one create-only step; False if it exists."""
    reach("before link", target)
    try:
        os.link(source, target)
    except FileExistsError:
        return False
    reach("after link", target)
    sync_folder(target.parent)
    return True


def digest_file(path: Path) -> Digest:
    """Size and SHA-256 of the file as it is on disk now."""
    with path.open("rb") as file:
        digest = hashlib.sha256()
        size = 0
        while block := file.read(HASH_BLOCK):
            digest.update(block)
            size += len(block)
    return Digest(size, digest.hexdigest())


def sync_path(path: Path) -> None:
    """Force an existing file's content to the disk."""
    reach("fsync", path)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(path: Path) -> None:
    """Force a folder's entries to the disk."""
    reach("sync folder", path)
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folders(path: Path) -> None:
    """Create `path` and the missing folders above it, each entry durable."""
    missing: list[Path] = []
    folder = path
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for folder in reversed(missing):
        reach("make folder", folder)
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent)


def discard_folder(path: Path) -> None:
    """Remove a folder that nothing committed refers to; a missing one is fine.

    It is renamed first, so that a process still writing into it fails at its next step
    instead of publishing a half-removed attempt.
    """
    doomed = path.with_name(f"discarded-{path.name}-{secrets.token_hex(4)}")
    with storage_errors(path):
        try:
            path.rename(doomed)
        except FileNotFoundError:
            return
    reach("discard", doomed)
    shutil.rmtree(doomed, ignore_errors=True)


def _temporary(path: Path) -> Path:
    # Random rather than by process: two containers on one store may both be process 7.
    return path.with_name(f".{path.name}.{secrets.token_hex(6)}")
