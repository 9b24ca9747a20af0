"""torch's process-wide switches during a stage, and put back after it."""

import re
import sys

import pytest

from data.compute import ONE_CPU_THREAD, Compute, compute, computing
from data.errors import EnvironmentProblem, StageFailed
from data.installation import INSTALL
from data.torch_session import check_device, check_torch, torch_session


def switches() -> tuple[object, ...]:
    import torch

    return (
        torch.get_num_threads(),
        torch.are_deterministic_algorithms_enabled(),
        torch.get_float32_matmul_precision(),
        compute(),
    )


def test_a_session_sets_threads_determinism_and_precision() -> None:
    import torch

    torch.set_float32_matmul_precision("high")
    try:
        before = switches()
        with torch_session(Compute("cpu", threads=2, deterministic=True)):
            assert switches() == (2, True, "highest", Compute("cpu", 2, deterministic=True))
        assert switches() == before
    finally:
        torch.set_float32_matmul_precision("highest")


def test_what_a_session_changed_is_put_back_after_an_error() -> None:
    before = switches()

    def fail() -> None:
        with torch_session(Compute("cpu", threads=3, deterministic=True)):
            raise RuntimeError("in the stage")

    with pytest.raises(RuntimeError, match="in the stage"):
        fail()
    assert switches() == before


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ("CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0", "CUDA out of memory"),
        (
            "[enforce fail at alloc_cpu.cpp:1] DefaultCPUAllocator: can't allocate memory: you "
            "tried to allocate 9 bytes. Error code 12",
            "can't allocate memory: you tried to allocate 9 bytes",
        ),
        ("CUDA error: out of memory\nCompile with TORCH_USE_CUDA_DSA", "CUDA error: out of memory"),
        (
            "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
            "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
        ),
        (None, "no memory left"),
    ],
    ids=["GPU", "CPU", "CUDA", "cuBLAS", "Python"],
)
def test_a_device_that_is_full_is_worth_another_try(error: str | None, reason: str) -> None:
    import torch

    before = switches()

    def fill() -> None:
        with torch_session(Compute()):
            if error is None:
                raise MemoryError
            raise (torch.OutOfMemoryError if error.startswith("CUDA out") else RuntimeError)(error)

    settings = r"generator.sampler.batch_size .* runtime.batch_size"
    text = rf"did not \({re.escape(reason)}\); free .* {settings}"
    with pytest.raises(StageFailed, match=text) as caught:
        fill()
    assert caught.value.exit_code == 3
    assert switches() == before


def test_a_session_may_do_without_determinism() -> None:
    import torch

    with torch_session(Compute(deterministic=False)):
        assert not torch.are_deterministic_algorithms_enabled()


def test_a_gpu_that_is_not_there_is_an_error_and_changes_nothing() -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    before = switches()
    text = "expected a CUDA device for 'cuda', torch .* finds none; .* set runtime.device=cpu"
    with pytest.raises(EnvironmentProblem, match=text), torch_session(Compute("cuda")):
        pass
    assert switches() == before
    assert check_device("cpu") == "cpu"


def test_outside_any_stage_it_is_one_thread_of_the_processor() -> None:
    assert compute() == ONE_CPU_THREAD == Compute("cpu", 1, deterministic=True)
    with computing(Compute("cuda", 4)):
        assert (compute().device, compute().threads) == ("cuda", 4)
        with computing(Compute("cpu", 2)):
            assert compute().threads == 2
        assert compute().threads == 4
    assert compute() == ONE_CPU_THREAD


def test_a_torch_that_cannot_be_imported_is_named_with_the_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    for ask in (check_torch, lambda: check_device("cuda"), _compute):
        with pytest.raises(EnvironmentProblem, match="torch: expected it to be importable") as one:
            ask()
        assert str(one.value).endswith(f"run `{INSTALL}`")


def _compute() -> None:
    with torch_session(Compute()):
        raise AssertionError("computed without torch")
