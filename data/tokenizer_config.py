"""Which tokenizer a language model reads and writes with."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from data.configuration import FrozenConfig, setting
from data.published_weights import PublishedWeights


class TrainedBpe(FrozenConfig):
    """Byte pairs merged by how often they occur in the texts of the first model."""

    kind: Literal["bpe"] = setting("bpe", "tokenizer", "O")
    vocab_size: int = setting(
        2_000, "most tokens: 256 bytes, end of text, and merges while there are any", "O", ge=257
    )
    min_frequency: int = setting(2, "how often a pair has to occur to be merged", "O", ge=1)


class PublishedTokenizer(FrozenConfig):
    """A published tokenizer, from the hub or a folder."""

    kind: Literal["published"] = setting("published", "tokenizer", "S")
    weights: PublishedWeights = setting(
        PublishedWeights(
            repo="openai-community/gpt2", revision="607a30d783dfa663caf39e06633721c8d4cfcd7e"
        ),
        "repository and commit; a folder holds tokenizer.json, or vocab.json and merges.txt",
        "S",
    )

    @model_validator(mode="after")
    def _refuse_stand_in(self) -> Self:
        if self.weights.host == "stand-in":
            raise ValueError(
                "weights.host: expected hub or github, got 'stand-in', which tokenizers have not; "
                "use a tokenizer of kind bpe, which needs no download"
            )
        return self


TokenizerConfig = Annotated[TrainedBpe | PublishedTokenizer, Field(discriminator="kind")]
