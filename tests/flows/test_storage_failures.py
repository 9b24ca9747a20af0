"""A full disk, a limited file size, a store that fails: exit 9, nothing committed lost."""

import errno
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from data import failpoints
from data.errors import StorageError
from flows.rounds import rounds
from pluralist.verification import verify_run
from tasks.context import RunContext
from tests.flows.conftest import MakeRun

COMMAND = [sys.executable, "-m", "tests.command_line", "run", "gmm", "--preset", "smoke"]
COMMAND += ["--name", "first", "--no-prefect", "--store"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 kB; needs the right to mount."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "none", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small file system is not allowed here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_ends_with_code_9_and_loses_nothing(small_disk: Path) -> None:
    store = small_disk / "store"
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(160_000))
    done = subprocess.run([*COMMAND, str(store)], capture_output=True, text=True, check=False)
    assert done.returncode == 9
    assert "No space left on device; free some space" in done.stderr
    assert "resume with: pluralist resume first" in done.stderr
    assert "Traceback" not in done.stderr
    committed = {path: path.read_bytes() for path in store.glob("runs/*/*/*/manifest.json")}
    assert committed, "some stages fitted"
    ballast.unlink()
    resumed = subprocess.run([*COMMAND, str(store)], capture_output=True, text=True, check=False)
    assert "Traceback" not in resumed.stderr
    now = {path: path.read_bytes() for path in store.glob("runs/*/*/*/manifest.json")}
    assert committed.items() <= now.items()
    assert len(now) > len(committed)


def test_a_file_size_limit_ends_with_code_9(tmp_path: Path) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000))

    done = subprocess.run(
        [*COMMAND, str(tmp_path / "store")],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=limit,
    )
    assert done.returncode == 9
    assert "File too large; free some space or raise the limit" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("operation", [3, 20, 75, 130, 210])
@pytest.mark.parametrize(
    ("number", "text"), [(errno.EIO, "check the disk"), (errno.EACCES, "writable")]
)
def test_a_store_that_fails_at_an_operation_keeps_what_is_committed(
    make_run: MakeRun, operation: int, number: int, text: str
) -> None:
    context = make_run(run=False)
    passed = 0

    def fail(_name: str, path: Path) -> None:
        nonlocal passed
        passed += 1
        if passed == operation:
            raise OSError(number, os.strerror(number), str(path))

    failpoints.install(fail)
    try:
        with pytest.raises(StorageError, match=text):
            rounds(context)
    finally:
        failpoints.install(None)
    assert passed >= operation, "the failpoint fired"
    assert verify_run(context.store, context.record).problems == []
    rounds(RunContext(context.store, context.record))
    whole = make_run("whole")
    report = verify_run(context.store, context.record)
    assert report.digest == verify_run(whole.store, whole.record).digest
