"""What does a round of images cost on disk? 50,000 of 32 x 32 x 3 written, verified, read back.

Ours: committed as a stage (Parquet with page checksums, hashed while written, synced, manifest,
published), its file verified by SHA-256 (`Artifact.verify_file`), then read as an array
(`Artifact.table` with every page checksum, `images_of`). Reference: the same bytes written to
one file, synced and hashed, then read back and hashed. Both in one run, in turn, on one disk.

    python -m benchmarks.images_store [--repeats 5] [--folder DIR]
"""

import argparse
import hashlib
import os
import resource
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from data import artifact
from data.commit import Attempt
from data.images import image_schema, image_table, images_of

UInt8Array = npt.NDArray[np.uint8]

SHAPE = (50_000, 32, 32, 3)
TARGET = 3
FILE = "candidates.parquet"


def write_raw(images: UInt8Array, path: Path) -> str:
    """Write and sync the bytes; their SHA-256."""
    with path.open("wb") as file:
        file.write(images.data)
        digest = hashlib.sha256(images.data).hexdigest()
        file.flush()
        os.fsync(file.fileno())
    return digest


def read_raw(path: Path, digest: str) -> None:
    """Read the bytes and check their SHA-256."""
    assert hashlib.sha256(path.read_bytes()).hexdigest() == digest


def write_ours(images: UInt8Array, folder: Path) -> None:
    """Commit the images as a stage."""
    with Attempt(folder) as attempt:
        attempt.write_table(FILE, image_table(images), image_schema(images.shape[1:]))
        attempt.publish(run="bench", iteration=0, stage="sample", fingerprint="0" * 64)


def verify_ours(folder: Path) -> None:
    """Open the stage as a later process would, and check the file's SHA-256."""
    artifact.open_artifact(folder).verify_file(FILE)


def read_ours(folder: Path) -> UInt8Array:
    """The images of the verified stage."""
    return images_of(artifact.open_artifact(folder).table(FILE), "benchmark")


def peak_megabytes() -> float:
    """Largest resident memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def main() -> None:
    """Print seconds, the ratio to the target, and memory; medians over repeats."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--folder", type=Path, default=None)
    options = parser.parse_args()
    images = np.random.default_rng(0).integers(256, size=SHAPE, dtype=np.uint8)
    size = images.nbytes / 1e6
    seconds: dict[str, list[float]] = {}
    peaks = {"start": peak_megabytes()}

    def timed(what: str, call: Callable[..., Any], *arguments: object) -> Any:
        start = time.perf_counter()
        found = call(*arguments)
        seconds.setdefault(what, []).append(time.perf_counter() - start)
        peaks.setdefault(what, peak_megabytes())
        return found

    with tempfile.TemporaryDirectory(dir=options.folder) as root:
        for repeat in range(options.repeats):
            raw, stage = Path(root) / "raw", Path(root) / f"stage-{repeat}"
            # Ours first: the high-water mark of memory is then ours, not the reference's.
            timed("write", write_ours, images, stage)
            timed("verify", verify_ours, stage)
            found = timed("read", read_ours, stage)
            digest = timed("raw write", write_raw, images, raw)
            timed("raw read", read_raw, raw, digest)
            assert np.array_equal(found, images)
            del found
            raw.unlink()
            shutil.rmtree(stage)
    for what, values in seconds.items():
        middle = statistics.median(values)
        more = peaks[what] - peaks["start"]
        print(f"{what:<9} {middle:6.3f} s  {size / middle:5.0f} MB/s  peak so far +{more:.0f} MB")
    ours, theirs = (
        [sum(parts) for parts in zip(*(seconds[what] for what in names), strict=True)]
        for names in (("write", "verify", "read"), ("raw write", "raw read"))
    )
    ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
    print(f"images {size:.0f} MB, memory with them before the first write {peaks['start']:.0f} MB")
    print(f"write + verify + read: ours / raw = {ratio:.2f} (target <= {TARGET})")


if __name__ == "__main__":
    main()
