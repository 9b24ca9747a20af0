"""Which texts are held out, and the digest by which a set of texts is known."""

import hashlib
from collections.abc import Iterable
from typing import Literal

Split = Literal["train", "held-out"]

HELD_OUT_SHARE = 0.1


def is_held_out(text: str) -> bool:
    """Whether `text` is in the held-out tenth.

    Its SHA-256 alone decides, so that neither order nor the other texts move it, and equal
    texts are never on both sides.
    """
    first = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
    return first < HELD_OUT_SHARE * 2**64


def part_of(texts: Iterable[str], split: Split) -> tuple[str, ...]:
    """The texts of one split, in their order."""
    return tuple(text for text in texts if is_held_out(text) == (split == "held-out"))


def texts_digest(texts: Iterable[str]) -> str:
    """SHA-256 (hex) of the SHA-256 of every text: of their order and their limits too."""
    digest = hashlib.sha256()
    for text in texts:
        digest.update(hashlib.sha256(text.encode()).digest())
    return digest.hexdigest()
