import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from data.errors import ConfigError, EnvironmentProblem
from data.published_weights import PublishedWeights
from data.sharded_weights import INDEX
from data.texts import prompts_of, texts_of
from rewards.sequence_classifier import SequenceClassifierConfig, SequenceClassifierReward
from rewards.text_examples import random_conversations
from rewards.text_scoring import load_tokenizer
from rewards.tiny_models import random_weights, stand_in_folder, stand_in_weights
from rewards.tiny_text_models import (
    CHAT,
    write_llama_tokenizer,
    write_model_file,
    write_shards,
)

SAMPLES = random_conversations(9, seed=5)
PROMPTS, TEXTS = prompts_of(SAMPLES, "t"), texts_of(SAMPLES, "t")
REPO = PublishedWeights(repo="owner/classifier", revision="0" * 40)
NAMES = ("model.safetensors", "config.json", "tokenizer.json", "tokenizer_config.json")
EXAMPLE = SequenceClassifierReward.example().config


def changed(**values: object) -> SequenceClassifierReward:
    return SequenceClassifierReward(EXAMPLE.model_copy(update=values))


def one_by_one(folder: Path, encode: Any) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Logits of every sample by transformers' own call, alone and without padding."""
    from transformers import AutoModelForSequenceClassification

    loaded: Any = AutoModelForSequenceClassification
    model = loaded.from_pretrained(folder, dtype=torch.float64).eval()
    tokenizer = load_tokenizer(folder)
    rows = []
    with torch.inference_mode():
        for prompt, text in zip(PROMPTS, TEXTS, strict=True):
            fields = encode(tokenizer, prompt, text)
            inputs = {name: torch.tensor([ids]) for name, ids in fields.items()}
            rows.append(model(**inputs).logits[0].numpy())
    return np.array(rows)


@pytest.mark.parametrize("batch_size", [1, 4, 16])
@pytest.mark.parametrize("reads", ["pair", "text"])
def test_score_is_the_label_s_logit_log_odds_or_probability(reads: str, batch_size: int) -> None:
    def encode(tokenizer: Any, prompt: str, text: str) -> Any:
        return tokenizer(prompt, text) if reads == "pair" else tokenizer(text)

    logits = one_by_one(stand_in_folder("sequence-classifier"), encode)
    likely = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    wanted = {
        "logit": logits[:, 1],
        "probability": likely[:, 1],
        "log-odds": np.log(likely[:, 1] / (1 - likely[:, 1])),
    }
    for score, expected in wanted.items():
        found = changed(reads=reads, batch_size=batch_size, score=score)(SAMPLES)
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-9)
        assert found.std() > 1e-3


def test_a_text_alone_needs_no_prompt_and_a_pair_does() -> None:
    alone = SAMPLES.drop_columns(["prompt"])
    text = changed(reads="text")
    np.testing.assert_allclose(text(alone), text(SAMPLES), rtol=1e-12)
    with pytest.raises(ConfigError, match="sequence-classifier: expected .* column 'prompt'"):
        changed(reads="pair")(alone)


def write_gpt2(folder: Path, *, num_labels: int, template: str | None, eos: bool = True) -> None:
    """A decoder without a padding token: one output, read at the last token."""
    from transformers import GPT2Config, GPT2ForSequenceClassification

    config = GPT2Config(vocab_size=128257, n_embd=4, n_layer=1, n_head=2, n_positions=256)
    config.num_labels = num_labels
    write_model_file(folder, GPT2ForSequenceClassification, config, seed=1)
    write_llama_tokenizer(folder, template or "")
    path = folder / "tokenizer_config.json"
    settings = json.loads(path.read_text())
    if template is None:
        del settings["chat_template"]
    if not eos:
        del settings["eos_token"]
    path.write_text(json.dumps(settings))


def gpt2(folder: Path, **values: Any) -> SequenceClassifierReward:
    weights = stand_in_weights(REPO, folder, NAMES)
    return SequenceClassifierReward(
        SequenceClassifierConfig(model=weights, precision="fp64", **values)
    )


