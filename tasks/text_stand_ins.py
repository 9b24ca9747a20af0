"""What stands in for parts of the paper's text experiments, from the configuration alone."""

from collections.abc import Iterator

from data.prompts import PythonTopics
from data.python_docs import PythonDocs
from data.tokenizer_config import PublishedTokenizer, TrainedBpe
from generators.causal_lm_config import CausalLmConfig, PublishedModel, ScratchModel
from generators.causal_lm_initial import CausalLmInitial
from rewards.registry import every_part
from tasks.settings import RunConfig

# Rewards computed from words, where the paper has models of what people like.
COMPUTED = ("brevity", "word-coverage")
PAPER_MODEL = "Qwen/Qwen2.5-1.5B"


def text_stand_ins(config: RunConfig) -> Iterator[str]:
    """One text a stand-in, `this in place of that`; none for runs that are not of texts.

    Without prompts a run is measured against the paper's GPT-2, with them against its Qwen2.5.
    """
    generator, initial = config.generator, config.initial
    if not isinstance(generator, CausalLmConfig) or not isinstance(initial, CausalLmInitial):
        return
    if config.prompts is None:
        yield from _of_gpt2(generator, initial)
    else:
        yield from _of_qwen(config, generator)


def _of_gpt2(generator: CausalLmConfig, initial: CausalLmInitial) -> Iterator[str]:
    model = generator.model
    if isinstance(model, PublishedModel):
        yield f"{model.weights.repo} in place of the paper's GPT-2 of 6 layers"
    elif model != ScratchModel():
        yield f"another {model.model_type} in place of the GPT-2 of 6 layers, 384 wide"
    if isinstance(initial.corpus, PythonDocs):
        yield "prose of Python's documentation in place of WikiText-2"
    elif initial.corpus.kind != "wikitext-2":
        yield "texts of the user's own in place of WikiText-2"
    tokenizer = initial.tokenizer
    if isinstance(tokenizer, TrainedBpe):
        yield f"a vocabulary of {tokenizer.vocab_size} trained pieces in place of GPT-2's"
    elif tokenizer is not None and tokenizer != PublishedTokenizer():
        yield "another tokenizer in place of GPT-2's"


def _of_qwen(config: RunConfig, generator: CausalLmConfig) -> Iterator[str]:
    model = generator.model
    if not isinstance(model, PublishedModel):
        yield f"a {model.model_type} trained from scratch in place of Qwen2.5-1.5B"
    elif model.weights.host == "stand-in":
        yield "a tiny random model in place of Qwen2.5-1.5B"
    elif model.weights.repo != PAPER_MODEL or model.weights.folder is not None:
        yield f"{model.weights.repo} as configured in place of the pinned Qwen2.5-1.5B"
    assert config.prompts is not None
    if isinstance(config.prompts.source, PythonTopics):
        yield "sentences of Python's documentation in place of UltraFeedback's prompts"
    elif config.prompts.source.kind != "ultrafeedback":
        yield "prompts of the user's own in place of UltraFeedback's"
    computed = [one.kind for one in every_part(config.rewards) if one.kind in COMPUTED]
    if computed:
        yield f"{', '.join(dict.fromkeys(computed))} of the words in place of learned rewards"
