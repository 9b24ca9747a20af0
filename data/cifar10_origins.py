"""Where CIFAR-10 is read from: the Hugging Face hub, torchvision's folder, Parquet files.

Each reader gives the rows in the order in which it finds them; `data.cifar10` judges them.
"""

import io
import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from data.errors import ConfigError, EnvironmentProblem
from data.hub_data import HubDataSet, hub_file
from data.installation import imported

UInt8Array = npt.NDArray[np.uint8]
Split = Literal["train", "test"]
Origin = Literal["hub", "torchvision", "parquet"]

NAME = "data set cifar10"
REPOSITORY = "uoft-cs/cifar10"
REVISION = "0b2714987fa478483af9968de7c934580d0bb9a2"
ON_HUB = HubDataSet("cifar10", REPOSITORY, REVISION)
FETCH = ON_HUB.fetch
SIDE = 32
BATCH_ROWS = 1_000


class Rows(NamedTuple):
    """What an origin holds; `class_names` is None where it does not say."""

    images: UInt8Array  # (n, 32, 32, 3)
    labels: list[Any]  # n, as found
    class_names: tuple[str, ...] | None
    place: str


def read_hub(split: Split, path: str | None) -> Rows:
    """Rows of the hub's pinned revision; `path` is the hub's cache folder, None its usual one.

    Raises `EnvironmentProblem` as `hub_file` does.
    """
    file = hub_file(
        ON_HUB,
        f"plain_text/{split}-00000-of-00001.parquet",
        cache=path,
        instead="give a copy with origin torchvision or parquet and its path, or use the data set "
        "digits, which needs no download",
    )
    return read_parquet_file(file)


def read_torchvision(split: Split, path: str | None) -> Rows:
    """Rows of the folder `path` that holds torchvision's `cifar-10-batches-py`.

    torchvision checks the MD5 of every file before it unpickles any.
    Raises `EnvironmentProblem` for a missing or damaged one.
    """
    assert path is not None, "the configuration asks for it"
    vision = imported("torchvision", user=NAME)
    try:
        with warnings.catch_warnings():
            # Some releases of numpy 2.4 deprecate how the published pickles write a dtype
            # (github.com/pytorch/vision/issues/9340).
            warnings.filterwarnings("ignore", message=r"dtype\(\): align")
            found = vision.datasets.CIFAR10(path, train=split == "train", download=False)
    except (RuntimeError, OSError) as error:
        raise EnvironmentProblem(
            f"data set cifar10: expected torchvision's CIFAR-10 in {path}, got: {error}; fetch it "
            f"with `python -c \"import torchvision; torchvision.datasets.CIFAR10('{path}', "
            'download=True)"`, or set origin'
        ) from error
    images = np.ascontiguousarray(found.data)
    return Rows(images, found.targets, tuple(found.classes), path)


def read_parquet(split: Split, path: str | None) -> Rows:
    """Rows of train.parquet or test.parquet (or with the hub's names) in the folder `path`.

    Raises `EnvironmentProblem` when there is none.
    """
    assert path is not None, "the configuration asks for it"
    names = (f"{split}.parquet", f"{split}-00000-of-00001.parquet")
    for name in names:
        if (Path(path) / name).is_file():
            return read_parquet_file(Path(path) / name)
    raise EnvironmentProblem(
        f"data set cifar10: expected {' or '.join(names)} in {path}, found neither; set path to "
        f"the folder that holds them, or fetch it with `{FETCH}` and set origin to hub"
    )


def read_parquet_file(path: Path) -> Rows:
    """Rows of one Parquet file in the hub's layout: `img` (bytes of a PNG, path) and `label`.

    Raises `EnvironmentProblem` for a file or an image that cannot be read, `ConfigError` for
    other columns and for images that are not 32 x 32 in RGB.
    """
    images: list[UInt8Array] = [np.empty((0, SIDE, SIDE, 3), np.uint8)]
    labels: list[Any] = []
    try:
        with pq.ParquetFile(path, memory_map=True) as file:
            class_names = _class_names(file.schema_arrow, path)
            for batch in file.iter_batches(BATCH_ROWS, columns=["img.bytes", "label"]):
                contents = batch["img"].field("bytes").to_pylist()
                images.append(_decode(contents, path, len(labels)))
                labels += batch["label"].to_pylist()
    except (OSError, pa.ArrowException) as error:
        raise EnvironmentProblem(
            f"data set cifar10: expected a Parquet file in {path}, got: {error}; fetch it anew"
        ) from error
    return Rows(np.concatenate(images), labels, class_names, str(path))


READERS: dict[Origin, Callable[[Split, str | None], Rows]] = {
    "hub": read_hub,
    "torchvision": read_torchvision,
    "parquet": read_parquet,
}


def _class_names(schema: pa.Schema, path: Path) -> tuple[str, ...] | None:
    kinds = {field.name: field.type for field in schema}
    image, label = kinds.get("img"), kinds.get("label")
    has_bytes = (
        image is not None
        and pa.types.is_struct(image)
        and image.get_field_index("bytes") >= 0
        and pa.types.is_binary(image.field("bytes").type)
    )
    if not has_bytes or label is None or not pa.types.is_integer(label):
        found = ", ".join(f"{name}: {kind}" for name, kind in kinds.items())
        raise ConfigError(
            f"data set cifar10: expected columns img: struct<bytes: binary, path: string> and "
            f"label: int64 in {path}, got {found}; that is another data set, or another layout "
            f"than {REPOSITORY} has"
        )
    try:
        record = json.loads((schema.metadata or {})[b"huggingface"])
        return tuple(record["info"]["features"]["label"]["names"])
    except (KeyError, TypeError, ValueError):
        return None


def _decode(
    contents: list[bytes | None],  # n
    path: Path,
    first: int,
) -> UInt8Array:  # (n, 32, 32, 3)
    open_image = imported("PIL.Image", user=NAME).open
    wanted = ("RGB", (SIDE, SIDE))
    images = np.empty((len(contents), SIDE, SIDE, 3), np.uint8)
    for row, content in enumerate(contents):
        try:
            with open_image(io.BytesIO(content or b""), formats=("PNG",)) as image:
                found = (image.mode, image.size)
                if found == wanted:
                    images[row] = image
        except (OSError, SyntaxError, ValueError) as error:
            raise EnvironmentProblem(
                f"data set cifar10: expected a PNG in row {first + row} of {path}, got: {error}; "
                "fetch the file anew"
            ) from error
        if found != wanted:
            mode, (width, height) = found
            raise ConfigError(
                f"data set cifar10: expected images of 32 x 32 in RGB, got {height} x {width} in "
                f"{mode} in row {first + row} of {path}; that is another data set"
            )
    return images
