"""Temperature and nucleus, against transformers' own processors and a loop over tokens."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from transformers import TemperatureLogitsWarper, TopPLogitsWarper

from generators.nucleus import draw_tokens, nucleus_probabilities

CASES = pytest.mark.parametrize(
    ("temperature", "top_p"), [(0.8, 0.95), (1.0, 0.5), (1.3, 0.999), (0.3, 0.01), (1.0, 1.0)]
)


def some_logits(rows: int, tokens: int, *, spread: float = 3.0, seed: int = 0) -> torch.Tensor:
    return spread * torch.randn((rows, tokens), generator=torch.Generator().manual_seed(seed))


def uniforms_of(rows: int, *, seed: int = 0) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).random(rows))


def by_transformers(logits: torch.Tensor, temperature: float, top_p: float) -> torch.Tensor:
    ids: Any = torch.zeros((len(logits), 1), dtype=torch.int64)
    scores = TemperatureLogitsWarper(temperature)(ids, logits) if temperature != 1 else logits
    if top_p < 1:  # generate leaves it out otherwise
        scores = TopPLogitsWarper(top_p)(ids, scores)
    return scores.double().softmax(1)


def by_loop(logits: Sequence[float], uniform: float, temperature: float, top_p: float) -> int:
    scaled = np.array(logits) / temperature
    masses = np.exp(scaled - scaled.max())
    masses /= masses.sum()
    order = sorted(range(len(masses)), key=lambda token: (-masses[token], token))
    kept: list[int] = []
    while sum(masses[token] for token in kept) < top_p and len(kept) < len(order):
        kept.append(order[len(kept)])
    target, passed = uniform * sum(masses[token] for token in kept), 0.0
    for token in kept:
        passed += masses[token]
        if target < passed:
            return token
    return kept[-1]


@CASES
def test_one_step_has_the_distribution_of_transformers(temperature: float, top_p: float) -> None:
    logits = some_logits(20, 3000)
    found = nucleus_probabilities(logits, temperature=temperature, top_p=top_p)
    expected = by_transformers(logits, temperature, top_p)
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)


def test_draws_equal_a_loop_over_tokens() -> None:
    logits, uniforms = some_logits(200, 30).double(), uniforms_of(200)
    drawn = draw_tokens(logits, uniforms, temperature=0.8, top_p=0.9, num_likely=(12,))
    expected = [
        by_loop(row, uniform, 0.8, 0.9)
        for row, uniform in zip(logits.tolist(), uniforms.tolist(), strict=True)
    ]
    assert drawn.tolist() == expected


@CASES
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("num_likely", [(1,), (7, 50), (300,)])
def test_the_likeliest_tokens_first_give_what_a_full_sort_gives(
    temperature: float, top_p: float, dtype: torch.dtype, num_likely: tuple[int, ...]
) -> None:
    # bfloat16 has many equal logits; some rows are so flat that few tokens are not enough.
    peaked, flat = some_logits(150, 1000), some_logits(150, 1000, spread=0.1, seed=1)
    logits, uniforms = torch.cat([peaked, flat]).to(dtype), uniforms_of(300)
    settings: dict[str, Any] = {"temperature": temperature, "top_p": top_p}
    quick = draw_tokens(logits, uniforms, num_likely=num_likely, **settings)
    assert torch.equal(quick, draw_tokens(logits, uniforms, num_likely=(), **settings))


def test_draws_have_the_probabilities_of_the_nucleus() -> None:
    logits = some_logits(1, 50).expand(40_000, 50)
    drawn = draw_tokens(logits, uniforms_of(40_000), temperature=0.8, top_p=0.9, num_likely=(20,))
    expected = nucleus_probabilities(logits[:1], temperature=0.8, top_p=0.9)[0]
    shares = torch.bincount(drawn, minlength=50).double() / 40_000
    assert set(drawn.tolist()) <= set(expected.nonzero()[:, 0].tolist())
    # Four standard deviations of a share are at most 4 / (2 sqrt(40,000)) = 0.01.
    torch.testing.assert_close(shares, expected, atol=0.01, rtol=0)


def test_a_row_does_not_depend_on_the_rows_beside_it() -> None:
    logits, uniforms = some_logits(64, 500), uniforms_of(64)
    settings: dict[str, Any] = {"temperature": 0.8, "top_p": 0.95, "num_likely": (100,)}
    together = draw_tokens(logits, uniforms, **settings)
    alone = [draw_tokens(logits[i : i + 1], uniforms[i : i + 1], **settings) for i in range(64)]
    assert torch.equal(together, torch.cat(alone))


@pytest.mark.parametrize("uniform", [0.0, 1 - 2**-53])
def test_the_ends_of_the_unit_interval_draw_tokens_of_the_nucleus(uniform: float) -> None:
    logits = torch.tensor([[0.0, 2.0, 1.0, -1.0]])
    ends = torch.tensor([uniform], dtype=torch.float64)
    for top_p, last in ((0.5, 1), (0.8, 2), (1.0, 3)):
        drawn = draw_tokens(logits, ends, temperature=1.0, top_p=top_p)
        first = 0 if top_p == 1 else 1
        assert drawn.tolist() == [first if uniform == 0 else last]
