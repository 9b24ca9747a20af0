"""How the first language model is made: its texts, its tokenizer, what is refused early."""

import pytest

from data.corpora import load_corpus
from data.cut_texts import Cut
from data.errors import ConfigError
from data.python_docs import PythonDocs
from data.tokenizer_config import TrainedBpe
from generators.causal_lm_config import (
    CausalLmConfig,
    FineTuning,
    Generation,
    Lora,
    ScratchModel,
)
from generators.causal_lm_initial import CausalLmInitial, tokenizer_for, training_texts

DOCS = CausalLmInitial(corpus=PythonDocs(), num_texts=50, tokenizer=TrainedBpe(vocab_size=300))


def test_texts_are_first_words_of_the_training_documents() -> None:
    texts = training_texts(DOCS.model_copy(update={"cut": Cut(max_words=5)}), seed=1)
    documents = [" ".join(text.split()) for text in load_corpus(PythonDocs(), "train")]
    assert len(texts) == 50
    for text in texts:
        assert 1 <= len(text.split()) <= 5
        assert any(document.startswith(" ".join(text.split())) for document in documents)


def test_documents_may_be_taken_whole() -> None:
    documents = load_corpus(PythonDocs(), "train")
    whole = DOCS.model_copy(update={"cut": None, "num_texts": None})
    assert training_texts(whole, seed=0) == list(documents)
    few = training_texts(whole.model_copy(update={"num_texts": 4}), seed=0)
    assert len(set(few)) == 4 and set(few) <= set(documents)
    assert training_texts(whole.model_copy(update={"num_texts": 4}), seed=1) != few


def test_more_texts_than_whole_documents_are_refused() -> None:
    many = DOCS.model_copy(update={"cut": None, "num_texts": 10**6})
    with pytest.raises(ConfigError, match="expected at most the .* got 1000000; lower it, or set"):
        training_texts(many, seed=0)


def test_a_tokenizer_of_ones_own_is_trained_on_the_documents() -> None:
    tokenizer = tokenizer_for(DOCS, ScratchModel())
    assert tokenizer.size == 300
    text = load_corpus(PythonDocs(), "train")[0]
    assert tokenizer.decode(tokenizer.encode([text])) == [text]
    assert tokenizer_for(DOCS, ScratchModel()) is tokenizer, "trained once a process"


def test_a_model_that_cannot_be_built_is_noticed_before_a_run() -> None:
    DOCS.check_generator(CausalLmConfig())
    narrow = CausalLmConfig(model=ScratchModel(settings={"n_head": 5, "n_embd": 16}))
    with pytest.raises(ConfigError, match=r"correct generator\.model\.settings"):
        DOCS.check_generator(narrow)
    long = CausalLmConfig(generation=Generation(max_new_tokens=1024))
    with pytest.raises(ConfigError, match="less than the model's context of 1024 tokens, got 1024"):
        DOCS.check_generator(long)


def test_a_prompt_that_leaves_no_room_is_noticed_before_a_run() -> None:
    settings = {"n_layer": 1, "n_head": 2, "n_embd": 16, "n_positions": 64}
    drawn = Generation(max_new_tokens=24)
    small = CausalLmConfig(model=ScratchModel(settings=settings), generation=drawn)
    fits = "a" * 20
    DOCS.check_prompts(small, [fits])
    with pytest.raises(ConfigError, match=r"at most 40 tokens .* got \d+ in prompt 2; shorten"):
        DOCS.check_prompts(small, [fits, "\u6f22" * 40])


def test_adapters_of_a_model_that_is_split_are_noticed_before_a_run() -> None:
    split = CausalLmConfig(processes=2, sharding="full")
    DOCS.check_generator(split)
    adapters = FineTuning(lora=Lora(rank=3))
    text = r"^{}\.lora: expected null where generator\.sharding is 'full', .* got rank 3; set one"
    with pytest.raises(ConfigError, match=text.format(r"generator\.refit")):
        DOCS.check_generator(split.model_copy(update={"refit": adapters}))
    with pytest.raises(ConfigError, match=text.format(r"initial\.pretraining")):
        DOCS.model_copy(update={"pretraining": adapters}).check_generator(split)
