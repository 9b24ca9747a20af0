"""Tokens drawn from the nucleus: the smallest set of likeliest tokens of mass top_p at least.

Logits over the temperature give p; sorted downwards, a token is kept while the mass before it is
below top_p, and what is kept is drawn in proportion to p (Holtzman et al. 2020). To sort the whole
vocabulary costs more than a small model does, so the k largest logits are taken first: where their
mass, by the normaliser of all logits, reaches top_p, the nucleus lies within them.

b rows, V tokens.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

# Few are enough for most rows of a trained model, more of them for most of the others.
NUM_LIKELY = (256, 2048)


def nucleus_probabilities(
    logits: "torch.Tensor",  # (b, V)
    *,
    temperature: float,
    top_p: float,
) -> "torch.Tensor":  # (b, V), float64
    """Probability of every token to be drawn next, by a full sort."""
    import torch

    scaled = _scaled(logits, temperature)
    if top_p >= 1:
        return scaled.double().softmax(1)
    values, tokens = scaled.sort(dim=1, descending=True, stable=True)
    masses = (values - scaled.logsumexp(1, keepdim=True)).double().exp()
    kept = masses.where(masses.cumsum(1) - masses < top_p, 0.0)
    return torch.zeros_like(masses).scatter_(1, tokens, kept / kept.sum(1, keepdim=True))


def draw_tokens(
    logits: "torch.Tensor",  # (b, V)
    uniforms: "torch.Tensor",  # (b,), float64, in [0, 1)
    *,
    temperature: float,
    top_p: float,
    num_likely: Sequence[int] = NUM_LIKELY,
) -> "torch.Tensor":  # (b,), int64
    """One token a row, where the row's uniform falls in the cumulated masses of its nucleus.

    A row's token depends on its own logits and uniform alone, and not on `num_likely`, which
    only decides how often a full sort is needed.
    """
    scaled = _scaled(logits, temperature)
    if top_p >= 1:
        # Nothing to cut off: tokens may stay in any order.
        return _place(scaled.double().softmax(1).cumsum(1), uniforms)
    total = scaled.logsumexp(1, keepdim=True)
    return _drawn(scaled, total, uniforms, top_p, num_likely)


def _drawn(
    scaled: "torch.Tensor",  # (b, V)
    total: "torch.Tensor",  # (b, 1)
    uniforms: "torch.Tensor",  # (b,)
    top_p: float,
    num_likely: Sequence[int],
) -> "torch.Tensor":  # (b,)
    """Tokens from the first of `num_likely` logits, rows that need more from the next, or all."""
    number = num_likely[0] if num_likely else scaled.shape[1]
    if number >= scaled.shape[1]:
        values, tokens = scaled.sort(dim=1, descending=True, stable=True)
        place = _in_nucleus((values - total).double().exp(), uniforms, top_p)
        return tokens.gather(1, place[:, None])[:, 0]
    values, tokens = _likeliest(scaled, number)
    masses = (values - total).double().exp()
    drawn = tokens.gather(1, _in_nucleus(masses, uniforms, top_p)[:, None])[:, 0]
    # Of several logits equal to the last one taken, any may have been left out: these do not count.
    beyond = masses.where(values > values[:, -1:], 0.0).sum(1) < top_p
    if bool(beyond.any()):
        rows = beyond.nonzero()[:, 0]
        drawn[rows] = _drawn(scaled[rows], total[rows], uniforms[rows], top_p, num_likely[1:])
    return drawn


def _scaled(logits: "torch.Tensor", temperature: float) -> "torch.Tensor":
    """Logits over the temperature, in single precision at least."""
    import torch

    precise = logits if logits.dtype in (torch.float32, torch.float64) else logits.float()
    return precise / temperature


def _likeliest(
    scaled: "torch.Tensor",  # (b, V)
    number: int,
) -> "tuple[torch.Tensor, torch.Tensor]":  # (b, number), (b, number)
    """The largest logits downwards and their tokens; equal ones in the order of their tokens."""
    tokens = scaled.topk(number, dim=1, sorted=False).indices.sort(dim=1).values
    values, order = scaled.gather(1, tokens).sort(dim=1, descending=True, stable=True)
    return values, tokens.gather(1, order)


def _in_nucleus(
    masses: "torch.Tensor",  # (b, k), downwards
    uniforms: "torch.Tensor",  # (b,)
    top_p: float,
) -> "torch.Tensor":  # (b,)
    """Rank of the drawn token."""
    cumulative = masses.cumsum(1)
    # The first token is always kept.
    last = (cumulative[:, :-1] < top_p).sum(1, keepdim=True)
    kept = cumulative.gather(1, last)
    place = (cumulative <= uniforms[:, None] * kept).sum(1)
    # A product may be rounded up to all that is kept.
    return place.minimum(last[:, 0])


def _place(
    cumulative: "torch.Tensor",  # (b, V)
    uniforms: "torch.Tensor",  # (b,)
) -> "torch.Tensor":  # (b,)
    import torch

    targets = uniforms[:, None] * cumulative[:, -1:]
    place = torch.searchsorted(cumulative, targets, right=True)[:, 0]
    return place.clamp(max=cumulative.shape[1] - 1)
