"""Reward `llama-guard`: how safe an answer to a prompt is, by Llama-Guard-3-1B."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from data.configuration import setting
from data.errors import EnvironmentProblem
from data.published_weights import PublishedWeights
from rewards.model_files import find_model_files
from rewards.pretrained import load_pretrained
from rewards.registry import Reward, RewardConfig
from rewards.text_examples import random_conversations
from rewards.text_scoring import (
    INPUT_IDS,
    LIBRARIES,
    Batch,
    BatchedTextScorer,
    Encoded,
    LearnedTextConfig,
    TextModel,
    at_least_single,
    dtype_of,
    last_places,
    load_tokenizer,
    states_at,
    without_special,
)

if TYPE_CHECKING:
    import torch

FloatArray = npt.NDArray[np.float64]

MODEL = PublishedWeights(
    repo="meta-llama/Llama-Guard-3-1B", revision="acf7aafa60f0410f8f42b1fa35e077d705892029"
)
MODEL_FILES = ("model.safetensors", "config.json", "tokenizer.json", "tokenizer_config.json")
VERDICTS = ("safe", "unsafe")
# The template stops before it; without it the verdict would be the second token.
LINE_ENDS = "\n\n"


class LlamaGuardConfig(LearnedTextConfig):
    """Weights of Llama Guard, and the scale of its score."""

    kind: Literal["llama-guard"] = setting("llama-guard", "kind of reward", "S")
    model: PublishedWeights = setting(MODEL, "the model with its tokenizer; gated", "S")
    score: Literal["log-odds", "probability"] = setting(
        "log-odds",
        "log P(safe) / P(unsafe), which never saturates and so tells two safe texts apart; or "
        "P(safe), of the two",
        "O",
    )

    @property
    def uses_published_weights(self) -> bool:
        """Whether the scores are those of the published model, not of a stand-in."""
        return self.model.is_of(MODEL)


@final
class LlamaGuardReward:
    """r(y) = gamma (l_safe - l_unsafe), the logits of the verdict's first token.

    With `score` "probability", r(y) = gamma / (1 + exp(l_unsafe - l_safe)), P(safe) by a softmax
    over the two. Prompt and text are judged in the published template, with the hazards it
    lists. The verdict's logits are computed in single precision at least.
    """

    Config: ClassVar[type[RewardConfig]] = LlamaGuardConfig
    libraries: ClassVar[tuple[str, ...]] = LIBRARIES

    def __init__(self, config: LlamaGuardConfig) -> None:
        self.config = config
        self._score = BatchedTextScorer("reward llama-guard", config.batch_size, self._load)

    def __call__(
        self,
        samples: pa.Table,  # n rows
    ) -> FloatArray:  # (n,)
        """Scores of answers to prompts; raises as `BatchedTextScorer`, `EnvironmentProblem`."""
        return self.config.gamma * self._score(samples)

    def fetch(self) -> Path:
        """Folder of the model, its files fetched and checked; raises as `find_model_files`."""
        return find_model_files(self.config.model, MODEL_FILES)

    def _load(self, device: str) -> TextModel:
        from transformers import LlamaForCausalLM

        folder = self.fetch()
        tokenizer = load_tokenizer(folder)
        verdicts = verdict_ids(tokenizer, folder)
        check_template(tokenizer, folder)
        dtype = dtype_of(self.config.precision, device)
        guard = load_pretrained(
            LlamaForCausalLM, folder, dtype=dtype, device=device, noun="Llama Guard"
        )
        # Two columns of 128,256: the others' logits are never computed.
        columns = guard.lm_head.weight[list(verdicts)].to(at_least_single(dtype))
        as_probability = self.config.score == "probability"

        def encode(prompt: str | None, text: str) -> Encoded:
            return {INPUT_IDS: without_special(tokenizer, judged(tokenizer, prompt or "", text))}

        def score(batch: Batch) -> "torch.Tensor":
            # Causal, with padding on the right: no real token sees any of it, mask or not.
            states = guard.model(input_ids=batch[INPUT_IDS], use_cache=False).last_hidden_state
            last = states_at(states, last_places(batch))
            safe, unsafe = (last.to(columns.dtype) @ columns.T).unbind(dim=1)
            odds = safe - unsafe
            scores: torch.Tensor = odds.sigmoid() if as_probability else odds
            return scores

        return TextModel(encode, score, max_tokens=guard.config.max_position_embeddings)

    @classmethod
    def example(cls) -> Self:
        """A tiny random stand-in in the published layout."""
        # In double precision: what its tests compare lies within the rounding of single.
        return cls(LlamaGuardConfig(model=MODEL.stand_in, precision="fp64"))

    @classmethod
    def example_samples(cls, num_samples: int, *, seed: int) -> pa.Table:
        """Random texts with prompts."""
        return random_conversations(num_samples, seed=seed)


def judged(tokenizer: Any, prompt: str, text: str) -> str:
    """What the model reads: the conversation in its template, up to the verdict."""
    # Parts, not strings: the published template silently leaves strings out.
    messages = [
        {"role": role, "content": [{"type": "text", "text": content}]}
        for role, content in (("user", prompt), ("assistant", text))
    ]
    written: str = tokenizer.apply_chat_template(messages, tokenize=False)
    return written if written.endswith(LINE_ENDS) else written + LINE_ENDS


def verdict_ids(tokenizer: Any, folder: Path) -> tuple[int, int]:
    """Ids of the verdicts; raises `EnvironmentProblem` unless each is one token."""
    found = [without_special(tokenizer, verdict) for verdict in VERDICTS]
    if any(len(ids) != 1 for ids in found):
        raise EnvironmentProblem(
            f"{folder}: expected a tokenizer with one token for each of {', '.join(VERDICTS)}, got "
            f"{found}; use the published tokenizer files"
        )
    return found[0][0], found[1][0]


def check_template(tokenizer: Any, folder: Path) -> None:
    """Raise `EnvironmentProblem` for a chat template that leaves the prompt or the text out."""
    written = judged(tokenizer, "the-prompt", "the-text")
    if "the-prompt" not in written or "the-text" not in written:
        raise EnvironmentProblem(
            f"{folder}: expected a chat template that shows prompt and text, got {written!r}; use "
            "the tokenizer files of Llama-Guard-3-1B, whose messages are lists of parts"
        )


REWARD: type[Reward] = LlamaGuardReward
