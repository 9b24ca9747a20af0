"""What does a commit cost? 50,000 images of 3,072 bytes against a raw write plus hash.

Ours: one Parquet file with page checksums, hashed while written, synced, with manifest and
publishing; then a verified read. Reference: the same bytes to one file, SHA-256, fsync; then
read and SHA-256. Both in one run, in turn, on the same disk.

    python -m benchmarks.store [--repeats 5] [--folder DIR]
"""

import argparse
import hashlib
import os
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa

from data import artifact
from data.commit import Attempt
from data.schemas import described

NUM_IMAGES, NUM_BYTES = 50_000, 3_072
SCHEMA = pa.schema([described("image", pa.binary(NUM_BYTES), "32 x 32 x 3 image")])


def image_table(pixels: bytes) -> pa.Table:
    """One column of fixed-size binary over `pixels`, without a copy."""
    buffers = [None, pa.py_buffer(pixels)]
    column = pa.FixedSizeBinaryArray.from_buffers(pa.binary(NUM_BYTES), NUM_IMAGES, buffers)
    return pa.table({"image": column}, schema=SCHEMA)


def write_raw(pixels: bytes, path: Path) -> None:
    """Write, hash and sync the bytes."""
    with path.open("wb") as file:
        file.write(pixels)
        hashlib.sha256(pixels).hexdigest()
        file.flush()
        os.fsync(file.fileno())


def read_raw(path: Path) -> None:
    """Read and hash the bytes."""
    hashlib.sha256(path.read_bytes()).hexdigest()


def write_ours(table: pa.Table, root: Path, name: str) -> artifact.Artifact:
    """Commit the table as a stage."""
    with Attempt(root / name) as attempt:
        attempt.write_table("candidates.parquet", table, SCHEMA)
        return attempt.publish(run="bench", iteration=0, stage="sample", fingerprint="0" * 64)


def read_ours(name: str, root: Path) -> pa.Table:
    """Open and read the committed table, verified."""
    return artifact.open_artifact(root / name).table("candidates.parquet")


def main() -> None:
    """Print seconds and ratios, median over repeats."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--folder", type=Path, default=None)
    options = parser.parse_args()
    pixels = np.random.default_rng(0).bytes(NUM_IMAGES * NUM_BYTES)
    table = image_table(pixels)
    seconds: dict[str, list[float]] = {}

    def timed(what: str, start: float) -> None:
        seconds.setdefault(what, []).append(time.perf_counter() - start)

    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        root = Path(folder)
        for repeat in range(options.repeats):
            raw = root / f"raw-{repeat}"
            start = time.perf_counter()
            write_raw(pixels, raw)
            timed("write raw", start)
            start = time.perf_counter()
            write_ours(table, root, f"stage-{repeat}")
            timed("write ours", start)
            start = time.perf_counter()
            read_raw(raw)
            timed("read raw", start)
            start = time.perf_counter()
            found = read_ours(f"stage-{repeat}", root)
            timed("read ours", start)
            assert found.num_rows == NUM_IMAGES
    size = NUM_IMAGES * NUM_BYTES / 1e6
    for what, values in seconds.items():
        middle = statistics.median(values)
        print(f"{what:<11} {middle:6.3f} s  {size / middle:6.0f} MB/s")
    for kind in ("write", "read"):
        pairs = zip(seconds[f"{kind} ours"], seconds[f"{kind} raw"], strict=True)
        ratio = statistics.median(ours / raw for ours, raw in pairs)
        print(f"{kind}: ours / raw = {ratio:.2f}")


if __name__ == "__main__":
    main()
