"""Keys and values of all tokens so far, in memory that is taken once.

transformers' growing cache copies everything at every token, its static one lets attention run
over all places that may ever be filled. Here new tokens are written in place and attention gets
views of what is filled. b rows, h heads, c places, d values a head.
"""

from collections.abc import Sequence
from functools import cache as cached
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    pass


def make_cache(capacity: int) -> Any:
    """An empty cache, of transformers' interface, for at most `capacity` tokens a row.

    Beside that interface it has `move_rows`.
    """
    return _cache_class()(capacity)


@cached
def _cache_class() -> Any:
    """The class of the cache; a function, since transformers is imported late."""
    import torch
    from transformers.cache_utils import Cache, CacheLayerMixin

    layer_interface: Any = CacheLayerMixin  # has no types
    cache_interface: Any = Cache

    class PreallocatedLayer(layer_interface):  # type: ignore[misc]
        is_sliding = False

        def __init__(self, capacity: int) -> None:
            super().__init__()
            self.capacity = capacity
            self.num_rows = 0
            self.num_filled = 0

        def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
            self.num_rows = key_states.shape[0]
            self._all_keys = self._room_for(key_states)
            self._all_values = self._room_for(value_states)
            self.is_initialized = True

        def _room_for(self, states: torch.Tensor) -> torch.Tensor:  # (b, h, c, d)
            rows, heads, _, width = states.shape
            return states.new_empty((rows, heads, self.capacity, width))

        def update(
            self,
            key_states: torch.Tensor,  # (b, h, new, d)
            value_states: torch.Tensor,  # (b, h, new, d)
            *_args: Any,
            **_kwargs: Any,
        ) -> tuple[torch.Tensor, torch.Tensor]:  # (b, h, filled, d), twice
            if not self.is_initialized:
                self.lazy_initialization(key_states, value_states)
            begin, end = self.num_filled, self.num_filled + key_states.shape[2]
            assert end <= self.capacity and key_states.shape[0] == self.num_rows
            self._all_keys[: self.num_rows, :, begin:end] = key_states
            self._all_values[: self.num_rows, :, begin:end] = value_states
            self.num_filled = end
            self.keys = self._all_keys[: self.num_rows, :, :end]
            self.values = self._all_values[: self.num_rows, :, :end]
            return self.keys, self.values

        def move_rows(self, sources: torch.Tensor, targets: torch.Tensor, num_rows: int) -> None:
            for states in (self._all_keys, self._all_values):
                filled = states[:, :, : self.num_filled]
                filled[targets] = filled[sources]
            self.num_rows = num_rows

        def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
            return self.num_filled + query_length, 0

        def get_seq_length(self) -> int:
            return self.num_filled

        def get_max_length(self) -> int:
            return self.capacity

    class PreallocatedCache(cache_interface):  # type: ignore[misc]
        def __init__(self, capacity: int) -> None:
            super().__init__(layers=[])
            self._capacity = capacity

        def update(
            self,
            key_states: torch.Tensor,
            value_states: torch.Tensor,
            layer_idx: int,
            *args: Any,
            **kwargs: Any,
        ) -> tuple[torch.Tensor, torch.Tensor]:
            while len(self.layers) <= layer_idx:
                self.layers.append(PreallocatedLayer(self._capacity))
            whole: tuple[torch.Tensor, torch.Tensor] = super().update(
                key_states, value_states, layer_idx, *args, **kwargs
            )
            return whole

        def move_rows(self, sources: Sequence[int], targets: Sequence[int], num_rows: int) -> None:
            """Copy rows `sources` over rows `targets`, then keep the first `num_rows` alone."""
            device = self.layers[0].keys.device
            source_rows = torch.tensor(sources, dtype=torch.int64, device=device)
            target_rows = torch.tensor(targets, dtype=torch.int64, device=device)
            for layer in self.layers:
                layer.move_rows(source_rows, target_rows, num_rows)

    return PreallocatedCache


def rows_to_move(alive: Sequence[bool]) -> tuple[list[int], list[int]]:
    """Which rows have to go where so that all rows alive come first; as few as possible."""
    number = sum(alive)
    sources = [row for row in range(number, len(alive)) if alive[row]]
    targets = [row for row in range(number) if not alive[row]]
    return sources, targets
