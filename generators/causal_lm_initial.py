"""How the p_0 of generator `causal-lm` is made: trained here on a corpus, or published."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from data.configuration import setting
from data.corpora import CorpusConfig, load_corpus
from data.cut_texts import Cut, cut_documents
from data.errors import ConfigError
from data.text_tokenizer import TextTokenizer, make_tokenizer
from data.tokenizer_config import PublishedTokenizer, TokenizerConfig, TrainedBpe
from data.tokenizer_folder import find_tokenizer
from data.wikitext import WikiText2
from generators.causal_lm_config import CausalLmConfig, FineTuning, PublishedModel, ScratchModel
from generators.lm_model import check_scratch, check_tokenizer, context_length, scratch_facts
from generators.lm_published import find_model_folder, read_facts
from generators.lm_texts import check_prompts
from generators.registry import InitialConfig

# Texts that perplexity is measured on; every one costs a pass of the model in every round.
MOST_HELD_OUT = 200
HELD_OUT_SEED = 0


class CausalLmInitial(InitialConfig):
    """Training texts and tokenizer of a model from scratch; a published one is taken as it is."""

    corpus: CorpusConfig = setting(WikiText2(), "documents p_0 is a model of", "S")
    cut: Cut | None = setting(
        Cut(), "how a document becomes a text: its first words; whole when null", "O"
    )
    num_texts: int | None = setting(
        1000, "texts made of the documents; one of each when null", "S", ge=1
    )
    tokenizer: TokenizerConfig | None = setting(
        None,
        "between texts and tokens; when null a published model's own, GPT-2's for one from scratch",
        "S",
    )
    pretraining: FineTuning = setting(
        FineTuning(),
        "fit of p_0 from random weights; without effect where the model is published",
        "O",
    )

    def check_generator(self, generator: CausalLmConfig) -> None:
        """Raise `ConfigError` for a generator that cannot be built or trained, before it is."""
        if isinstance(generator.model, ScratchModel):
            check_scratch(generator.model, generator.generation.max_new_tokens)
        fits = {"generator.refit": generator.refit, "initial.pretraining": self.pretraining}
        for name, tuning in fits.items():
            if generator.sharding == "full" and tuning.lora is not None:
                raise ConfigError(
                    f"{name}.lora: expected null where generator.sharding is 'full', as adapters "
                    f"are not split, got rank {tuning.lora.rank}; set one of them otherwise"
                )

    def check_weights(self, generator: CausalLmConfig) -> None:
        """Raise for published files that are not there, or a tokenizer of another model.

        As `read_facts`, `find_tokenizer`, `tokenizer_for` and `check_tokenizer` do.
        """
        if isinstance(generator.model, PublishedModel):
            weights = generator.model.weights
            # Before the tokenizer's: the command for its files fetches those as well.
            facts = read_facts(weights)
            tokenizer = tokenizer_for(self, generator.model)
            check_tokenizer(
                facts,
                num_tokens=tokenizer.size,
                end_of_text=tokenizer.end_of_text,
                model=weights.repo,
            )
        elif not isinstance(self.tokenizer, TrainedBpe):
            find_tokenizer((self.tokenizer or PublishedTokenizer()).weights)

    def check_prompts(self, generator: CausalLmConfig, prompts: Sequence[str]) -> None:
        """Raise `ConfigError`, with its number from 1, for a prompt with no room for an answer.

        Raises as `tokenizer_for` and `read_facts` as well.
        """
        model = generator.model
        if isinstance(model, PublishedModel):
            facts = read_facts(model.weights)
        else:
            facts = scratch_facts(model, num_tokens=2, end_of_text=0)
        check_prompts(
            prompts,
            generator.prompt_format,
            tokenizer_for(self, model),
            context_length(facts),
            generator.generation.max_new_tokens,
        )


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


def held_out_texts(initial: CausalLmInitial) -> list[str]:
    """At most `MOST_HELD_OUT` texts of the held-out split, cut as the training texts are."""
    documents = load_corpus(initial.corpus, "held-out")[:MOST_HELD_OUT]
    if initial.cut is None:
        return list(documents)
    return cut_documents(documents, initial.cut, num_texts=None, seed=HELD_OUT_SEED)


def tokenizer_for(initial: CausalLmInitial, model: ScratchModel | PublishedModel) -> TextTokenizer:
    """The configured tokenizer, else a published model's own or GPT-2's.

    One that is trained sees whole documents. Raises as `make_tokenizer`, `load_corpus` and
    `find_model_folder`.
    """
    if initial.tokenizer is None and isinstance(model, PublishedModel):
        return TextTokenizer.published(find_model_folder(model.weights))
    config = initial.tokenizer or PublishedTokenizer()
    if isinstance(config, TrainedBpe):
        return _trained(config, initial.corpus)
    return make_tokenizer(config, ())


@lru_cache(maxsize=2)
def _trained(config: TrainedBpe, corpus: CorpusConfig) -> TextTokenizer:
    """Kept by the process: it is asked for by every evaluation, and never changes."""
    return make_tokenizer(config, load_corpus(corpus, "train"))
