"""How well a language model predicts texts it was not trained on, in nats a token."""

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from data.compute import compute
from data.errors import BadNumbers, ConfigError
from generators.lm_loss import summed_cross_entropy
from generators.lm_rows import USER, TokenBatch, TokenRow
from generators.network_precision import computing_in, in_precision

if TYPE_CHECKING:
    import torch

# Logits of so many tokens are in memory at once: 206 MB for GPT-2's vocabulary.
TOKENS_AT_ONCE = 1024


@dataclass(frozen=True)
class HeldOutLoss:
    """Mean over all targets of -log p(target | tokens before it)."""

    nats: float
    num_tokens: int

    @property
    def perplexity(self) -> float:
        """exp(nats); infinity where that is too large for a float."""
        return math.exp(self.nats) if self.nats < math.log(1e308) else math.inf


def held_out_loss(
    model: "torch.nn.Module", rows: Sequence[TokenRow], *, precision: dict[str, Any]
) -> HeldOutLoss:
    """One pass over the rows, each text by itself; nothing is padded.

    Texts of equal length go through the model together. One longer than the model's context is
    cut into windows of that length; each token is predicted once, from those before it in its
    window. The model is left on the device, for evaluation.

    Raises `ConfigError` where there is no token to predict, `BadNumbers` where the model gives
    something that is not finite.
    """
    import torch

    network: Any = model
    longest = getattr(network.config, "max_position_embeddings", None)
    windows: dict[int, list[TokenRow]] = defaultdict(list)
    for row in rows:
        for window in cut_to_windows(row, longest):
            windows[len(window.ids)].append(window)
    num_tokens = sum(row.num_targets for row in rows)
    if num_tokens == 0:
        raise ConfigError(
            f"{USER}: expected at least 1 held-out token to predict, got none in {len(rows)} "
            "texts; name a corpus with text in its held-out split"
        )
    device = compute().device
    in_precision(model, precision, device).eval()
    total = torch.zeros((), dtype=torch.float64, device=device)
    with torch.inference_mode(), computing_in(precision, device, autocast=True):
        for length in sorted(windows):
            at_once = max(TOKENS_AT_ONCE // length, 1)
            for start in range(0, len(windows[length]), at_once):
                batch = TokenBatch.of(windows[length][start : start + at_once])
                total += summed_cross_entropy(model, batch, device)
    nats = float(total) / num_tokens
    if not math.isfinite(nats):
        raise BadNumbers(
            f"{USER}: expected a finite mean loss of {num_tokens} held-out tokens, got {nats}; "
            "lower the learning rate of the fits before"
        )
    return HeldOutLoss(nats, num_tokens)


def cut_to_windows(row: TokenRow, longest: int | None) -> Iterator[TokenRow]:
    """Pieces of at most `longest` tokens that hold every target of `row` as a target once.

    A piece begins with the last token of the one before it.
    """
    assert longest is None or longest >= 2, "a window needs a token and one before it"
    stride = len(row.ids) if longest is None else longest - 1
    for start in range(0, len(row.ids) - 1, max(stride, 1)):
        piece = TokenRow(row.ids[start : start + stride + 1], max(row.first_target - start, 1))
        if piece.num_targets:
            yield piece
