"""Reward `sequence-classifier`: the output of any published classifier of texts."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from data.configuration import setting
from data.errors import ConfigError, EnvironmentProblem
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
    load_tokenizer,
    without_special,
)

if TYPE_CHECKING:
    import torch

FloatArray = npt.NDArray[np.float64]
IntList = list[int]

USER = "reward sequence-classifier"
# What a tokenizer gives beside the ids, where the model takes it.
FIELDS = (INPUT_IDS, "token_type_ids")


class SequenceClassifierConfig(LearnedTextConfig):
    """Weights of a classifier, how it reads a text, and which of its outputs is the score."""

    kind: Literal["sequence-classifier"] = setting("sequence-classifier", "kind of reward", "O")
    model: PublishedWeights = setting(..., "repository and commit, perhaps a folder", "O")
    tokenizer_files: tuple[str, ...] = setting(
        ("tokenizer.json", "tokenizer_config.json"), "files of its tokenizer", "O", min_length=1
    )
    reads: Literal["pair", "chat", "text"] = setting(
        "pair",
        "pair: prompt and text as two segments; chat: both in the tokenizer's chat template; text: "
        "the text alone",
        "O",
    )
    label: int | None = setting(
        None, "index of the label that is liked; none for a model with one output", "O", ge=0
    )
    score: Literal["logit", "log-odds", "probability"] = setting(
        "logit",
        "the output as it is; log P / (1 - P) of the label; or its P, by a softmax over labels",
        "O",
    )

    @property
    def uses_published_weights(self) -> bool:
        """Whether the scores are those of the named model, not of a stand-in."""
        return self.model.host != "stand-in"


@final
class SequenceClassifierReward:
    """r(y) = gamma times one output of a transformers model for sequence classification.

    An empty text without any special token is read as the tokenizer's end of text.
    """

    Config: ClassVar[type[RewardConfig]] = SequenceClassifierConfig
    libraries: ClassVar[tuple[str, ...]] = LIBRARIES

    def __init__(self, config: SequenceClassifierConfig) -> None:
        self.config = config
        prompted = config.reads != "text"
        self._score = BatchedTextScorer(USER, config.batch_size, self._load, needs_prompts=prompted)

    def __call__(
        self,
        samples: pa.Table,  # n rows
    ) -> FloatArray:  # (n,)
        """Scores of texts; raises as `BatchedTextScorer`, and `EnvironmentProblem`.

        Also raises `ConfigError` for a label that the model does not have.
        """
        return self.config.gamma * self._score(samples)

    def fetch(self) -> Path:
        """Folder of the model, its files fetched and checked; raises as `find_model_files`."""
        names = ("config.json", *self.config.tokenizer_files)
        return find_model_files(
            self.config.model, names, in_parts=True, layout="sequence-classifier"
        )

    def _load(self, device: str) -> TextModel:
        from transformers import AutoModelForSequenceClassification

        folder = self.fetch()
        tokenizer = load_tokenizer(folder)
        dtype = dtype_of(self.config.precision, device)
        model = load_pretrained(
            AutoModelForSequenceClassification,
            folder,
            dtype=dtype,
            device=device,
            noun="sequence classifier",
        )
        self._check_label(model.config.num_labels)
        self._check_template(tokenizer, folder)
        label = self.config.label or 0

        def score(batch: Batch) -> "torch.Tensor":
            logits = model(**batch).logits.to(at_least_single(dtype))
            return _score_of(logits, label, self.config.score)

        return TextModel(
            lambda prompt, text: self._encode(tokenizer, prompt, text),
            score,
            max_tokens=_max_tokens(model.config, tokenizer),
            # The models that look for their last token find it by this; without it, one by one.
            padding=model.config.get_text_config().pad_token_id,
        )

    def _encode(self, tokenizer: Any, prompt: str | None, text: str) -> Encoded:
        if self.config.reads == "chat":
            messages = [{"role": "user", "content": prompt}, {"role": "assistant", "content": text}]
            written = tokenizer.apply_chat_template(messages, tokenize=False)
            return {INPUT_IDS: without_special(tokenizer, written)}
        found = tokenizer(prompt, text) if self.config.reads == "pair" else tokenizer(text)
        encoded: dict[str, IntList] = {name: found[name] for name in FIELDS if name in found}
        if encoded[INPUT_IDS]:
            return encoded
        if tokenizer.eos_token_id is None:
            raise ConfigError(
                f"{USER}: expected at least one token in every text, got none for an empty one, "
                "and its tokenizer has no end of text to read instead; set reads to 'chat'"
            )
        return {name: [tokenizer.eos_token_id if name == INPUT_IDS else 0] for name in encoded}

    def _check_label(self, num_labels: int) -> None:
        label, score = self.config.label, self.config.score
        if num_labels == 1:
            if label not in (None, 0) or score != "logit":
                raise ConfigError(
                    f"{USER}: expected no label and score 'logit' for a model with one output, got "
                    f"label {label} and score {score!r}; leave both out"
                )
        elif label is None or label >= num_labels:
            raise ConfigError(
                f"{USER}: expected a label from 0 to {num_labels - 1}, got {label}; choose one of "
                "the model's labels (id2label in its config.json)"
            )

    def _check_template(self, tokenizer: Any, folder: Path) -> None:
        if self.config.reads == "chat" and not tokenizer.chat_template:
            raise EnvironmentProblem(
                f"{folder}: expected a tokenizer with a chat template for reads 'chat', got none; "
                "add its file to tokenizer_files, or set reads to 'pair'"
            )

    @classmethod
    def example(cls) -> Self:
        """A tiny random classifier with three labels."""
        repo = PublishedWeights(repo="owner/classifier", revision="0" * 40).stand_in
        # In double precision: what its tests compare lies within the rounding of single.
        return cls(SequenceClassifierConfig(model=repo, label=1, precision="fp64"))

    @classmethod
    def example_samples(cls, num_samples: int, *, seed: int) -> pa.Table:
        """Random texts with prompts."""
        return random_conversations(num_samples, seed=seed)


def _score_of(
    logits: "torch.Tensor",  # (b, labels)
    label: int,
    score: str,
) -> "torch.Tensor":  # (b,)
    if score == "logit":
        return logits[:, label]
    if score == "probability":
        return logits.softmax(dim=1)[:, label]
    others = [other for other in range(logits.shape[1]) if other != label]
    return logits[:, label] - logits[:, others].logsumexp(dim=1)


def _max_tokens(config: Any, tokenizer: Any) -> int:
    """The smaller of both limits; a tokenizer without one says a huge number."""
    limit = getattr(config.get_text_config(), "max_position_embeddings", None)
    limits: IntList = [tokenizer.model_max_length, *([limit] if limit else [])]
    return int(min(limits))


REWARD: type[Reward] = SequenceClassifierReward
