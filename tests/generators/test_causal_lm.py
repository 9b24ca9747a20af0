"""The language model as a whole: texts, prompts, fits, files, what it refuses."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from data.errors import BadNumbers, ConfigError, EnvironmentProblem
from data.published_weights import PublishedWeights
from data.python_docs import PythonDocs
from data.texts import text_table
from data.tokenizer_config import TrainedBpe
from generators.causal_lm import CausalLm
from generators.causal_lm_config import (
    CausalLmConfig,
    FineTuning,
    Generation,
    PublishedModel,
    ScratchModel,
)
from generators.causal_lm_initial import CausalLmInitial
from generators.lm_model import random_weights, scratch_facts
from generators.registry import parse_generator
from tests.data.chats import with_chat
from tests.generators.test_lm_published import in_folder, write_model

EMBEDDED = CausalLmInitial(corpus=PythonDocs(), num_texts=30)


@cache
def example() -> CausalLm:
    return CausalLm.example()


def with_settings(model: CausalLm, **settings: Any) -> CausalLm:
    config = CausalLmConfig.model_validate(model.config.model_dump() | settings)
    return CausalLm(config, model.facts, model.weights, model.tokenizer, np.empty(0))


def published(folder: Path) -> CausalLmConfig:
    model = PublishedModel(weights=in_folder(folder))
    return CausalLmConfig.model_validate({"model": model, "generation": {"max_new_tokens": 8}})


def test_texts_are_their_tokens_decoded() -> None:
    model = example()
    texts = model.sample(40, seed=0)
    ids = texts["token_ids"].to_pylist()
    assert model.tokenizer.decode(ids) == texts["text"].to_pylist()
    assert max(len(one) for one in ids) <= 12
    assert model.tokenizer.end_of_text not in {token for one in ids for token in one}
    assert any(texts["finished"].to_pylist()) or max(len(one) for one in ids) == 12


def test_a_row_depends_on_the_seed_and_its_number_alone() -> None:
    exact = with_settings(example(), precision="fp64")
    many, few = exact.sample(30, seed=4), exact.sample(7, seed=4)
    assert many.slice(0, 7).equals(few)
    one_by_one = with_settings(
        example(), precision="fp64", generation={"max_new_tokens": 12, "batch_size": 1}
    )
    assert one_by_one.sample(30, seed=4).equals(many)


def test_completions_carry_their_prompts() -> None:
    prompts = pa.table({"prompt": ["What is a list?", "And a tuple?", "And a tuple?"]})
    texts = example().sample(3, seed=1, prompts=prompts)
    assert texts.column_names == ["prompt", "token_ids", "text", "finished"]
    assert texts["prompt"].to_pylist() == prompts["prompt"].to_pylist()
    assert texts.schema.names[1:] == example().schema.names
    ids = texts["token_ids"].to_pylist()
    assert ids[1] != ids[2]


def test_an_answer_of_a_chat_ends_where_its_template_ends_one() -> None:
    tokenizer = with_chat(["to be or not to be"] * 3)
    end = tokenizer.end_of_answer
    small = ScratchModel(settings={"n_layer": 1, "n_head": 2, "n_embd": 16, "n_positions": 96})
    facts = scratch_facts(small, num_tokens=tokenizer.size, end_of_text=tokenizer.end_of_text)
    config = CausalLmConfig(model=small, generation=Generation(temperature=5.0, max_new_tokens=64))
    model = CausalLm(config, facts, random_weights(facts, seed=0), tokenizer, np.empty(0))
    prompts = pa.table({"prompt": ["to be"] * 40})

    def drawn(prompt_format: str) -> tuple[bool, set[int]]:
        texts = with_settings(model, prompt_format=prompt_format).sample(
            40, seed=0, prompts=prompts
        )
        ids = texts["token_ids"].to_pylist()
        return any(texts["finished"].to_pylist()), {token for one in ids for token in one}

    # Nearly all tokens are equally likely, so that every end is drawn somewhere.
    ended, tokens = drawn("chat")
    assert ended and tokens.isdisjoint({end, tokenizer.end_of_text})
    ended, tokens = drawn("{prompt}\n")
    assert ended and end in tokens and tokenizer.end_of_text not in tokens


def test_a_prompt_longer_than_the_context_is_refused_with_its_row() -> None:
    prompts = pa.table({"prompt": ["short", "long " * 100]})
    with pytest.raises(ConfigError, match=r"prompts of at most 116 tokens .* in row 1; shorten"):
        example().sample(2, seed=0, prompts=prompts)


def test_learnt_texts_come_back() -> None:
    model = example()
    rows = model.tokenizer.encode(["The quick brown fox"])
    table = text_table(
        [np.array(rows[0], np.int32)] * 64, ["The quick brown fox"] * 64, np.ones(64, np.bool_)
    )
    eager = FineTuning(num_epochs=25, learning_rate=1e-2)
    learnt = with_settings(model, refit=eager, generation={"max_new_tokens": 30}).refit(
        table, iteration=0, seed=0
    )
    texts = learnt.sample(50, seed=0)
    right = [text == "The quick brown fox" for text in texts["text"].to_pylist()]
    assert np.mean(right) > 0.8
    assert np.mean(texts["finished"].to_numpy()) > 0.8
    assert learnt.training_log["loss"].to_pylist()[-1] < 0.5


def test_completions_are_learnt_for_their_prompts() -> None:
    prompts = pa.table({"prompt": ["one", "two"] * 20})
    curated = example().sample(40, seed=0, prompts=prompts)
    after = example().refit(curated, iteration=0, seed=0)
    assert after.training_log.num_rows == 5
    assert after.sample(2, seed=0, prompts=prompts.slice(0, 2)).num_rows == 2


def test_no_texts_to_fit_are_refused() -> None:
    model = example()
    with pytest.raises(ConfigError, match="expected at least 1 row to fit, got 0; raise"):
        model.refit(model.sample(0, seed=0), iteration=0, seed=0)


def test_a_model_that_is_not_finite_gives_no_texts() -> None:
    model = example()
    broken = {name: weight * torch.nan for name, weight in model.weights.items()}
    with pytest.raises(BadNumbers, match="the model has diverged"):
        CausalLm(model.config, model.facts, broken, model.tokenizer, np.empty(0)).sample(2, seed=0)


def test_the_saved_folder_is_one_that_transformers_loads(tmp_path: Path) -> None:
    model = example()
    model.save(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {
        "model.safetensors", "config.json", "tokenizer.json", "tokenizer_config.json",
    }  # fmt: skip
    theirs = AutoModelForCausalLM.from_pretrained(tmp_path, local_files_only=True)
    loaded = dict(theirs.named_parameters())
    assert all(torch.equal(loaded[name].detach(), weight) for name, weight in model.weights.items())
    tokenizer = AutoTokenizer.from_pretrained(tmp_path, local_files_only=True)
    assert tokenizer("def spam():")["input_ids"] == model.tokenizer.encode(["def spam():"])[0]
    assert json.loads((tmp_path / "config.json").read_bytes())["kind"] == "causal-lm"


def test_a_model_of_another_architecture_is_refused(tmp_path: Path) -> None:
    model = example()
    model.save(tmp_path)
    wider = model.config.model_copy(
        update={"model": ScratchModel(settings={"n_layer": 1, "n_head": 2, "n_embd": 18})}
    )
    with pytest.raises(
        ConfigError, match=r"expected the weights of the configured model, got .*of"
    ):
        CausalLm.load(tmp_path, wider)


def test_a_published_model_is_the_initial_one_as_it_is(tmp_path: Path) -> None:
    write_model(tmp_path)
    config = published(tmp_path)
    EMBEDDED.check_generator(config)
    EMBEDDED.check_weights(config)
    model = CausalLm.initial(config, EMBEDDED, seed=0)
    assert model.training_log.num_rows == 0
    assert model.tokenizer.decode(model.tokenizer.encode(["to be"])) == ["to be"]
    assert model.sample(5, seed=0).num_rows == 5
    (tmp_path / "saved").mkdir()
    model.save(tmp_path / "saved")
    loaded = CausalLm.load(tmp_path / "saved", config)
    assert loaded.sample(5, seed=0).equals(model.sample(5, seed=0))
    after = model.refit(model.sample(8, seed=0), iteration=0, seed=0)
    assert after.training_log.num_rows == 2


def test_a_tokenizer_that_does_not_match_a_published_model_is_refused(tmp_path: Path) -> None:
    write_model(tmp_path)
    other = EMBEDDED.model_copy(update={"tokenizer": TrainedBpe(vocab_size=400)})
    with pytest.raises(ConfigError, match="tokenizer of at most 300 tokens .* got one of 400 tok"):
        CausalLm.initial(published(tmp_path), other, seed=0)
    with pytest.raises(ConfigError, match="tokenizer of at most 300 tokens .* got one of 400 tok"):
        other.check_weights(published(tmp_path))


def test_a_published_model_that_is_not_there_is_noticed_before_a_run(tmp_path: Path) -> None:
    write_model(tmp_path)
    config = published(tmp_path)
    (tmp_path / "config.json").unlink()
    with pytest.raises(EnvironmentProblem, match=r"got no config\.json; put them there"):
        EMBEDDED.check_weights(config)


def test_real_data_are_the_texts_of_the_initial_model() -> None:
    initial = EMBEDDED.model_copy(update={"tokenizer": TrainedBpe(vocab_size=300)})
    config = example().config
    table = CausalLm.real_data(config, initial, seed=3)
    assert table.schema.equals(example().schema)
    assert table.num_rows == 30
    assert all(table["finished"].to_pylist())
    assert table.equals(CausalLm.real_data(config, initial, seed=3))
    lengths = [len(text.split()) for text in table["text"].to_pylist()]
    assert min(lengths) >= 1 and max(lengths) <= 64


def test_precision_is_recorded() -> None:
    plain = CausalLmConfig()
    assert CausalLm.precision(plain, "cpu") == {"dtype": "float32"}
    double = plain.model_copy(update={"precision": "fp64"})
    assert CausalLm.precision(double, "cpu") == {"dtype": "float64"}


def test_the_configuration_is_found_by_its_kind() -> None:
    config = parse_generator({"kind": "causal-lm", "generation": {"top_p": 1.0}})
    assert isinstance(config, CausalLmConfig)
    part = config.initial_part()
    assert "refit" not in part and "generation" not in part


def test_where_a_published_model_lies_is_no_part_of_the_fingerprint() -> None:
    here, there = (
        CausalLmConfig(
            model=PublishedModel(
                weights=PublishedWeights(
                    repo="owner/model", revision="0" * 40, folder=folder, sha256="0" * 64
                )
            )
        )
        for folder in ("/here", "/there")
    )
    assert here.fingerprint_part() == there.fingerprint_part()
