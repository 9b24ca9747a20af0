import pytest
import torch

from tasks.gpus import gpu_environment, gpus_of


@pytest.mark.parametrize(
    ("number", "visible", "width", "seen"),
    [
        (1, None, 1, ["0", "0", "0"]),
        (2, None, 1, ["0", "1", "0"]),
        (2, "3, 5", 1, ["3", "5", "3"]),
        (1, "MIG-1234", 1, ["MIG-1234"] * 3),
        (4, None, 2, ["0,1", "2,3", "0,1"]),
        (2, None, 4, ["0,1", "0,1", "0,1"]),
    ],
)
def test_workers_share_the_gpus_this_process_sees(
    number: int, visible: str | None, width: int, seen: list[str]
) -> None:
    assert [gpus_of(worker, number, visible, width=width) for worker in range(3)] == seen


def test_a_worker_is_told_its_gpus_where_there_are_any(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,7")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert gpu_environment(1) == {"CUDA_VISIBLE_DEVICES": "7"}
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    assert gpu_environment(1) == {}
