"""The own engine: texts token by token, every row with random numbers of its own.

n rows, b of them in a batch, w tokens of padded context, m new tokens at most, V tokens.
"""

import inspect
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from data.errors import BadNumbers, ConfigError
from generators.causal_lm_config import Generation
from generators.lm_cache import make_cache, rows_to_move
from generators.lm_evaluation import fitting_into_memory
from generators.nucleus import draw_tokens

if TYPE_CHECKING:
    import torch

FloatArray = npt.NDArray[np.float64]
Int32Array = npt.NDArray[np.int32]
USER = "generator causal-lm"
BATCH_SIZE = "generator.generation.batch_size"

# Asking a GPU which rows have ended makes it wait for the answer.
STEPS_PER_LOOK = {"cpu": 1, "cuda": 8}
# Rows that have ended are dropped once they are this share of a batch.
ENDED_SHARE = 1 / 16


@dataclass(frozen=True)
class Completions:
    """Texts as token ids without end of text, and whether each ended by itself."""

    token_ids: list[Int32Array]  # n of (length,)
    finished: npt.NDArray[np.bool_]  # (n,)


def row_uniforms(seed: int, rows: Sequence[int], number: int) -> FloatArray:  # (b, number)
    """The first `number` uniforms of every row, each a stream of its own under `seed`.

    The counter-based Philox keyed by (seed, row): no row's numbers depend on another's.
    """
    uniforms = np.empty((len(rows), number))
    for place, row in enumerate(rows):
        key = np.random.SeedSequence(seed, spawn_key=(row,))
        uniforms[place] = np.random.Generator(np.random.Philox(key)).random(number)
    return uniforms


