"""transformers' models from the files of a folder, complete or not at all."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.errors import EnvironmentProblem
from data.torch_session import lacks_memory

if TYPE_CHECKING:
    import torch


def load_pretrained(
    model_class: Any, folder: Path, *, dtype: "torch.dtype", device: str, noun: str
) -> Any:
    """A model of that class in `dtype`, ready to be evaluated; what else the files hold is left.

    Raises `EnvironmentProblem` for weights that are missing, which would else be random, or
    that have another shape than config.json says; `noun` says there what the model is. A lack of
    memory stays what it is.
    """
    from safetensors import SafetensorError
    from transformers import utils

    logging: Any = utils.logging  # its functions have no types
    progress, level = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()
    # Its report of weights left over is no news: a reward model's own heads are among them.
    logging.set_verbosity_error()
    try:
        loaded: Any = model_class.from_pretrained(
            folder, dtype=dtype, local_files_only=True, output_loading_info=True
        )
    except (RuntimeError, ValueError, SafetensorError) as error:
        if lacks_memory(error):
            raise
        raise _not_this(folder, noun, str(error)) from error
    finally:
        logging.set_verbosity(level)
        if progress:
            logging.enable_progress_bar()
    model, report = loaded
    if missing := sorted(report["missing_keys"]):
        raise _not_this(folder, noun, f"no {missing[0]} ({len(missing)} missing)")
    return model.eval().to(device)


def _not_this(folder: Path, noun: str, got: str) -> EnvironmentProblem:
    return EnvironmentProblem(
        f"{folder}: expected the weights of the {noun} that its config.json describes, got "
        f"{got}; fetch the published files again"
    )
