"""Domain `qwen`: a language model answers prompts and is retrained on the answers rewards prefer.

The completions of one prompt are a pool, and the active reward is drawn for every prompt (E11).
Presets: the paper's Qwen2.5-1.5B with ArmoRM and Llama Guard, a smaller Qwen2.5 for one GPU, and
a tiny model of the same architecture with rewards that are computed, for machines without a
network. Any other model, set of prompts and list of rewards can be put in a YAML.
"""

from prefect import flow

from data.cut_texts import Cut
from data.errors import ConfigError
from data.prompts import PythonTopics
from data.published_weights import PublishedWeights
from data.python_docs import PythonDocs
from data.tokenizer_config import PublishedTokenizer, TrainedBpe
from data.ultrafeedback import UltraFeedback
from flows.domain import Domain, Plain, Preset
from flows.prefect_rounds import prefect_rounds
from generators.causal_lm_config import (
    CausalLmConfig,
    FineTuning,
    Generation,
    PublishedModel,
    ScratchModel,
)
from generators.causal_lm_initial import CausalLmInitial
from rewards.armo_rm import ArmoRmConfig
from rewards.brevity import BrevityConfig
from rewards.llama_guard import LlamaGuardConfig
from rewards.registry import RewardConfig
from rewards.word_coverage import WordCoverageConfig
from tasks.prompt_groups import PromptsConfig
from tasks.selection import SelectionConfig
from tasks.settings import EvaluationConfig, RunConfig, RuntimeConfig

HELPFULNESS, SAFETY = "helpfulness", "safety"
BREVITY, COVERAGE = "brevity", "coverage"
QWEN = PublishedWeights(
    repo="Qwen/Qwen2.5-1.5B", revision="8faed761d45a263340a0528343f099c05c9a4323"
)
SMALL_QWEN = PublishedWeights(
    repo="Qwen/Qwen2.5-0.5B", revision="060db6499f32faf8b98477b0a26969ef7d8b9987"
)


def learned_rewards() -> tuple[RewardConfig, ...]:
    """Helpfulness and safety of the paper, standardised on p_0."""
    return (
        ArmoRmConfig(name=HELPFULNESS, standardise=True, weight=0.5),
        LlamaGuardConfig(name=SAFETY, standardise=True, weight=0.5),
    )


def computed_rewards() -> tuple[RewardConfig, ...]:
    """Short answers against answers that take up the prompt's words, standardised on p_0."""
    return (
        BrevityConfig(name=BREVITY, standardise=True, weight=0.5),
        WordCoverageConfig(name=COVERAGE, standardise=True, weight=0.5),
    )


def paper() -> RunConfig:
    """E11: Qwen2.5-1.5B, 30 rounds of 512 prompts with 8 completions each."""
    prompts = PromptsConfig(source=UltraFeedback(), per_round=512, num_completions=8)
    return RunConfig(
        domain="qwen",
        iterations=30,
        num_candidates=prompts.num_candidates,
        prompts=prompts,
        generator=CausalLmConfig(
            model=PublishedModel(weights=QWEN),
            prompt_format="chat",
            refit=FineTuning(num_epochs=1, learning_rate=1e-5, batch_size=32, micro_batch_size=8,
                             gradient_checkpointing=True),
            generation=Generation(
                temperature=1.0, top_p=1.0, max_new_tokens=256, batch_size=128,
                engine="transformers",
            ),
        ),
        initial=CausalLmInitial(tokenizer=PublishedTokenizer(weights=QWEN)),
        rewards=learned_rewards(),
        selection=SelectionConfig(scheme="grouped", num_curated=prompts.per_round),
        evaluation=EvaluationConfig(num_samples=512),
        runtime=RuntimeConfig(device="cuda", batch_size=32, shard_rows=1_024),
    )  # fmt: skip


def gpu_small() -> RunConfig:
    """Qwen2.5-0.5B with 128 prompts a round and 8 rounds, meant for an hour of one GPU."""
    base = paper()
    assert base.prompts is not None
    prompts = base.prompts.model_copy(update={"per_round": 128})
    return base.model_copy(
        update={
            "iterations": 8,
            "num_candidates": prompts.num_candidates,
            "prompts": prompts,
            "generator": CausalLmConfig(
                model=PublishedModel(weights=SMALL_QWEN),
                prompt_format="chat",
                refit=FineTuning(num_epochs=1, learning_rate=1e-5, batch_size=32),
                generation=Generation(
                    temperature=1.0, top_p=1.0, max_new_tokens=128, batch_size=256
                ),
            ),
            "initial": CausalLmInitial(tokenizer=PublishedTokenizer(weights=SMALL_QWEN)),
            "selection": SelectionConfig(scheme="grouped", num_curated=prompts.per_round),
            "evaluation": EvaluationConfig(num_samples=256),
        }
    )


