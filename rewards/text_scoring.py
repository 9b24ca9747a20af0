"""What learned text rewards share: settings, batches of like lengths, precision.

n texts of a table, b of them in a batch, L tokens of the longest in it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from data.compute import compute
from data.configuration import setting
from data.errors import ConfigError, StageFailed
from data.texts import PROMPT, prompts_of, texts_of
from data.torch_session import lacks_memory
from rewards.registry import RewardConfig
from rewards.row_names import row_name

if TYPE_CHECKING:
    import torch

FloatArray = npt.NDArray[np.float64]
Encoded = Mapping[str, Sequence[int]]
Batch = Mapping[str, "torch.Tensor"]

LIBRARIES = ("torch", "transformers", "tokenizers")
INPUT_IDS, ATTENTION = "input_ids", "attention_mask"


class LearnedTextConfig(RewardConfig):
    """What every learned text reward can be given."""

    gamma: float = setting(1.0, "strength; multiplies the model's score", "O", gt=0)
    batch_size: int = setting(16, "texts the model sees at once", "O", ge=1)
    precision: Literal["auto", "fp32", "bf16", "fp64"] = setting(
        "auto", "auto: fp32 on a CPU, bf16 on a GPU that computes it", "O"
    )


@dataclass(frozen=True)
class TextModel:
    """A loaded model: how it reads a text and its prompt, and how it scores a batch.

    `encode` gives `input_ids` and what goes with them, equally long. `score` gets these padded
    on the right with `padding` (others with 0) and an `attention_mask`. Without a `padding` every
    text is scored alone. More than `max_tokens` are refused.
    """

    encode: Callable[[str | None, str], Encoded]
    score: Callable[[Batch], "torch.Tensor"]  # (b, L) each -> (b,)
    max_tokens: int
    padding: int | None = 0


class BatchedTextScorer:
    """Scores of texts by a model that is loaded at the first call.

    `load(device)` gives the model; `user` starts every message. Texts without a prompt column are
    refused where `needs_prompts`.
    """

    def __init__(
        self,
        user: str,
        batch_size: int,
        load: Callable[[str], TextModel],
        *,
        needs_prompts: bool = True,
    ) -> None:
        self._user = user
        self._batch_size = batch_size
        self._load = load
        self._needs_prompts = needs_prompts
        self._loaded: tuple[str, TextModel] | None = None

    def __call__(
        self,
        samples: pa.Table,  # n rows
    ) -> FloatArray:  # (n,)
        """Score of each text on the present device.

        Texts of like length share a batch, so that little is padded. Raises `ConfigError` for a
        table without texts or prompts and for a text of more tokens than the model reads,
        `StageFailed` where a batch does not fit into memory.
        """
        texts = texts_of(samples, self._user)
        known = self._needs_prompts or PROMPT in samples.column_names
        prompts = prompts_of(samples, self._user) if known else [None] * len(texts)
        scores = np.empty(len(texts))
        if not texts:
            return scores
        import torch

        model = self._model()
        encoded = [model.encode(prompt, text) for prompt, text in zip(prompts, texts, strict=True)]
        lengths = np.array([len(one[INPUT_IDS]) for one in encoded])
        self._check_lengths(samples, lengths, model.max_tokens)
        # Equal lengths keep the order of the table: the same table has the same batches.
        order = np.argsort(-lengths, kind="stable")
        size = 1 if model.padding is None else self._batch_size
        with torch.inference_mode():
            for start in range(0, len(order), size):
                rows = order[start : start + size]
                batch = padded([encoded[row] for row in rows], model.padding or 0, compute().device)
                scores[rows] = self._scored(model, batch)
        return scores

    def _scored(self, model: TextModel, batch: Batch) -> FloatArray:  # (b,)
        try:
            found: FloatArray = model.score(batch).double().cpu().numpy()
        except (MemoryError, RuntimeError) as error:
            if not lacks_memory(error):
                raise
            size, length = batch[INPUT_IDS].shape
            raise StageFailed(
                f"{self._user}: expected {size} texts of {length} tokens to fit into the memory of "
                f"{compute().device}, they did not; free memory that others use and resume, or "
                "fork with a lower batch_size of this reward"
            ) from error
        return found

    def _check_lengths(
        self,
        samples: pa.Table,  # n rows
        lengths: npt.NDArray[np.int64],  # (n,)
        max_tokens: int,
    ) -> None:
        if lengths.max() > max_tokens:
            row = int(np.argmax(lengths > max_tokens))
            raise ConfigError(
                f"{self._user}: expected at most {max_tokens} tokens, which its model reads, got "
                f"{lengths[row]} in {row_name(samples, row)}; lower "
                "generator.generation.max_new_tokens or leave out long prompts (nothing is cut off "
                "silently)"
            )

    def _model(self) -> TextModel:
        device = compute().device
        if self._loaded is None or self._loaded[0] != device:
            self._loaded = (device, self._load(device))
        return self._loaded[1]


def padded(rows: Sequence[Encoded], padding: int, device: str) -> dict[str, "torch.Tensor"]:
    """Each field of the rows as one matrix, filled up on the right, and their attention mask."""
    import torch

    longest = max(len(row[INPUT_IDS]) for row in rows)
    batch = {}
    for name in rows[0]:
        filler = padding if name == INPUT_IDS else 0
        filled = [[*row[name], *[filler] * (longest - len(row[name]))] for row in rows]
        batch[name] = torch.tensor(filled, device=device)
    lengths = torch.tensor([len(row[INPUT_IDS]) for row in rows], device=device)
    places = torch.arange(longest, device=device)
    batch[ATTENTION] = (places < lengths[:, None]).long()
    return batch


def last_places(batch: Batch) -> "torch.Tensor":  # (b,)
    """Place of the last token of every row."""
    return batch[ATTENTION].sum(dim=1) - 1


def states_at(
    states: "torch.Tensor",  # (b, L, D)
    places: "torch.Tensor",  # (b,)
) -> "torch.Tensor":  # (b, D)
    """The state of one place of every row."""
    import torch

    return states[torch.arange(len(states), device=states.device), places]


def dtype_of(precision: str, device: str) -> "torch.dtype":
    """torch's number format for a configured precision on a device."""
    import torch

    if precision == "auto":
        on_gpu = device != "cpu" and torch.cuda.is_bf16_supported()
        return torch.bfloat16 if on_gpu else torch.float32
    named = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp64": torch.float64}
    return named[precision]


def at_least_single(dtype: "torch.dtype") -> "torch.dtype":
    """`dtype`, or single precision where it has less: heads are small, and they are the score."""
    import torch

    return dtype if dtype == torch.float64 else torch.float32


def load_tokenizer(folder: Path) -> Any:
    """The fast tokenizer of a folder, with its chat template."""
    from transformers import AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(
        folder, local_files_only=True, trust_remote_code=False
    )
    return tokenizer


def without_special(tokenizer: Any, text: str) -> list[int]:
    """Tokens of a text whose special tokens are written out in it, such as a chat template's."""
    ids: list[int] = tokenizer(text, add_special_tokens=False)[INPUT_IDS]
    return ids
