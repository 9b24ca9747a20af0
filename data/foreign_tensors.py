"""Files of tensors that others saved, read without executing anything in them."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.errors import EnvironmentProblem

if TYPE_CHECKING:
    import torch

SHOWN = 200


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
