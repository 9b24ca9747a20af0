"""Scores of many samples: batch by batch, checked, and what rewards share computed once."""

from collections import OrderedDict
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from data.errors import BadNumbers
from rewards.classification import Classification
from rewards.registry import Reward

FloatArray = npt.NDArray[np.float64]


def raw_scores(
    rewards: Sequence[Reward],  # (R,)
    names: Sequence[str],  # (R,)
    samples: pa.Table,  # n rows
    batch_size: int,
) -> FloatArray:  # (n, R)
    """Every reward of every row, `batch_size` rows at a time.

    Raises `BadNumbers` naming reward and row for a wrong length, NaN or infinity.
    """
    scores = np.empty((samples.num_rows, len(rewards)))
    # All rewards of a batch before the next one, so that they can share a pass over it.
    for start in range(0, samples.num_rows, batch_size):
        rows = samples.slice(start, batch_size)
        for column, (reward, name) in enumerate(zip(rewards, names, strict=True)):
            scores[start : start + rows.num_rows, column] = _checked(reward, name, rows, start)
    return scores


def _checked(
    reward: Reward,
    name: str,
    rows: pa.Table,  # n rows
    start: int,
) -> FloatArray:  # (n,)
    # An overflow becomes an infinity, which is refused right below.
    with np.errstate(over="ignore", invalid="ignore"):
        values = np.asarray(reward(rows), dtype=np.float64)
    if values.shape != (rows.num_rows,):
        raise BadNumbers(
            f"reward {name!r}: expected {rows.num_rows} scores, got shape "
            f"{values.shape}; return one number a row"
        )
    bad = np.flatnonzero(~np.isfinite(values))
    if len(bad):
        raise BadNumbers(
            f"reward {name!r}: expected finite scores, got {values[bad[0]]} for row "
            f"{start + int(bad[0])} ({len(bad)} such in this batch); correct the reward"
        )
    return values


class LastBatches:
    """What a classifier said of the last few batches of images.

    A batch is known by where its bytes lie, so that slices of one table are found again; its
    table is kept, or another could come to lie there.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._known: OrderedDict[object, tuple[pa.Table, Classification]] = OrderedDict()

    def find(self, batch: pa.Table, classify: Callable[[], Classification]) -> Classification:
        """The remembered classification of `batch`, or else `classify()`, remembered."""
        key = _place_in_memory(batch)
        if key not in self._known:
            self._known[key] = (batch, classify())
        self._known.move_to_end(key)
        if len(self._known) > self._capacity:
            self._known.popitem(last=False)
        return self._known[key][1]


def _place_in_memory(batch: pa.Table) -> object:
    return tuple(
        (buffer.address, buffer.size, chunk.offset, len(chunk))
        for column in batch.columns
        for chunk in column.chunks
        for buffer in chunk.buffers()
        if buffer is not None
    )
