"""Texts as rows of tokens, and which of them an optimizer step takes; n rows, L tokens.

Token j of a row is a target when it stands behind the row's context: the model is asked for it
after it has seen the tokens before it. The first token of a row has none before it, so it is
never a target.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from data.errors import ConfigError

if TYPE_CHECKING:
    import torch

Int32Array = npt.NDArray[np.int32]
IntArray = npt.NDArray[np.int64]
NO_TARGET = -100  # label that torch's cross entropy leaves out
USER = "generator causal-lm"


@dataclass(frozen=True)
class TokenRow:
    """One text: its first `num_context` tokens are given, the others are to be learnt."""

    ids: Int32Array  # (L,)
    num_context: int

    @property
    def first_target(self) -> int:
        """Place of the first target."""
        return max(self.num_context, 1)

    @property
    def num_targets(self) -> int:
        """Tokens to be learnt."""
        return max(len(self.ids) - self.first_target, 0)


@dataclass(frozen=True)
class TokenBatch:
    """Rows padded on the right with token 0, on the CPU.

    A causal model sees no padding behind a text from within it, so no mask is needed, and the
    positions are those a model counts by itself.
    """

    ids: "torch.Tensor"  # (n, L), int64
    labels: "torch.Tensor"  # (n, L), int64: ids where they are targets, else `NO_TARGET`

    @classmethod
    def of(cls, rows: Sequence[TokenRow]) -> "TokenBatch":
        """The rows in their order."""
        import torch

        length = max(len(row.ids) for row in rows)
        ids = np.zeros((len(rows), length), np.int64)
        labels = np.full((len(rows), length), NO_TARGET, np.int64)
        for index, row in enumerate(rows):
            ids[index, : len(row.ids)] = row.ids
            labels[index, row.first_target : len(row.ids)] = row.ids[row.first_target :]
        return cls(torch.from_numpy(ids), torch.from_numpy(labels))


def check_rows(rows: Sequence[TokenRow], *, max_length: int | None, vocabulary: int) -> None:
    """Raise `ConfigError`, naming the first bad row, unless a model can be fitted to the rows.

    None as `max_length` is for models without a longest text.
    """
    if not rows:
        raise ConfigError(
            f"{USER}: expected at least 1 row to fit, got 0; raise selection.num_curated"
        )
    for number, row in enumerate(rows):
        length = len(row.ids)
        if max_length is not None and length > max_length:
            raise ConfigError(
                f"{USER}: expected at most {max_length} tokens, the model's context, got {length} "
                f"in row {number}; cut or leave out longer texts, or lower "
                "generation.max_new_tokens"
            )
        if row.num_targets == 0:
            raise ConfigError(
                f"{USER}: expected at least 1 token to learn, got {length} tokens with "
                f"{row.first_target} of context in row {number}; add the end of the text, or leave "
                "the row out"
            )
        if row.ids.min() < 0 or row.ids.max() >= vocabulary:
            bad = int(row.ids.max()) if row.ids.max() >= vocabulary else int(row.ids.min())
            raise ConfigError(
                f"{USER}: expected token ids from 0 to {vocabulary - 1}, got {bad} in row "
                f"{number}; use the tokenizer that belongs to the model"
            )


@dataclass(frozen=True)
class RowOrder:
    """Which rows each step takes: all of them once an epoch, in an order of each epoch's own.

    The last step of an epoch takes what is left.
    """

    num_rows: int
    batch_size: int
    num_epochs: int
    seed: int

    @property
    def num_steps(self) -> int:
        """Steps of all epochs."""
        return self.num_epochs * self._steps_per_epoch

    def rows(self, step: int) -> IntArray:  # (n,)
        """Numbers of the rows of `step`: a function of the seed and the step alone."""
        epoch, within = divmod(step, self._steps_per_epoch)
        sequence = np.random.SeedSequence(self.seed, spawn_key=(epoch, 0))
        order = np.random.default_rng(sequence).permutation(self.num_rows)
        return order[within * self.batch_size : (within + 1) * self.batch_size]

    @property
    def _steps_per_epoch(self) -> int:
        return -(-self.num_rows // self.batch_size)


def share_of(rows: Sequence[TokenRow], *, rank: int, number: int) -> list[TokenRow]:
    """What process `rank` of `number` takes of a step: by length, so that shares are alike."""
    return _longest_first(rows)[rank::number]


def micro_batches(rows: Sequence[TokenRow], size: int | None) -> list[TokenBatch]:
    """The rows of one step, at most `size` at once: by length, so that little is padding.

    The longest come first, so that what does not fit into memory fails at once.
    """
    ordered = _longest_first(rows)
    size = size or max(len(rows), 1)
    return [TokenBatch.of(ordered[start : start + size]) for start in range(0, len(ordered), size)]


def even_micro_batches(
    rows: Sequence[TokenRow], size: int | None, *, rank: int, number: int
) -> list[TokenBatch]:
    """The micro batches of one process's share of `rows`, as many for every process.

    A share with fewer rows ends with batches of one token, which is no target.
    """
    batches = micro_batches(share_of(rows, rank=rank, number=number), size)
    largest = share_of(rows, rank=0, number=number)
    without_target = TokenBatch.of([TokenRow(np.zeros(1, np.int32), num_context=1)])
    return batches + [without_target] * (-(-len(largest) // (size or len(largest))) - len(batches))


def _longest_first(rows: Sequence[TokenRow]) -> list[TokenRow]:
    return sorted(rows, key=lambda row: -len(row.ids))
