"""Reward `armo-rm`: how good an answer to a prompt is, by ArmoRM's 19 gated judgements."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, Self, final, get_args

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from data.configuration import setting
from data.errors import EnvironmentProblem
from data.published_weights import PublishedWeights
from data.sharded_weights import read_weights, weight_map
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
    repo="RLHFlow/ArmoRM-Llama3-8B-v0.1", revision="eb2676d20da2f2d41082289d23c59b9f7427f955"
)
SETTINGS_FILES = ("config.json", "tokenizer.json", "tokenizer_config.json")
# What the heads judge, in their published order.
Attribute = Literal[
    "helpsteer-helpfulness", "helpsteer-correctness", "helpsteer-coherence",
    "helpsteer-complexity", "helpsteer-verbosity", "ultrafeedback-overall_score",
    "ultrafeedback-instruction_following", "ultrafeedback-truthfulness", "ultrafeedback-honesty",
    "ultrafeedback-helpfulness", "beavertails-is_safe", "prometheus-score",
    "argilla-overall_quality", "argilla-judge_lm", "code-complexity", "code-style",
    "code-explanation", "code-instruction-following", "code-readability",
]  # fmt: skip
ATTRIBUTES: tuple[str, ...] = get_args(Attribute)
# "<|eot_id|><|start_header_id|>assistant<|end_header_id|>" and two line ends: end of the prompt,
# start of the answer. The published code reads the gate at the first token of the five.
PATTERN = (128009, 128006, 78191, 128007, 271)
TEMPERATURE = 10.0
REGRESSION, TRANSFORM = "regression_layer.weight", "reward_transform_matrix"
SCALE = "gating.logit_scale"


class ArmoRmConfig(LearnedTextConfig):
    """Weights of ArmoRM, and which of its judgements is the score."""

    kind: Literal["armo-rm"] = setting("armo-rm", "kind of reward", "S")
    model: PublishedWeights = setting(MODEL, "the model with its tokenizer", "S")
    attribute: Attribute | None = setting(
        None, "single head that is the score, instead of all weighted by the gate", "O"
    )

    @property
    def uses_published_weights(self) -> bool:
        """Whether the scores are those of the published model, not of a stand-in."""
        return self.model.is_of(MODEL)


@final
class ArmoRmReward:
    """r(y) = gamma sum_k g_k (h W M)_k (Wang et al. 2024, arXiv 2406.12845).

    h is Llama's last state of the conversation, W the 19 heads, M the published transformation;
    g is the gate, scale times softmax of (layers of Llama's state at the end of the prompt) / 10.
    With `attribute`, r(y) = gamma (h W)_k of that head alone.

    The model was published in bf16, heads included; here the heads and the gate are computed in
    single precision. An answer in which the marks between prompt and answer are written out moves
    the place where the gate is read, as it does in the published model.
    """

    Config: ClassVar[type[RewardConfig]] = ArmoRmConfig
    libraries: ClassVar[tuple[str, ...]] = LIBRARIES

    def __init__(self, config: ArmoRmConfig) -> None:
        self.config = config
        self._score = BatchedTextScorer("reward armo-rm", config.batch_size, self._load)

    def __call__(
        self,
        samples: pa.Table,  # n rows
    ) -> FloatArray:  # (n,)
        """Scores of answers to prompts; raises as `BatchedTextScorer`, `EnvironmentProblem`."""
        return self.config.gamma * self._score(samples)

    def fetch(self) -> Path:
        """Folder of the model, its files fetched and checked; raises as `find_model_files`."""
        return find_model_files(self.config.model, SETTINGS_FILES, in_parts=True)

    def _load(self, device: str) -> TextModel:
        import torch
        from transformers import LlamaModel

        folder = self.fetch()
        tokenizer = load_tokenizer(folder)
        dtype = dtype_of(self.config.precision, device)
        llama = load_pretrained(LlamaModel, folder, dtype=dtype, device=device, noun="Llama")
        heads = Heads(folder, dtype=at_least_single(dtype), device=device)
        attribute = self.config.attribute

        def encode(prompt: str | None, text: str) -> Encoded:
            conversation = [
                {"role": "user", "content": prompt},
                {"role": "assistant", "content": text},
            ]
            written = tokenizer.apply_chat_template(conversation, tokenize=False)
            return {INPUT_IDS: without_special(tokenizer, written)}

        check_pattern(encode("prompt", "answer")[INPUT_IDS], folder)

        def score(batch: Batch) -> torch.Tensor:
            # Causal, with padding on the right: no real token sees any of it, mask or not.
            states = llama(input_ids=batch[INPUT_IDS], use_cache=False).last_hidden_state
            judged = heads.judge(states_at(states, last_places(batch)))
            if attribute is not None:
                return judged[:, ATTRIBUTES.index(attribute)]
            gates = [gate_place(ids) for ids in batch[INPUT_IDS].tolist()]
            places = torch.tensor(gates, device=states.device)
            return heads.combine(judged, states_at(states, places))

        return TextModel(encode, score, max_tokens=llama.config.max_position_embeddings)

    @classmethod
    def example(cls) -> Self:
        """A tiny random stand-in in the published layout."""
        # In double precision: what its tests compare lies within the rounding of single.
        return cls(ArmoRmConfig(model=MODEL.stand_in, precision="fp64"))

    @classmethod
    def example_samples(cls, num_samples: int, *, seed: int) -> pa.Table:
        """Random texts with prompts."""
        return random_conversations(num_samples, seed=seed)


class Heads:
    """ArmoRM's own layers, on top of Llama's states of D numbers.

    Raises `EnvironmentProblem` for files without them, or of another number of heads.
    """

    def __init__(self, folder: Path, *, dtype: "torch.dtype", device: str) -> None:
        names = [name.removesuffix(".weight") for name in weight_map(folder)]
        layers = sorted(name for name in names if re.fullmatch(r"gating\.layers\.\d", name))
        parts = [f"{layer}.{part}" for layer in layers for part in ("weight", "bias")]
        found = read_weights(folder, [REGRESSION, TRANSFORM, SCALE, *parts])
        state = {name: tensor.to(device, dtype) for name, tensor in found.items()}
        self._regression, self._transform = state[REGRESSION], state[TRANSFORM]
        self._scale = state[SCALE]
        self._layers = [(state[f"{one}.weight"], state[f"{one}.bias"]) for one in layers]
        self._check(folder)

    def judge(
        self,
        states: "torch.Tensor",  # (b, D), at the end of the answer
    ) -> "torch.Tensor":  # (b, 19)
        """What each head says."""
        return states.to(self._regression.dtype) @ self._regression.T

    def combine(
        self,
        judged: "torch.Tensor",  # (b, 19)
        states: "torch.Tensor",  # (b, D), at the end of the prompt
    ) -> "torch.Tensor":  # (b,)
        """The score: transformed judgements, weighted by the gate."""
        values = states.to(judged.dtype)
        for place, (weight, bias) in enumerate(self._layers):
            values = values @ weight.T + bias
            if place < len(self._layers) - 1:
                values = values.relu()
        gate = (values / TEMPERATURE).softmax(dim=1) * self._scale
        return (gate * (judged @ self._transform)).sum(dim=1)

    def _check(self, folder: Path) -> None:
        num, got = len(ATTRIBUTES), tuple(self._regression.shape)
        square = tuple(self._transform.shape) == (num, num)
        gates = bool(self._layers) and self._layers[-1][0].shape[0] == num
        if got[0] != num or not square or not gates:
            raise EnvironmentProblem(
                f"{folder}: expected {num} heads with as many gates, got a {REGRESSION} of shape "
                f"{got}, a {TRANSFORM} of shape {tuple(self._transform.shape)} and "
                f"{len(self._layers)} gating layers; use the published files"
            )


def gate_place(ids: Sequence[int]) -> int:
    """Place of the last occurrence of `PATTERN`, its first token; it has to be there."""
    place = _last_pattern(ids)
    assert place is not None, "a conversation without the start of its answer"
    return place


def check_pattern(
    ids: Sequence[int],  # of a whole conversation
    folder: Path,
) -> None:
    """Raise `EnvironmentProblem` for a tokenizer whose conversations do not have `PATTERN`."""
    if _last_pattern(ids) is None:
        raise EnvironmentProblem(
            f"{folder}: expected a tokenizer and chat template that write the tokens "
            f"{list(PATTERN)} between prompt and answer, got {list(ids)}; use the published "
            "tokenizer files"
        )


def _last_pattern(ids: Sequence[int]) -> int | None:
    width = len(PATTERN)
    starts = range(len(ids) - width, -1, -1)
    return next((at for at in starts if tuple(ids[at : at + width]) == PATTERN), None)


REWARD: type[Reward] = ArmoRmReward
