"""The own engine: rows that do not depend on their batch, ends, limits."""

import functools
import math
from typing import Any

import numpy as np
import pytest
import torch

from data.errors import BadNumbers, ConfigError, StageFailed
from generators.causal_lm_config import Generation, ScratchModel
from generators.lm_generation import (
    Completions,
    cut_at_end,
    draw_texts,
    in_batches,
    padded,
    row_uniforms,
)
from generators.lm_model import model_with, random_weights, scratch_facts
from generators.nucleus import nucleus_probabilities
from tests.generators.language_models import (
    ARCHITECTURES,
    END,
    contexts_of_many_lengths,
    tiny_model,
)


def drawn(
    model: torch.nn.Module, contexts: list[list[int]], *, num_ends: int = 1, **settings: Any
) -> Completions:
    """Texts under seed 0, which the first `num_ends` tokens end."""
    generation = Generation.model_validate({"max_new_tokens": 12, **settings})
    with torch.inference_mode():
        return draw_texts(model, contexts, generation, end_of_text=range(num_ends), seed=0)


def as_lists(texts: Completions) -> list[tuple[list[int], bool]]:
    return [
        (ids.tolist(), bool(end)) for ids, end in zip(texts.token_ids, texts.finished, strict=True)
    ]


def share_of_equal(first: Completions, second: Completions) -> float:
    pairs = zip(as_lists(first), as_lists(second), strict=True)
    return float(np.mean([one == other for one, other in pairs]))


