"""The rarest token types of p_0, which hold 5 % of its tokens, and how much a model uses them.

A type is an entry of the vocabulary, a token one occurrence of it. V types that p_0 used.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from data.errors import BadNumbers
from data.schemas import described

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
TokenIds = npt.NDArray[np.integer[Any]]

TAIL_SHARE = 0.05
TOKENS_FILE = "tokens.parquet"

# What stage `constants` keeps of p_0's samples.
TOKEN_COUNTS = pa.schema(
    [
        described("token_id", pa.int32(), "type that samples of p_0 used, ascending"),
        described("ranked", pa.int64(), "times it was used in the texts that order the types"),
        described("sized", pa.int64(), "times it was used in the texts that size the tail"),
    ]
)


def count_tokens(
    token_ids: Sequence[TokenIds],  # n of (length,), samples of p_0
) -> pa.Table:
    """Rows of `TOKEN_COUNTS`: texts 0, 2, 4 ... order the types, texts 1, 3, 5 ... size the tail.

    The same texts cannot do both: a type is among the rarest of a sample partly by bad luck, and
    those that no text used are rarest of all, yet they have a share of p_0's tokens, a large one
    where the vocabulary is. Raises `BadNumbers` where either half has no token.
    """
    halves = [_joined(token_ids[start::2]) for start in (0, 1)]
    for half in halves:
        if not len(half):
            raise BadNumbers(
                f"token tail: expected tokens in samples of p_0, got {len(token_ids)} texts of "
                "which every second one is empty; check the initial model and its tokenizer"
            )
    types = np.unique(np.concatenate(halves))
    counts = [np.bincount(np.searchsorted(types, half), minlength=len(types)) for half in halves]
    columns = [pa.array(types, pa.int32()), *(pa.array(one, pa.int64()) for one in counts)]
    return pa.Table.from_arrays(columns, schema=TOKEN_COUNTS)


@dataclass(frozen=True)
class TokenTail:
    """Types in the order of rarity, up to the one at which 5 % of p_0's tokens are reached.

    Rarer is the less used type, and of equally used ones that with the larger id: a byte-pair
    vocabulary numbers types by falling frequency. Types that are not listed were used 0 times.
    """

    types: IntArray  # (V,), ascending
    counts: IntArray  # (V,), times used
    last_type: int
    last_count: int
    last_share: float  # of this type's tokens that are in the tail

    def coverage(
        self,
        token_ids: Sequence[TokenIds],  # n of (length,)
    ) -> float | None:
        """Share of tokens in the tail, over .05: 1 for p_0, 0 without rare types.

        None for texts without tokens.
        """
        tokens = _joined(token_ids)
        return float(self.membership(tokens).mean()) / TAIL_SHARE if len(tokens) else None

    def membership(
        self,
        tokens: TokenIds,  # (N,)
    ) -> FloatArray:  # (N,)
        """1 for tokens of the tail, 0 for others, and `last_share` for those of its last type."""
        places = np.minimum(np.searchsorted(self.types, tokens), len(self.types) - 1)
        counts = np.where(self.types[places] == tokens, self.counts[places], 0)
        is_equal = counts == self.last_count
        inside = (counts < self.last_count) | (is_equal & (tokens > self.last_type))
        return np.where(tokens == self.last_type, self.last_share, inside.astype(np.float64))


def token_tail(
    counted: pa.Table,  # V rows of `TOKEN_COUNTS`
) -> TokenTail:
    """The tail as `count_tokens` found it.

    Its last type, a part of whose tokens is needed to reach 5 %, counts with that part. So p_0
    covers its own tail once however coarse the masses of its types are.
    """
    types, ranked, sized = (
        counted[name].to_numpy().astype(np.int64) for name in TOKEN_COUNTS.names
    )
    order = np.lexsort((-types, ranked))
    reached = np.cumsum(sized[order])
    wanted = TAIL_SHARE * reached[-1]
    last = int(np.searchsorted(reached, wanted))
    own = sized[order[last]]
    return TokenTail(
        types=types,
        counts=ranked,
        last_type=int(types[order[last]]),
        last_count=int(ranked[order[last]]),
        last_share=float((wanted - (reached[last] - own)) / own),
    )


def _joined(token_ids: Sequence[TokenIds]) -> IntArray:  # (N,)
    return np.concatenate([np.empty(0, dtype=np.int64), *token_ids]).astype(np.int64)
