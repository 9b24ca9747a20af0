"""How the p_0 of generator `causal-lm` is made: trained here on a corpus, or published."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from data.configuration import setting
from data.corpora import CorpusConfig, WikiText2, load_corpus
from data.cut_texts import Cut, cut_documents
from data.errors import ConfigError
from data.tokenizer_config import TokenizerConfig
from generators.causal_lm_config import CausalLmConfig, FineTuning, ScratchModel
from generators.lm_model import check_scratch
from generators.registry import InitialConfig

if TYPE_CHECKING:
    from data.text_tokenizer import TextTokenizer


class CausalLmInitial(InitialConfig):
    """Training texts, tokenizer and pretraining; a published model brings both along."""

    corpus: CorpusConfig = setting(WikiText2(), "documents p_0 is a model of", "S")
    cut: Cut | None = setting(
        Cut(), "how a document becomes a text: its first words; whole when null", "O"
    )
    num_texts: int | None = setting(
        1000, "texts made of the documents; one of each when null", "S", ge=1
    )
    tokenizer: TokenizerConfig | None = setting(
        None, "between texts and tokens; a published model's own when null", "S"
    )
    pretraining: FineTuning = setting(
        FineTuning(),
        "fit of p_0 from random weights; without effect where the model is published",
        "O",
    )

    def check_generator(self, generator: CausalLmConfig) -> None:
        """Raise `ConfigError` for a generator that cannot be built, or lacks a tokenizer."""
        if not isinstance(generator.model, ScratchModel):
            return
        if self.tokenizer is None:
            raise ConfigError(
                "initial.tokenizer: expected one for a model trained from scratch, got null, which "
                "means a published model's own; set it, for example to kind bpe"
            )
        check_scratch(generator.model)

    def check_weights(self, generator: CausalLmConfig) -> None:
        """Raise as `find_model_folder` for a published model whose files are not there."""
        if not isinstance(generator.model, ScratchModel):
            from generators.lm_published import find_model_folder

            find_model_folder(generator.model.weights)


def training_texts(initial: CausalLmInitial, *, seed: int) -> list[str]:
    """The texts that p_0 is trained on: documents of the training split, cut.

    Raises as `load_corpus`, and `ConfigError` for more texts than documents where none is cut.
    """
    documents = load_corpus(initial.corpus, "train")
    if initial.cut is not None:
        return cut_documents(documents, initial.cut, num_texts=initial.num_texts, seed=seed)
    if initial.num_texts is None:
        return list(documents)
    if initial.num_texts > len(documents):
        raise ConfigError(
            f"initial.num_texts: expected at most the {len(documents)} documents of the corpus "
            f"where they are not cut, got {initial.num_texts}; lower it, or set initial.cut"
        )
    rows = np.random.default_rng(seed).permutation(len(documents))[: initial.num_texts]
    return [documents[row] for row in rows]


def find_tokenizer(initial: CausalLmInitial, published: Path | None = None) -> "TextTokenizer":
    """The configured tokenizer, or that in the folder of a published model."""
    from data.text_tokenizer import TextTokenizer, make_tokenizer

    if initial.tokenizer is None:
        assert published is not None, "check_generator asks for one"
        return TextTokenizer.published(published)
    documents = load_corpus(initial.corpus, "train")
    return make_tokenizer(initial.tokenizer, documents)