class Recorded(torch.nn.Module):
    """A model whose last logits of every call are kept."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model
        self.seen: list[torch.Tensor] = []
        self.forward = self._recorded(model.forward)

    def _recorded(self, forward: Any) -> Any:
        @functools.wraps(forward)
        def recorded(*arguments: Any, **settings: Any) -> Any:
            output = forward(*arguments, **settings)
            self.seen.append(output.logits[:, -1])
            return output

        return recorded


@ARCHITECTURES
def test_batches_of_one_and_of_64_give_equal_texts_in_double_precision(model_type: str) -> None:
    model = tiny_model(model_type, dtype=torch.float64)
    contexts = contexts_of_many_lengths(70)
    together = drawn(model, contexts, num_ends=4, batch_size=64)
    assert share_of_equal(together, drawn(model, contexts, num_ends=4, batch_size=1)) == 1
    assert 0 < together.finished.mean() < 1
    assert len({len(ids) for ids in together.token_ids}) > 5


@pytest.mark.slow  # 500 texts one by one, for two architectures and precisions
@ARCHITECTURES
@pytest.mark.parametrize(("dtype", "least"), [(torch.float32, 0.99), (torch.float64, 1.0)])
def test_500_texts_are_equal_in_batches_of_one_and_of_64(
    model_type: str, dtype: torch.dtype, least: float
) -> None:
    model = tiny_model(model_type, num_tokens=400, dtype=dtype)
    contexts = contexts_of_many_lengths(500, num_tokens=400)
    ones, many = (
        drawn(model, contexts, num_ends=12, batch_size=size, max_new_tokens=32) for size in (1, 64)
    )
    assert share_of_equal(ones, many) >= least
    assert 0.1 < many.finished.mean() < 0.9


@ARCHITECTURES
def test_logits_of_padded_rows_are_those_of_rows_alone(model_type: str) -> None:
    contexts = contexts_of_many_lengths(64, num_tokens=400)
    # Nothing is left to chance, so that rows go on equally, and nothing ends: order is kept.
    sure = Generation(top_p=1e-9, max_new_tokens=8)

    def logits_of(rows: list[list[int]]) -> tuple[torch.Tensor, Completions]:
        model = Recorded(tiny_model(model_type, num_tokens=400))
        with torch.inference_mode():
            texts = draw_texts(model, rows, sure, end_of_text={399}, seed=0)
        return torch.stack(model.seen, dim=1), texts

    together, texts = logits_of(contexts)
    assert not texts.finished.any()
    order = in_batches(contexts, 64)[0]
    for place, row in enumerate(order[:: len(order) // 8]):
        alone, _ = logits_of([contexts[row]])
        found = together[place * (len(order) // 8)]
        torch.testing.assert_close(found, alone[0], atol=1e-4, rtol=0)


def test_the_first_token_has_the_probabilities_of_the_nucleus() -> None:
    model = tiny_model("gpt2")
    context = [3, 1, 4]
    texts = drawn(model, [context] * 3000, max_new_tokens=1, batch_size=3000, top_p=0.9)
    with torch.inference_mode():
        logits = model(torch.tensor([context])).logits[:, -1]
    expected = nucleus_probabilities(logits, temperature=0.8, top_p=0.9)[0]
    firsts = [int(ids[0]) if len(ids) else END for ids in texts.token_ids]
    shares = torch.bincount(torch.tensor(firsts), minlength=40).double() / 3000
    # Four standard deviations of a share are at most 2 / sqrt(3000).
    torch.testing.assert_close(shares, expected, atol=2 / math.sqrt(3000), rtol=0)


def test_random_numbers_of_a_row_depend_on_nothing_but_seed_and_row() -> None:
    many = row_uniforms(7, range(5), 20)
    assert np.array_equal(row_uniforms(7, [3, 1], 6), many[[3, 1], :6])
    assert not np.array_equal(row_uniforms(8, [3], 20)[0], many[3])
    assert len(np.unique(many)) == many.size
    assert row_uniforms(2**63 - 1, [2**31], 3).shape == (1, 3)


def test_longer_texts_begin_like_shorter_ones() -> None:
    model = tiny_model("gpt2", dtype=torch.float64)
    short = drawn(model, [[END]] * 20, max_new_tokens=5)
    long = drawn(model, [[END]] * 20, max_new_tokens=20)
    for one, other in zip(short.token_ids, long.token_ids, strict=True):
        assert other[: len(one)].tolist() == one.tolist()


def test_end_of_text_is_no_part_of_a_text_and_texts_cut_off_are_not_finished() -> None:
    texts = drawn(tiny_model("gpt2"), [[END]] * 60)
    assert texts.finished.any() and not texts.finished.all()
    for ids, finished in zip(texts.token_ids, texts.finished, strict=True):
        assert ids.dtype == np.int32
        assert END not in ids
        assert finished or len(ids) == 12


def test_any_of_several_tokens_may_end_a_text() -> None:
    tokens = np.array([[5, 2, 7, 2], [7, 2, 1, 1], [1, 1, 1, 1]])
    ids, finished = cut_at_end(tokens, {2, 7})
    assert [one.tolist() for one in ids] == [[5], [], [1, 1, 1, 1]]
    assert finished.tolist() == [True, True, False]


def test_contexts_end_together_and_batches_hold_like_lengths() -> None:
    ids, real = padded([[1], [2, 3, 4]], fill=9)
    assert ids.tolist() == [[9, 9, 1], [2, 3, 4]]
    assert real.tolist() == [[False, False, True], [True, True, True]]
    assert in_batches([[1, 1], [1], [1, 1], [1]], 3) == [[1, 3, 0], [2]]


def test_no_contexts_give_no_texts() -> None:
    texts = drawn(tiny_model("gpt2"), [])
    assert (texts.token_ids, len(texts.finished)) == ([], 0)


def test_logits_that_are_not_finite_are_refused() -> None:
    model = tiny_model("gpt2")
    with torch.no_grad():
        next(model.parameters()).fill_(torch.nan)
    with pytest.raises(BadNumbers, match="expected finite logits, got others; the model has"):
        drawn(model, [[1]])


def test_a_lack_of_memory_names_the_batch_size() -> None:
    class Huge(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(1))

        def forward(self, input_ids: torch.Tensor, past_key_values: Any, **_: Any) -> Any:
            return torch.empty(2**60)

    with pytest.raises(StageFailed, match=r"with a lower generator\.generation\.batch_size"):
        drawn(Huge(), [[1]])


def test_a_model_that_does_not_remember_keys_and_values_is_refused() -> None:
    class Recurrent(torch.nn.Module):
        def forward(self, input_ids: torch.Tensor, cache_params: Any = None) -> Any: ...

    with pytest.raises(ConfigError, match="got Recurrent; set generator.generation.engine=trans"):
        drawn(Recurrent(), [[1]])


def test_sliding_windows_are_kept() -> None:
    settings = {
        "num_hidden_layers": 2, "hidden_size": 16, "intermediate_size": 32,
        "num_attention_heads": 2, "num_key_value_heads": 2, "max_position_embeddings": 64,
        "sliding_window": 4, "initializer_range": 0.5,
    }  # fmt: skip
    scratch = ScratchModel(model_type="mistral", settings=settings)
    facts = scratch_facts(scratch, num_tokens=40, end_of_text=END)
    model = model_with(facts, random_weights(facts, seed=0), dtype=torch.float64, device="cpu")
    contexts = contexts_of_many_lengths(9)
    texts = drawn(model, contexts, top_p=1e-9)
    for context, ids in zip(contexts, texts.token_ids, strict=True):
        whole = torch.tensor([[*context, *ids.tolist()]])
        with torch.inference_mode():
            likeliest = model(whole).logits[0, len(context) - 1 : -1].argmax(dim=1)
        assert likeliest[: len(ids)].tolist() == ids.tolist()
