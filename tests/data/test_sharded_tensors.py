"""Tensors split over processes; one process stands for all, with a backend that sends nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch

from data.sharded_tensors import is_sharded, split_like, whole, whole_on_cpu


@contextmanager
def process(rank: int, number: int) -> Iterator[Any]:
    """Be one of several processes inside; gives the mesh of all of them."""
    from torch._C._distributed_c10d import HashStore
    from torch.distributed import destroy_process_group, init_process_group
    from torch.distributed.device_mesh import init_device_mesh
    from torch.testing._internal.distributed.fake_pg import FakeStore

    alone = number == 1
    store = HashStore() if alone else FakeStore()
    backend = "gloo" if alone else "fake"
    init_process_group(backend, store=store, rank=rank, world_size=number)
    try:
        yield init_device_mesh("cpu", (number,))
    finally:
        destroy_process_group()


def split(tensor: torch.Tensor, mesh: Any) -> Any:
    from torch.distributed.tensor import Shard, distribute_tensor

    return distribute_tensor(tensor, mesh, [Shard(0)], src_data_rank=None)


@pytest.mark.parametrize(("rank", "rows"), [(0, [0, 1, 2]), (1, [3, 4])])
def test_each_process_gets_its_rows(rank: int, rows: list[int]) -> None:
    full = torch.arange(10.0).view(5, 2)
    with process(rank, 2) as mesh:
        like = split(torch.zeros(5, 2), mesh)
        part: Any = split_like(full, like)
        assert is_sharded(part) and not is_sharded(full)
        assert torch.equal(part.to_local(), full[rows])


def test_a_split_tensor_is_put_together_where_it_is_kept() -> None:
    full = torch.arange(10.0).view(5, 2)
    with process(0, 1) as mesh:
        part = split(full, mesh)
        assert is_sharded(part) and not is_sharded(whole(part))
        assert torch.equal(whole(part), full)
        assert torch.equal(whole_on_cpu({"a": part})["a"], full)
        assert whole_on_cpu({"a": part}, keep=False) == {}


def test_whole_tensors_pass_through() -> None:
    tensor = torch.ones(3, requires_grad=True)
    assert whole(tensor) is tensor and split_like(tensor, torch.zeros(3)) is tensor
    kept = whole_on_cpu({"a": tensor})["a"]
    assert kept.data_ptr() == tensor.data_ptr() and not kept.requires_grad