def padded(
    contexts: Sequence[Sequence[int]],  # b, none of them empty
    fill: int,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:  # (b, w), (b, w)
    """Contexts that end together, filled up on the left, and which places are no filling."""
    width = max(len(context) for context in contexts)
    ids = np.full((len(contexts), width), fill, np.int64)
    real = np.zeros((len(contexts), width), np.bool_)
    for row, context in enumerate(contexts):
        ids[row, width - len(context) :] = context
        real[row, width - len(context) :] = True
    return ids, real


def cut_at_end(
    drawn: npt.NDArray[np.int64],  # (b, m)
    end_of_text: Collection[int],
) -> tuple[list[Int32Array], npt.NDArray[np.bool_]]:  # b of (length,), (b,)
    """Tokens of every row before its first end of text, and whether there is one."""
    ends = np.isin(drawn, list(end_of_text))
    finished = np.asarray(ends.any(axis=1), np.bool_)
    lengths = np.where(finished, ends.argmax(axis=1), drawn.shape[1])
    ids = [row[:length].astype(np.int32) for row, length in zip(drawn, lengths, strict=True)]
    return ids, finished


def in_batches(contexts: Sequence[Sequence[int]], batch_size: int) -> list[list[int]]:
    """Row numbers of each batch; contexts of like length together, which saves filling."""
    order = sorted(range(len(contexts)), key=lambda row: len(contexts[row]))
    return [order[start : start + batch_size] for start in range(0, len(order), batch_size)]


def draw_texts(
    model: "torch.nn.Module",
    contexts: Sequence[Sequence[int]],  # n
    generation: Generation,
    *,
    end_of_text: Collection[int],
    seed: int,
) -> Completions:
    """One text a context, from a causal model of transformers in evaluation mode.

    The law of row i and its random numbers depend on (`seed`, i) alone; batches change the
    rounding of logits at most. Raises `BadNumbers` for logits that are not finite, `ConfigError`
    for a model whose memory of tokens is not one of keys and values, `StageFailed` where
    memory is not enough.
    """
    _check_attention(model)
    token_ids: list[Int32Array] = [np.empty(0, np.int32)] * len(contexts)
    finished = np.zeros(len(contexts), np.bool_)
    for rows in in_batches(contexts, generation.batch_size):
        with fitting_into_memory(BATCH_SIZE):
            uniforms = row_uniforms(seed, rows, generation.max_new_tokens)
            batch = _Batch(model, [contexts[row] for row in rows], uniforms, end_of_text)
            drawn = batch.draw(generation)
        ids, ended = cut_at_end(drawn, end_of_text)
        for row, one, end in zip(rows, ids, ended, strict=True):
            token_ids[row], finished[row] = one, end
    return Completions(token_ids, finished)


class _Batch:
    """Rows that go through the model together, less and less of them."""

    def __init__(
        self,
        model: "torch.nn.Module",
        contexts: Sequence[Sequence[int]],
        uniforms: FloatArray,  # (b, m)
        end_of_text: Collection[int],
    ) -> None:
        import torch

        self._model = model
        self._device = next(model.parameters()).device
        ids, real = padded(contexts, min(end_of_text))
        self._width = ids.shape[1]
        self._ids = torch.from_numpy(ids).to(self._device)
        self._uniforms = torch.from_numpy(uniforms).to(self._device)
        self._stops = torch.tensor(sorted(end_of_text), device=self._device)
        self._real = None if real.all() else self._with_room(real)
        lengths = [len(context) for context in contexts]
        self._lengths = torch.tensor(lengths, device=self._device)[:, None]
        self._cache = make_cache(self._width + uniforms.shape[1])
        self._accepted = inspect.signature(model.forward).parameters

    def _with_room(self, real: npt.NDArray[np.bool_]) -> "torch.Tensor":  # (b, w + m)
        import torch

        room = torch.ones((len(real), self._uniforms.shape[1]), dtype=torch.bool)
        return torch.cat([torch.from_numpy(real), room], dim=1).to(self._device)

    def draw(self, generation: Generation) -> npt.NDArray[np.int64]:  # (b, m)
        """New tokens of every row; those behind its first end of text mean nothing."""
        import torch

        (num_rows, num_new), fill = self._uniforms.shape, int(self._stops[0])
        drawn = torch.full((num_rows, num_new), fill, device=self._device)
        rows = torch.arange(num_rows, device=self._device)  # place in the batch -> row of `drawn`
        ended = torch.zeros(num_rows, dtype=torch.bool, device=self._device)
        broken = torch.zeros((), dtype=torch.bool, device=self._device)
        look_every = STEPS_PER_LOOK[self._device.type]
        logits = self._first_logits()
        for step in range(num_new):
            broken |= ~logits.amax(dim=1).isfinite().all()
            tokens = draw_tokens(
                logits,
                self._uniforms[rows, step],
                temperature=generation.temperature,
                top_p=generation.top_p,
            )
            drawn[rows, step] = tokens
            ended |= torch.isin(tokens, self._stops)
            if step + 1 == num_new:
                break
            if (step + 1) % look_every == 0:
                _check_finite(broken)
                alive = (~ended).tolist()
                if not any(alive):
                    break
                if len(alive) - sum(alive) >= ENDED_SHARE * len(alive):
                    rows, tokens = self._keep(alive, rows, tokens)
                    ended = torch.zeros_like(rows, dtype=torch.bool)
            logits = self._next_logits(tokens, step)
        _check_finite(broken)
        return drawn.cpu().numpy()

    def _keep(
        self, alive: list[bool], rows: "torch.Tensor", tokens: "torch.Tensor"
    ) -> "tuple[torch.Tensor, torch.Tensor]":
        """Drop all rows but those alive, whose order changes."""
        import torch

        sources, targets = rows_to_move(alive)
        order = list(range(sum(alive)))
        for source, target in zip(sources, targets, strict=True):
            order[target] = source
        kept = torch.tensor(order, device=self._device)
        self._cache.move_rows(sources, targets, len(order))
        self._lengths = self._lengths[kept]
        if self._real is not None:
            self._real = self._real[kept]
        return rows[kept], tokens[kept]

    def _first_logits(self) -> "torch.Tensor":  # (b, V)
        import torch

        # Filling, left of a text, has no position: any that exists will do.
        places = torch.arange(self._width, device=self._device) - self._width
        return self._logits(self._ids, (places + self._lengths).clamp(min=0))

    def _next_logits(self, tokens: "torch.Tensor", step: int) -> "torch.Tensor":  # (b, V)
        return self._logits(tokens[:, None], self._lengths + step)

    def _logits(self, ids: "torch.Tensor", positions: "torch.Tensor") -> "torch.Tensor":  # (b, V)
        seen = self._cache.get_seq_length() + ids.shape[1]
        wanted: dict[str, Any] = {
            "attention_mask": None if self._real is None else self._real[:, :seen],
            "position_ids": positions,
            "logits_to_keep": 1,
        }
        accepted = {name: value for name, value in wanted.items() if name in self._accepted}
        output = self._model(
            input_ids=ids, past_key_values=self._cache, use_cache=True, return_dict=True, **accepted
        )
        logits: torch.Tensor = output.logits[:, -1]
        return logits


def _check_attention(model: "torch.nn.Module") -> None:
    accepted = inspect.signature(model.forward).parameters
    if "past_key_values" not in accepted or getattr(model, "_is_stateful", False):
        raise ConfigError(
            f"{USER}: expected a model that remembers keys and values for engine 'own', got "
            f"{type(model).__name__}; set generator.generation.engine=transformers"
        )


def diverged() -> BadNumbers:
    """What is wrong with a model whose logits are not finite, and what to do."""
    return BadNumbers(
        f"{USER}: expected finite logits, got others; the model has diverged: lower "
        "generator.refit.learning_rate"
    )


def _check_finite(broken: "torch.Tensor") -> None:
    if bool(broken):
        raise diverged()
