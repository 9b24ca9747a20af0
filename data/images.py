"""Images in a table: one column `image`, n rows of H x W x C bytes.

H height and W width in pixels, C channels; values 0 .. 255, row after row, channels last.
"""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from data.errors import ConfigError
from data.schemas import described

UInt8Array = npt.NDArray[np.uint8]
Shape = tuple[int, int, int]

COLUMN = "image"


def image_schema(shape: Shape) -> pa.Schema:
    """Schema of a table of images of shape (H, W, C); the field's metadata holds the shape."""
    size = int(np.prod(shape))
    text = ",".join(str(length) for length in shape)
    meaning = "pixels 0..255 of the image, rows of pixels with channels last"
    return pa.schema([described(COLUMN, pa.binary(size), meaning, shape=text, layout="HWC")])


def image_table(
    images: UInt8Array,  # (n, H, W, C)
) -> pa.Table:
    """Table of images, sharing memory with a contiguous array."""
    schema = image_schema(images.shape[1:])
    content = pa.py_buffer(np.ascontiguousarray(images))
    kind = schema.field(COLUMN).type
    column = pa.Array.from_buffers(kind, len(images), [None, content])
    return pa.Table.from_arrays([column], schema=schema)


def shape_of(schema: pa.Schema, user: str) -> Shape:
    """Shape (H, W, C) of the images of a table.

    `user` is who needs them and starts every message. Raises `ConfigError` for a table
    without images.
    """
    found = schema.field(COLUMN) if COLUMN in schema.names else None
    text = ((found.metadata or {}) if found is not None else {}).get(b"shape")
    if found is None or text is None or not pa.types.is_fixed_size_binary(found.type):
        raise ConfigError(
            f"{user}: expected a column {COLUMN!r} of pixels with its shape, got "
            f"{', '.join(schema.names) or 'none'}; use it with a generator of images"
        )
    height, width, channels = (int(length) for length in text.decode().split(","))
    return height, width, channels


def images_of(
    table: pa.Table,  # n rows
    user: str,
) -> UInt8Array:  # (n, H, W, C)
    """Images of `table`, without a copy for a single chunk; raises as `shape_of`."""
    shape = shape_of(table.schema, user)
    size = int(np.prod(shape))
    chunks = [
        np.frombuffer(chunk.buffers()[1], np.uint8, len(chunk) * size, chunk.offset * size)
        for chunk in table[COLUMN].chunks
        if len(chunk)
    ]
    flat = chunks[0] if len(chunks) == 1 else np.concatenate([*chunks, np.empty(0, np.uint8)])
    return flat.reshape(-1, *shape)
