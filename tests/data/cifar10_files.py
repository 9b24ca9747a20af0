"""Files in the layouts of CIFAR-10's origins, of any images."""

import io
import json
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from data.cifar10 import CLASSES
from data.cifar10_origins import REPOSITORY, REVISION

UInt8Array = npt.NDArray[np.uint8]


def png(image: UInt8Array) -> bytes:
    """One image as a PNG file."""
    content = io.BytesIO()
    Image.fromarray(image).save(content, "PNG")
    return content.getvalue()


def write_parquet(
    path: Path,
    contents: Sequence[bytes | None],
    labels: Sequence[int | None],
    *,
    names: Sequence[str] | None = CLASSES,
) -> None:
    """A file as the hub has it; `names` None leaves its record of features out."""
    rows = [{"bytes": content, "path": f"{row}.png"} for row, content in enumerate(contents)]
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    table = pa.table({"img": pa.array(rows, kind), "label": pa.array(labels, pa.int64())})
    if names is not None:
        features = {
            "img": {"_type": "Image"},
            "label": {"names": list(names), "_type": "ClassLabel"},
        }
        record = json.dumps({"info": {"features": features}})
        table = table.replace_schema_metadata({"huggingface": record})
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path)


def hub_file(cache: Path, split: str) -> Path:
    """Where the hub's client keeps a split of the pinned revision."""
    snapshot = cache / f"datasets--{REPOSITORY.replace('/', '--')}" / "snapshots" / REVISION
    return snapshot / "plain_text" / f"{split}-00000-of-00001.parquet"


def write_torchvision(root: Path, shared: Path) -> None:
    """The published `cifar-10-batches-py`, byte for byte, from Parquet in the original order.

    The pickles were written by Python 2 with protocol 2, which Python 3 cannot: strings and
    numbers of its memo are put together here.
    """
    folder = root / "cifar-10-batches-py"
    folder.mkdir(parents=True)
    for split, name in (("train", "data_batch_{}"), ("test", "test_batch")):
        table = pq.read_table(shared / "cifar10" / f"{split}.parquet")
        for number in range(table.num_rows // 10_000):
            batch = table.slice(number * 10_000, 10_000).to_pylist()
            title = f"{split}ing batch {number + 1} of {table.num_rows // 10_000}"
            (folder / name.format(number + 1)).write_bytes(_pickled_batch(title, batch))
    (folder / "batches.meta").write_bytes(_pickled_names())


def _pickled_batch(title: str, rows: list[dict[str, Any]]) -> bytes:
    puts = _puts()
    images = [np.asarray(Image.open(io.BytesIO(row["img"]["bytes"]))) for row in rows]
    pixels = np.stack(images).transpose(0, 3, 1, 2).tobytes()
    parts = [b"\x80\x02}", next(puts), b"("]
    parts += [_text("batch_label"), next(puts), _text(title), next(puts)]
    parts += [_text("labels"), next(puts), b"]", next(puts)]
    parts += _appended([b"K" + bytes([row["label"]]) for row in rows])
    parts += [_text("data"), next(puts), b"cnumpy.core.multiarray\n_reconstruct\n", next(puts)]
    parts += [b"cnumpy\nndarray\n", next(puts), b"K\x00\x85U\x01b\x87R", next(puts)]
    parts += [b"(K\x01M\x10'M\x00\x0c\x86cnumpy\ndtype\n", next(puts), b"U\x02u1K\x00K\x01\x87R"]
    parts += [next(puts), b"(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89T"]
    parts += [len(pixels).to_bytes(4, "little"), pixels, b"tb"]
    parts += [_text("filenames"), next(puts), b"]", next(puts)]
    parts += _appended([_text(row["img"]["path"]) + next(puts) for row in rows])
    return b"".join([*parts, b"u."])


def _pickled_names() -> bytes:
    puts = _puts()
    parts = [b"\x80\x02}", next(puts), b"("]
    parts += [_text("num_cases_per_batch"), next(puts), b"M\x10'"]
    parts += [_text("label_names"), next(puts), b"]", next(puts)]
    parts += _appended([_text(name) + next(puts) for name in CLASSES])
    parts += [_text("num_vis"), next(puts), b"M\x00\x0cu."]
    return b"".join(parts)


def _appended(items: list[bytes]) -> list[bytes]:
    """Items of a list as the pickler appends them, a thousand at a time."""
    firsts = range(0, len(items), 1_000)
    return [b"(" + b"".join(items[first : first + 1_000]) + b"e" for first in firsts]


def _text(value: str) -> bytes:
    return b"U" + bytes([len(value)]) + value.encode()


def _puts() -> Iterator[bytes]:
    """Operations that remember the object before them under 1, 2, ..."""
    for number in count(1):
        yield b"q" + bytes([number]) if number < 256 else b"r" + number.to_bytes(4, "little")
