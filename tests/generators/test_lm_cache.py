"""The preallocated cache as transformers sees it."""

from collections.abc import Sequence

import numpy as np
import pytest
import torch

from generators.lm_cache import make_cache, rows_to_move
from tests.generators.language_models import ARCHITECTURES, tiny_model


@ARCHITECTURES
def test_token_by_token_gives_the_logits_of_the_whole_text(model_type: str) -> None:
    model = tiny_model(model_type, dtype=torch.float64)
    ids = torch.randint(40, (3, 9), generator=torch.Generator().manual_seed(0))
    cache = make_cache(9)
    with torch.inference_mode():
        whole = model(ids).logits
        parts = [model(ids[:, :4], past_key_values=cache, use_cache=True).logits]
        for place in range(4, 9):
            one = ids[:, place : place + 1]
            parts.append(model(one, past_key_values=cache, use_cache=True).logits)
    torch.testing.assert_close(torch.cat(parts, dim=1), whole, atol=1e-10, rtol=0)
    assert cache.get_seq_length() == 9


def test_new_tokens_are_written_in_place_and_seen_without_a_copy() -> None:
    cache = make_cache(5)
    first = torch.arange(2 * 3 * 2 * 4.0).view(2, 3, 2, 4)
    keys, values = cache.update(first, -first, 0)
    more_keys, more_values = cache.update(first[:, :, :1] + 100, -first[:, :, :1], 0)
    assert more_keys.shape == (2, 3, 3, 4)
    assert more_keys.data_ptr() == keys.data_ptr()
    assert more_values.data_ptr() == values.data_ptr()
    assert torch.equal(more_keys[:, :, :2], first)
    assert torch.equal(more_keys[:, :, 2:], first[:, :, :1] + 100)
    assert cache.get_mask_sizes(1, 0) == (4, 0)
    assert cache.get_max_length() == 5


@pytest.mark.parametrize(
    ("alive", "moves"),
    [
        ([True, True, True], ([], [])),
        ([False, True, True], ([2], [0])),
        ([False, False, False, True], ([3], [0])),
        ([True, False, False, True, True], ([3, 4], [1, 2])),
        ([False, False], ([], [])),
    ],
)
def test_rows_alive_come_first_by_the_fewest_moves(
    alive: Sequence[bool], moves: tuple[list[int], list[int]]
) -> None:
    assert rows_to_move(alive) == moves


def test_moved_rows_go_on_as_they_were() -> None:
    cache = make_cache(4)
    states = torch.arange(5.0)[:, None, None, None].expand(5, 2, 3, 1)
    for layer in range(2):
        cache.update(states, states, layer)
    alive = [False, True, False, True, True]
    cache.move_rows(*rows_to_move(alive), sum(alive))
    new = torch.full((3, 2, 1, 1), 9.0)
    for layer in range(2):
        keys, values = cache.update(new, new, layer)
        kept = keys[:, 0, :3, 0].numpy()
        assert np.array_equal(kept, np.array([[3.0] * 3, [1.0] * 3, [4.0] * 3]))
        assert torch.equal(keys, values)
