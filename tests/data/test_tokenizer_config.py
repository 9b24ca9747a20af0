"""Tokenizers by configuration."""

import pytest
from pydantic import TypeAdapter, ValidationError

from data.configuration import describe_errors
from data.tokenizer_config import PublishedTokenizer, TokenizerConfig, TrainedBpe


def test_the_kind_chooses_the_configuration() -> None:
    adapter: TypeAdapter[TrainedBpe | PublishedTokenizer] = TypeAdapter(TokenizerConfig)
    assert adapter.validate_python({"kind": "bpe", "vocab_size": 300}) == TrainedBpe(vocab_size=300)
    published = adapter.validate_python({"kind": "published"})
    assert isinstance(published, PublishedTokenizer)
    assert published.weights.repo == "openai-community/gpt2"
    with pytest.raises(ValidationError, match="'bpe', 'published'"):
        adapter.validate_python({"kind": "words"})


def test_a_vocabulary_without_room_for_all_bytes_is_refused() -> None:
    with pytest.raises(ValidationError, match="greater than or equal to 257"):
        TrainedBpe(vocab_size=256)


def test_a_stand_in_is_refused() -> None:
    weights = {"repo": "a/b", "revision": "0" * 40, "host": "stand-in"}
    with pytest.raises(ValidationError) as caught:
        PublishedTokenizer.model_validate({"weights": weights})
    assert "weights.host: expected hub or github, got 'stand-in'" in describe_errors(caught.value)
