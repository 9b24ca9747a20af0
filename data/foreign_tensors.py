"""Files of tensors that others saved, read without executing anything in them."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.errors import EnvironmentProblem
from data.files import digest_file

if TYPE_CHECKING:
    import torch

SHOWN = 200
NAMES_SHOWN = 5
Shapes = Mapping[str, tuple[int, ...]]


def check_file(path: Path, sha256: str, user: str, fetch: str) -> None:
    """Raise `EnvironmentProblem`, led by `user`, for a missing file or another digest.

    `fetch` says where the file is published.
    """
    if not path.is_file():
        raise EnvironmentProblem(f"{user}: expected a file at {path}, got none; {fetch}")
    found = digest_file(path).sha256
    if found != sha256:
        raise EnvironmentProblem(
            f"{user}: expected SHA-256 {sha256} of {path}, got {found}; fetch the file again, or "
            "correct the configured SHA-256 if this file is meant"
        )


def mismatch(found: Shapes, wanted: Shapes) -> str:
    """How names and shapes of tensors differ from the wanted ones, in words; empty if nowhere."""
    differences = {
        "missing": sorted(wanted.keys() - found.keys()),
        "unexpected": sorted(found.keys() - wanted.keys()),
        "of another shape": [
            f"{name} {found[name]} for {wanted[name]}"
            for name in sorted(wanted.keys() & found.keys())
            if found[name] != wanted[name]
        ],
    }
    return "; ".join(f"{what}: {_first(those)}" for what, those in differences.items() if those)


def _first(names: list[str]) -> str:
    more = len(names) - NAMES_SHOWN
    return ", ".join(names[:NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")


def read_foreign(path: Path, user: str, advice: str) -> Any:
    """Tensors and plain values that `torch.save` wrote into `path`, on the CPU.

    Raises `EnvironmentProblem`, led by `user` and ending with `advice`, for any other file.
    """
    import torch

    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except MemoryError:
        raise
    except Exception as error:
        # Bytes of anything else, such as a web page saved in place of the file, fail anywhere.
        reason = " ".join(str(error).split())[:SHOWN] or type(error).__name__
        raise EnvironmentProblem(
            f"{user}: expected tensors and plain values in {path}, got a file that torch refuses "
            f"to read safely ({reason}); {advice}"
        ) from error


def read_tensors(path: Path, user: str, advice: str) -> dict[str, "torch.Tensor"]:
    """A state dict in `path`; raises as `read_foreign`, also where the file holds another value."""
    return tensors_of(read_foreign(path, user, advice), path, user, advice)


def tensors_of(content: Any, path: Path, user: str, advice: str) -> dict[str, "torch.Tensor"]:
    """`content` of `path` if it is a state dict; raises `EnvironmentProblem` if it is not."""
    import torch

    if not isinstance(content, dict) or not all(
        isinstance(value, torch.Tensor) for value in content.values()
    ):
        raise EnvironmentProblem(
            f"{user}: expected a state dict of tensors in {path}, got {type(content).__name__}; "
            f"{advice}"
        )
    return {str(name): value for name, value in content.items()}
