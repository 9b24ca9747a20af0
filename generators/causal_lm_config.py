"""Configuration of generator `causal-lm`: the model, how it is sampled, how it is fine-tuned.

Defaults are those of the paper's GPT-2 (section C.6).
"""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from data.configuration import FrozenConfig, setting
from data.published_weights import PublishedWeights
from generators.registry import GeneratorConfig

Precision = Literal["auto", "fp32", "tf32", "bf16", "fp64"]
Sharding = Literal["none", "full"]

# 6 layers, 6 heads, 384 wide (paper, section C.6).
PAPER_GPT2 = {"n_layer": 6, "n_head": 6, "n_embd": 384, "n_positions": 1024}


class ScratchModel(FrozenConfig):
    """Any causal language model that transformers can build, with random weights."""

    kind: Literal["scratch"] = setting("scratch", "where the model comes from", "S")
    model_type: str = setting("gpt2", "transformers' name of the architecture", "S")
    settings: dict[str, int | float | bool | str | None] = setting(
        PAPER_GPT2,
        "fields of its transformers configuration; vocabulary and end of text are the tokenizer's",
        "S",
    )


class PublishedModel(FrozenConfig):
    """A published causal language model with its tokenizer, from the hub or a folder."""

    kind: Literal["published"] = setting("published", "where the model comes from", "S")
    weights: PublishedWeights = setting(..., "repository and commit, perhaps a folder", "S")


class Lora(FrozenConfig):
    """Low-rank adapters instead of all weights; merged into the weights after every round."""

    rank: int = setting(16, "rank of an adapter", "O", ge=1)
    alpha: int = setting(32, "scale of an adapter, over its rank", "O", ge=1)
    dropout: float = setting(0.0, "share of an adapter's inputs dropped", "O", ge=0, lt=1)
    targets: tuple[str, ...] | None = setting(
        None, "names of the adapted layers; peft's choice for the architecture when null", "O"
    )


class FineTuning(FrozenConfig):
    """One fit by AdamW on texts, every text once an epoch in random order."""

    num_epochs: int = setting(2, "passes over the texts", "Q", ge=1)
    learning_rate: float = setting(5e-5, "AdamW's largest step size", "Q", gt=0)
    schedule: Literal["constant", "linear", "cosine"] = setting(
        "constant", "how the learning rate goes to 0 after the warm-up, or not", "O"
    )
    warm_up: int = setting(0, "steps over which the learning rate rises from 0", "O", ge=0)
    weight_decay: float = setting(0.01, "AdamW's decoupled weight decay", "O", ge=0)
    clip: float = setting(1.0, "largest norm of the gradient", "O", gt=0)
    batch_size: int = setting(8, "texts in an optimizer step", "Q", ge=1)
    micro_batch_size: int | None = setting(
        None,
        "texts in memory at once, whose gradients add up to a step's; all when null",
        "O",
        ge=1,
    )
    gradient_checkpointing: bool = setting(
        False, "whether activations are computed again instead of kept", "O"
    )
    lora: Lora | None = setting(None, "adapters to train instead of all weights", "O")
    checkpoint_every: int = setting(
        500, "optimizer steps between two checkpoints within the fit", "O", location=True, ge=1
    )


class Generation(FrozenConfig):
    """How a text is drawn: softmax with temperature, cut to the nucleus, token by token."""

    temperature: float = setting(0.8, "divisor of the logits", "Q", gt=0)
    top_p: float = setting(0.95, "mass of the smallest set of tokens kept", "O", gt=0, le=1)
    max_new_tokens: int = setting(128, "tokens after which a text is cut off", "O", ge=1)
    batch_size: int = setting(64, "texts generated at once", "O", ge=1)
    engine: Literal["own", "transformers", "vllm"] = setting(
        "own",
        "own: preallocated cache and a nucleus without a full sort, rows with seeds of their own; "
        "transformers: its generate; vllm: a separate package, for large models on GPUs",
        "O",
    )


Model = Annotated[ScratchModel | PublishedModel, Field(discriminator="kind")]


class CausalLmConfig(GeneratorConfig):
    """A causal language model: its architecture, how it is fine-tuned, how it is sampled."""

    after_initial: ClassVar[frozenset[str]] = frozenset({"refit", "generation"})

    kind: Literal["causal-lm"] = setting("causal-lm", "model family", "S")
    model: Model = setting(ScratchModel(), "architecture or published model", "S")
    prompt_format: str = setting(
        "{prompt}\n",
        "text before a completion where there are prompts; `chat` for the tokenizer's template",
        "O",
    )
    refit: FineTuning = setting(FineTuning(), "fine-tuning of a round", "Q")
    generation: Generation = setting(Generation(), "how texts are drawn", "Q")
    precision: Precision = setting(
        "auto", "auto: fp32 on a CPU, bf16 on a GPU that computes it", "O"
    )
    processes: int = setting(1, "processes, one a GPU, that share training", "O", ge=1)
    sharding: Sharding = setting(
        "none",
        "none: every process keeps model and optimizer whole; full: each keeps a part of weights, "
        "gradients and optimizer, for a model that does not fit on one GPU",
        "O",
        added=True,
    )

    @property
    def chosen_libraries(self) -> tuple[str, ...]:
        """Those of adapters and of another engine."""
        adapters = ("peft",) if self.refit.lora is not None else ()
        return (*adapters, "vllm") if self.generation.engine == "vllm" else adapters

    @model_validator(mode="after")
    def _check_prompt_format(self) -> Self:
        if self.prompt_format != "chat" and "{prompt}" not in self.prompt_format:
            raise ValueError(
                f"prompt_format: expected 'chat' or a text with {{prompt}} in it, got "
                f"{self.prompt_format!r}"
            )
        return self

    @model_validator(mode="after")
    def _check_sharding(self) -> Self:
        if self.sharding == "full" and self.processes == 1:
            raise ValueError(
                "sharding: expected 'none' for one process, which keeps all there is, got 'full'; "
                "raise processes"
            )
        return self
