"""Cross entropy of a causal language model at its targets; n targets, V tokens."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from generators.lm_rows import NO_TARGET, TokenBatch

if TYPE_CHECKING:
    import torch


def summed_cross_entropy(
    model: "torch.nn.Module", batch: TokenBatch, device: str
) -> "torch.Tensor":
    """Sum over the batch's targets of -log p(target | tokens before it), in nats.

    Logits are computed for targets alone: with a small network and a large vocabulary they are
    most of the work and of the memory.
    """
    import torch

    asked = batch.labels[:, 1:] != NO_TARGET  # (rows, L - 1): where the next token is a target
    targets = batch.labels[:, 1:][asked].to(device)  # (n,)
    # In the rows laid end to end, each with a last place that has no next token.
    padded = torch.nn.functional.pad(asked, (0, 1))
    places = padded.flatten().nonzero().squeeze(1).to(device)  # (n,)
    with _head_at(model, places):
        logits = model(input_ids=batch.ids.to(device), use_cache=False).logits
    if logits.dim() == 3:  # a model that does not tell its head
        logits = logits.flatten(0, 1).index_select(0, places)
    if logits.dtype == torch.bfloat16:
        logits = logits.float()
    return torch.nn.functional.cross_entropy(logits, targets, reduction="sum")


@contextmanager
def _head_at(model: Any, places: "torch.Tensor") -> Iterator[None]:
    """Inside, the layer that gives logits sees the hidden states of `places` alone, as (n, d)."""
    head = model.get_output_embeddings()
    if head is None:
        yield
        return

    def select(_layer: Any, given: "tuple[torch.Tensor, ...]") -> "tuple[torch.Tensor, ...]":
        return (given[0].flatten(0, 1).index_select(0, places),)

    handle = head.register_forward_pre_hook(select)
    try:
        yield
    finally:
        handle.remove()
