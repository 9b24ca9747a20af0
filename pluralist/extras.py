"""Checks of what images and texts need beside the plain package: packages and GPUs."""

import shutil
import warnings
from pathlib import Path

from data.errors import EnvironmentProblem
from data.installation import INSTALL, install
from data.numerics import NOT_INSTALLED, library_version
from data.torch_session import check_torch
from pluralist.finding import FAILED, GOOD, WARNING, Finding

# What the packages are for, and the extras with them.
NEEDED_FOR = {
    "torch": ("domains cifar10, gpt2 and qwen", ("images", "text")),
    "torchcfm": ("domain cifar10", ("images",)),
    "torchvision": ("learned rewards of images, CIFAR-10 from torchvision", ("images",)),
    "transformers": ("domains gpt2 and qwen, learned rewards", ("images", "text")),
    "torch-fidelity": ("FID", ("images",)),
    "tokenizers": ("domains gpt2 and qwen", ("text",)),
    "peft": ("adapters of language models", ("lora",)),
}
DRIVER = Path("/proc/driver/nvidia/version")


def packages() -> list[Finding]:
    """Version of each package of the extras, read without importing it."""
    return [_package(name, use, extras) for name, (use, extras) in NEEDED_FOR.items()]


def cuda_devices() -> list[Finding]:
    """GPUs that torch can use.

    Importing torch takes seconds, so it is asked only where there is a driver to be found.
    """
    torch_version = library_version("torch")
    if torch_version == NOT_INSTALLED:
        return [Finding(GOOD, "CUDA", "not asked for: torch is not installed")]
    if not has_driver():
        return [Finding(GOOD, "CUDA", "no NVIDIA driver, so runtime.device=cpu only")]
    try:
        check_torch()
    except EnvironmentProblem as error:
        return [Finding(FAILED, "CUDA", str(error), INSTALL)]
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a driver that is too old is said below
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if not count:
        found = f"an NVIDIA driver, but no device for torch {torch_version}"
        advice = "check nvidia-smi, CUDA_VISIBLE_DEVICES, and that torch is a CUDA build"
        return [Finding(WARNING, "CUDA", found, advice)]
    facts = (torch.cuda.get_device_properties(index) for index in range(count))
    return [
        Finding(GOOD, f"CUDA {index}", f"{one.name}, {one.total_memory / 1e9:.1f} GB")
        for index, one in enumerate(facts)
    ]


def has_driver() -> bool:
    """Whether an NVIDIA driver shows itself on this machine."""
    return DRIVER.exists() or shutil.which("nvidia-smi") is not None


def _package(name: str, use: str, extras: tuple[str, ...]) -> Finding:
    version = library_version(name)
    if version == NOT_INSTALLED:
        return Finding(GOOD, name, f"{version}: needed for {use}", install(*extras))
    return Finding(GOOD, name, version)