@pytest.mark.parametrize("batch_size", [1, 16])
def test_a_single_output_is_read_in_the_chat_template_without_any_padding_token(
    tmp_path: Path, batch_size: int
) -> None:
    write_gpt2(tmp_path, num_labels=1, template=CHAT)

    def encode(tokenizer: Any, prompt: str, text: str) -> Any:
        turns = [("user", prompt), ("assistant", text)]
        written = "".join(
            f"<|start_header_id|>{role}<|end_header_id|>\n\n{content.strip()}<|eot_id|>"
            for role, content in turns
        )
        # The tokenizer adds the start itself.
        return {"input_ids": tokenizer(written)["input_ids"]}

    wanted = one_by_one(tmp_path, encode)[:, 0]
    scores = gpt2(tmp_path, reads="chat", batch_size=batch_size)(SAMPLES)
    np.testing.assert_allclose(scores, wanted, rtol=1e-6, atol=1e-9)


def test_weights_in_shards_give_the_same_scores(tmp_path: Path) -> None:
    from transformers import BertConfig, BertForSequenceClassification

    source = stand_in_folder("sequence-classifier")
    for name in NAMES[1:]:
        (tmp_path / name).write_bytes((source / name).read_bytes())
    config = BertConfig.from_pretrained(source)
    model = BertForSequenceClassification(config)
    shapes = {name: tuple(one.shape) for name, one in model.state_dict().items()}
    write_shards(tmp_path, random_weights(shapes, seed=0))
    shards = sorted(path.name for path in tmp_path.glob("model-*"))
    weights = stand_in_weights(REPO, tmp_path, (INDEX, *shards, *NAMES[1:]))
    sharded = changed(model=weights)
    assert sharded.fetch() == tmp_path
    np.testing.assert_allclose(sharded(SAMPLES), changed()(SAMPLES), rtol=1e-12)


@pytest.mark.parametrize("label", [None, 3])
def test_a_label_that_the_model_does_not_have_is_refused(label: int | None) -> None:
    with pytest.raises(ConfigError, match=f"expected a label from 0 to 2, got {label}; choose"):
        changed(label=label)(SAMPLES)


@pytest.mark.parametrize("values", [{"label": 1}, {"score": "probability"}])
def test_a_single_output_has_neither_label_nor_probability(
    tmp_path: Path, values: dict[str, Any]
) -> None:
    write_gpt2(tmp_path, num_labels=1, template=CHAT)
    with pytest.raises(ConfigError, match="expected no label and score 'logit' for a model with"):
        gpt2(tmp_path, reads="chat", **values)(SAMPLES)


def test_a_chat_without_a_template_is_refused(tmp_path: Path) -> None:
    write_gpt2(tmp_path, num_labels=1, template=None)
    with pytest.raises(EnvironmentProblem, match="expected a tokenizer with a chat template"):
        gpt2(tmp_path, reads="chat")(SAMPLES)


class Bare:
    """A tokenizer that marks neither start nor end."""

    def __init__(self, eos_token_id: int | None) -> None:
        self.eos_token_id = eos_token_id

    def __call__(self, text: str) -> dict[str, list[int]]:
        return {"input_ids": [len(word) for word in text.split()], "token_type_ids": [0]}


def test_an_empty_text_without_special_tokens_is_read_as_the_end_of_text() -> None:
    reward = changed(reads="text")
    assert reward._encode(Bare(9), None, "") == {"input_ids": [9], "token_type_ids": [0]}
    assert reward._encode(Bare(9), None, "two words")["input_ids"] == [3, 5]
    with pytest.raises(ConfigError, match="expected at least one token in every text, got none"):
        reward._encode(Bare(None), None, "")


def test_a_stand_in_is_not_the_named_model() -> None:
    assert SequenceClassifierConfig(model=REPO).uses_published_weights
    assert not SequenceClassifierConfig(model=REPO.stand_in).uses_published_weights
