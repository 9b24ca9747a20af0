"""Generator `causal-lm`: texts by a causal language model (paper, sections C.6 and C.8)."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self, final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from data.checkpoints import CheckpointFolder
from data.compute import compute
from data.model_folder import read_model, write_model
from data.schemas import NETWORK_TRAINING
from data.text_tokenizer import TextTokenizer
from data.texts import text_schema, text_table
from generators.causal_lm_config import CausalLmConfig, FineTuning, Generation, ScratchModel
from generators.causal_lm_initial import (
    CausalLmInitial,
    held_out_texts,
    tokenizer_for,
    training_texts,
)
from generators.lm_engines import find_engine
from generators.lm_evaluation import evaluating_in, fitting_into_memory, weights_dtype
from generators.lm_model import (
    check_tokenizer,
    check_weights,
    context_length,
    end_tokens,
    model_with,
    random_weights,
    scratch_facts,
)
from generators.lm_published import read_published
from generators.lm_texts import (
    check_room,
    contexts_of,
    end_of_answer,
    open_context,
    prompts_of,
    rows_of,
    table_of,
)
from generators.network_fit import weight_metrics
from generators.registry import Generator, GeneratorConfig, InitialConfig

if TYPE_CHECKING:
    import torch

    from generators.lm_perplexity import HeldOutLoss

FloatArray = npt.NDArray[np.float64]
USER = "generator causal-lm"


@final
class CausalLm:
    """A language model by transformers' configuration, weights and tokenizer.

    Weights are kept on the CPU in single precision. With prompts given, samples have a column
    prompt in front of those of `schema`.
    """

    Config: ClassVar[type[GeneratorConfig]] = CausalLmConfig
    InitialConfig: ClassVar[type[InitialConfig]] = CausalLmInitial
    libraries: ClassVar[tuple[str, ...]] = ("torch", "transformers", "tokenizers")
    gives_texts: ClassVar[bool] = True

    def __init__(
        self,
        config: CausalLmConfig,
        facts: Mapping[str, Any],
        weights: "Mapping[str, torch.Tensor]",
        tokenizer: TextTokenizer,
        losses: FloatArray,
    ) -> None:
        self.config = config
        self.facts = facts  # transformers' configuration
        self.weights = weights
        self.tokenizer = tokenizer
        self.losses = losses  # (num_steps,)
        self._ready: tuple[str, torch.nn.Module] | None = None

    @staticmethod
    def precision(config: CausalLmConfig, device: str) -> dict[str, Any]:
        """Number format chosen for `device`; part of the numerics class."""
        from generators.lm_precision import resolved_precision

        return dict(resolved_precision(config.precision, device))

    @property
    def schema(self) -> pa.Schema:
        """Columns token_ids, text and finished."""
        return text_schema(with_prompts=False)

    @property
    def training_log(self) -> pa.Table:
        """Loss a token of each step in nats, before the step; empty if loaded."""
        steps = np.arange(len(self.losses), dtype=np.int32)
        return pa.table({"step": steps, "loss": self.losses}, schema=NETWORK_TRAINING)

    def sample(self, num_samples: int, *, seed: int, prompts: pa.Table | None = None) -> pa.Table:
        """Completions of the prompts, or texts from their beginning where there are none.

        Row i depends on (`seed`, i) alone with engine `own`. Raises `ConfigError` for prompts
        that leave no room, `BadNumbers` for a model that has diverged, `StageFailed` where
        memory is not enough, `EnvironmentProblem` for an engine that is not installed.
        """
        texts: list[str] | None = None
        contexts: Sequence[Sequence[int]] = [open_context(self.tokenizer)] * num_samples
        ends = end_tokens(self.facts) | {self.tokenizer.end_of_text}
        if prompts is not None:
            texts = prompts_of(prompts, num_samples)
            contexts = contexts_of(texts, self.config.prompt_format, self.tokenizer)
            ends.add(end_of_answer(self.config.prompt_format, self.tokenizer))
        generation = self.config.generation
        check_room(dict(enumerate(contexts)), context_length(self.facts), generation.max_new_tokens)
        draw, device = find_engine(generation), compute().device
        model = self._on(device)
        with evaluating_in(self.precision(self.config, device), device):
            drawn = draw(model, contexts, generation, end_of_text=ends, seed=seed)
        decoded = self.tokenizer.decode(drawn.token_ids)
        return text_table(drawn.token_ids, decoded, drawn.finished, prompts=texts)

    def refit(
        self,
        curated: pa.Table,
        *,
        iteration: int,
        seed: int,
        checkpoints: CheckpointFolder | None = None,
    ) -> Self:
        """The weights fine-tuned on the curated texts, which follow their prompts if they have any.

        Raises `ConfigError` for no rows and for rows that do not fit into the model's context,
        and as `fine_tune`.
        """
        return self._trained(curated, self.config.refit, seed=seed, checkpoints=checkpoints)

    def held_out_loss(self, texts: pa.Table) -> "HeldOutLoss":
        """Mean negative log-likelihood a token of texts of `schema`, after their prompts if any.

        Raises as `lm_perplexity.held_out_loss`.
        """
        from generators.lm_perplexity import held_out_loss

        rows = rows_of(texts, self.config.prompt_format, self.tokenizer)
        precision = self.precision(self.config, compute().device)
        return held_out_loss(self._network(), rows, precision=precision)

    def metrics(self) -> dict[str, float]:
        """Number of parameters and Euclidean norm of all of them."""
        return weight_metrics(self.weights)

    def save(self, folder: Path) -> None:
        """Write model.safetensors (float32), config.json and the tokenizer's files.

        config.json is transformers' own with `kind` added.
        """
        tensors = {name: tensor.numpy() for name, tensor in self.weights.items()}
        write_model(folder, tensors, **{**self.facts, "kind": self.config.kind})
        self.tokenizer.save(folder)

    @classmethod
    def load(cls, folder: Path, config: CausalLmConfig) -> Self:
        """The model saved in `folder`; raises `ConfigError` for another kind or architecture."""
        import torch

        tensors, saved = read_model(folder, config.kind)
        tokenizer = TextTokenizer.load(folder)
        facts = {name: value for name, value in saved.items() if name != "kind"}
        weights = {name: torch.from_numpy(tensor.copy()) for name, tensor in tensors.items()}
        scratch = isinstance(config.model, ScratchModel)
        wanted = _new_facts(config.model, tokenizer) if scratch else facts
        check_weights(wanted, weights, f"{USER}: {folder}")
        return cls(config, facts, weights, tokenizer, np.empty(0))

    @classmethod
    def initial(
        cls,
        config: CausalLmConfig,
        initial_config: CausalLmInitial,
        *,
        seed: int,
        checkpoints: CheckpointFolder | None = None,
    ) -> Self:
        """Pretrained on the corpus, or the published model as it is.

        Raises `ConfigError` for a tokenizer that does not match a published model, and as
        `read_published`, `load_corpus` and `fine_tune`.
        """
        if not isinstance(config.model, ScratchModel):
            published = read_published(config.model.weights)
            tokenizer = tokenizer_for(initial_config, config.model)
            check_tokenizer(
                published.facts,
                num_tokens=tokenizer.size,
                end_of_text=tokenizer.end_of_text,
                model=config.model.weights.repo,
            )
            return cls(config, published.facts, published.weights, tokenizer, np.empty(0))
        tokenizer = tokenizer_for(initial_config, config.model)
        facts = _new_facts(config.model, tokenizer)
        fresh = cls(config, facts, random_weights(facts, seed=seed), tokenizer, np.empty(0))
        texts = table_of(training_texts(initial_config, seed=seed), tokenizer)
        return fresh._trained(texts, initial_config.pretraining, seed=seed, checkpoints=checkpoints)

    @classmethod
    def real_data(
        cls, config: CausalLmConfig, initial_config: CausalLmInitial, *, seed: int
    ) -> pa.Table:
        """The texts that `initial` is trained on, as rows of `schema`."""
        texts = training_texts(initial_config, seed=seed)
        return table_of(texts, tokenizer_for(initial_config, config.model))

    @classmethod
    def held_out_data(cls, config: CausalLmConfig, initial_config: CausalLmInitial) -> pa.Table:
        """Texts of the corpus that nothing is trained on, cut as the training texts are.

        The same for every seed, so that perplexities of all runs compare.
        """
        texts = held_out_texts(initial_config)
        return table_of(texts, tokenizer_for(initial_config, config.model))

    @classmethod
    def example(cls) -> Self:
        """A very small GPT-2, hardly trained on Python's documentation."""
        from data.cut_texts import Cut
        from data.python_docs import PythonDocs
        from data.tokenizer_config import TrainedBpe

        small = {"n_layer": 1, "n_head": 2, "n_embd": 16, "n_positions": 128}
        once = FineTuning(num_epochs=1, learning_rate=1e-3)
        drawn = Generation(max_new_tokens=12)
        config = CausalLmConfig(model=ScratchModel(settings=small), refit=once, generation=drawn)
        initial = CausalLmInitial(
            corpus=PythonDocs(),
            cut=Cut(max_words=8),
            num_texts=40,
            tokenizer=TrainedBpe(vocab_size=300),
            pretraining=once,
        )
        return cls.initial(config, initial, seed=0)

    def _on(self, device: str) -> "torch.nn.Module":
        """The network on the device, ready to be evaluated."""
        if self._ready is None or self._ready[0] != device:
            self._ready = None
            dtype = weights_dtype(self.precision(self.config, device))
            with fitting_into_memory("generator.generation.batch_size, or a smaller model"):
                network = model_with(self.facts, self.weights, dtype=dtype, device=device)
            self._ready = device, network
        return self._ready[1]

    def _network(self) -> "torch.nn.Module":
        """A network with these weights, of its own, on the CPU in single precision."""
        import torch

        return model_with(self.facts, self.weights, dtype=torch.float32, device="cpu")

    def _trained(
        self,
        texts: pa.Table,
        tuning: FineTuning,
        *,
        seed: int,
        checkpoints: CheckpointFolder | None,
    ) -> Self:
        from generators.lm_processes import fine_tune_together

        rows = rows_of(texts, self.config.prompt_format, self.tokenizer)
        precision = self.precision(self.config, compute().device)
        fit = fine_tune_together(
            self._network(),
            rows,
            tuning,
            precision=precision,
            seed=seed,
            processes=self.config.processes,
            sharded=self.config.sharding == "full",
            checkpoints=checkpoints,
        )
        assert fit.weights.keys() <= self.weights.keys()
        # Buffers are not trained.
        weights = {**self.weights, **{name: one.float() for name, one in fit.weights.items()}}
        return type(self)(self.config, self.facts, weights, self.tokenizer, fit.losses)


def _new_facts(model: Any, tokenizer: TextTokenizer) -> dict[str, Any]:
    return scratch_facts(model, num_tokens=tokenizer.size, end_of_text=tokenizer.end_of_text)


GENERATOR: type[Generator] = CausalLm