def offline() -> RunConfig:
    """A tiny Qwen2 trained on Python's documentation, prompts from it, computed rewards."""
    prompts = PromptsConfig(source=PythonTopics(), per_round=32, num_completions=8)
    return RunConfig(
        domain="qwen",
        iterations=6,
        num_candidates=prompts.num_candidates,
        prompts=prompts,
        generator=CausalLmConfig(
            model=ScratchModel(
                model_type="qwen2",
                settings={
                    "num_hidden_layers": 2,
                    "hidden_size": 96,
                    "intermediate_size": 256,
                    "num_attention_heads": 4,
                    "num_key_value_heads": 2,
                    "max_position_embeddings": 192,
                    "tie_word_embeddings": True,
                },
            ),
            refit=FineTuning(num_epochs=2, learning_rate=3e-4, batch_size=8),
            generation=Generation(temperature=1.0, top_p=0.95, max_new_tokens=64, batch_size=256),
        ),
        initial=CausalLmInitial(
            corpus=PythonDocs(),
            cut=Cut(min_words=4, max_words=40),
            tokenizer=TrainedBpe(vocab_size=1_000),
            num_texts=3_000,
            pretraining=FineTuning(
                num_epochs=2, learning_rate=2e-3, schedule="cosine", warm_up=50, batch_size=32
            ),
        ),
        rewards=computed_rewards(),
        selection=SelectionConfig(scheme="grouped", num_curated=prompts.per_round),
        evaluation=EvaluationConfig(num_samples=200),
        runtime=RuntimeConfig(batch_size=256),
    )


def expand(raw: Plain) -> Plain:
    """Resolve the short keys `prompts_per_round` and `num_completions`.

    They set the prompts, and with them the candidates and the draws of a round. Raises
    `ConfigError` for values they cannot have.
    """
    keys = {"prompts_per_round": "per_round", "num_completions": "num_completions"}
    rest = {key: value for key, value in raw.items() if key not in keys}
    given = {name: raw[key] for key, name in keys.items() if raw.get(key) is not None}
    for key, name in keys.items():
        if name in given and (type(given[name]) is not int or given[name] < 1):
            raise ConfigError(f"{key}: expected a whole number of at least 1, got {given[name]!r}")
    present, selection = rest.get("prompts") or {}, rest.get("selection") or {}
    if not given or not isinstance(present, dict) or not isinstance(selection, dict):
        return rest  # anything but mappings is refused where the whole is read
    defaults = {name: PromptsConfig.model_fields[name].default for name in keys.values()}
    prompts = {**present, **given}
    per_round, num_completions = ({**defaults, **prompts}[name] for name in keys.values())
    rest = {**rest, "prompts": prompts, "selection": {**selection, "num_curated": per_round}}
    if type(per_round) is not int or type(num_completions) is not int:
        return rest
    return {**rest, "num_candidates": per_round * num_completions}


@flow(name="qwen", flow_run_name="{run}", persist_result=False, validate_parameters=False)
def qwen(store: str, run: str) -> None:
    """Run or resume the run `run` of a model that answers prompts, of the store at `store`."""
    prefect_rounds(store, run)


ARMS: dict[str, Plain] = {"balanced": {"q": 0.5}, "single": {"q": 1.0}}

DOMAIN = Domain(
    name="qwen",
    presets={
        "paper": Preset(
            base=paper, meaning="E11 at the paper's scale: Qwen2.5-1.5B, 8B reward models, GPUs",
            arms=ARMS,
        ),
        "gpu-small": Preset(
            base=gpu_small, meaning="Qwen2.5-0.5B with the same rewards, meant for one GPU",
            arms=ARMS,
        ),
        "offline": Preset(
            base=offline, meaning="a tiny Qwen2 and computed rewards, no download, minutes",
            arms=ARMS,
        ),
    },
    flow=qwen,
    expand=expand,
)  # fmt: skip
