"""Domain `gpt2`: a small GPT-2 retrained on texts of the lengths two rewards prefer (E4).

Presets differ in scale: the paper's 6 layers on WikiText-2, the same for one GPU, a 2-layer model
with a small vocabulary for two cores, and that model on the prose of Python's own documentation,
which needs no download.
"""

from prefect import flow

from data.cut_texts import Cut
from data.errors import ConfigError
from data.published_weights import PublishedWeights
from data.python_docs import PythonDocs
from data.tokenizer_config import PublishedTokenizer, TrainedBpe
from data.wikitext import WikiText2
from flows.domain import Domain, Plain, Preset, merge
from flows.prefect_rounds import prefect_rounds
from generators.causal_lm_config import CausalLmConfig, FineTuning, Generation, ScratchModel
from generators.causal_lm_initial import CausalLmInitial
from rewards.length import LengthConfig
from tasks.pool_config import PoolConfig
from tasks.selection import SelectionConfig
from tasks.settings import EvaluationConfig, RunConfig, RuntimeConfig

# T_A of the paper's two targets, and words a text may be longer than the larger one.
SHORT, MARGIN = 10, 14
TOKENS_PER_WORD = 2
DISTANCE = 20
GPT2 = PublishedWeights(
    repo="openai-community/gpt2", revision="607a30d783dfa663caf39e06633721c8d4cfcd7e"
)


def length_rewards(distance: int) -> tuple[LengthConfig, ...]:
    """Two targets at this distance in words, the shorter one the paper's T_A = 10."""
    return (
        LengthConfig(name="short", target=SHORT, weight=0.5),
        LengthConfig(name="long", target=SHORT + distance, weight=0.5),
    )


def max_new_tokens(distance: int) -> int:
    """Tokens a text may have: twice the words of the larger target and a margin (ours)."""
    return TOKENS_PER_WORD * (SHORT + distance + MARGIN)


def paper() -> RunConfig:
    """E4: 6 layers, 20 rounds of 200 texts, 200 winners of a pool that starts with 1,000 seeds."""
    return RunConfig(
        domain="gpt2",
        iterations=20,
        num_candidates=200,
        generator=CausalLmConfig(
            refit=FineTuning(num_epochs=2, learning_rate=5e-5, batch_size=8),
            generation=Generation(max_new_tokens=max_new_tokens(DISTANCE)),
        ),
        initial=CausalLmInitial(
            corpus=WikiText2(),
            cut=Cut(min_words=1, max_words=64),
            tokenizer=PublishedTokenizer(weights=GPT2),
            num_texts=100_000,
            pretraining=FineTuning(
                num_epochs=3, learning_rate=5e-4, schedule="cosine", warm_up=500, batch_size=32
            ),
        ),
        rewards=length_rewards(DISTANCE),
        selection=SelectionConfig(num_curated=200, temperature=0.5),
        pool=PoolConfig(num_seeds=1_000, num_survivors=100),
        evaluation=EvaluationConfig(num_samples=200),
        runtime=RuntimeConfig(device="cuda", batch_size=256),
    )


def gpu_small() -> RunConfig:
    """E4 with the paper's model on fewer pretraining texts, meant for an hour of one GPU."""
    base = paper()
    assert isinstance(base.initial, CausalLmInitial)
    return base.model_copy(
        update={
            "iterations": 10,
            "initial": base.initial.model_copy(update={"num_texts": 20_000}),
        }
    )


def small(
    corpus: WikiText2 | PythonDocs, *, vocab_size: int, num_texts: int, iterations: int
) -> RunConfig:
    """2 layers, 96 wide: a model that two cores train in seconds.

    So small a model needs ten times the paper's learning rate to end texts after 50 words.
    """
    return RunConfig(
        domain="gpt2",
        iterations=iterations,
        num_candidates=200,
        generator=CausalLmConfig(
            model=ScratchModel(
                settings={"n_layer": 2, "n_head": 2, "n_embd": 96, "n_positions": 256}
            ),
            refit=FineTuning(num_epochs=2, learning_rate=5e-4, batch_size=8),
            generation=Generation(max_new_tokens=max_new_tokens(DISTANCE), batch_size=200),
        ),
        initial=CausalLmInitial(
            corpus=corpus,
            cut=Cut(min_words=1, max_words=64),
            tokenizer=TrainedBpe(vocab_size=vocab_size),
            num_texts=num_texts,
            pretraining=FineTuning(
                num_epochs=2, learning_rate=2e-3, schedule="cosine", warm_up=50, batch_size=32
            ),
        ),
        rewards=length_rewards(DISTANCE),
        selection=SelectionConfig(num_curated=200, temperature=0.5),
        pool=PoolConfig(num_seeds=1_000, num_survivors=100),
        evaluation=EvaluationConfig(num_samples=200),
        runtime=RuntimeConfig(batch_size=256),
    )


def cpu_mini() -> RunConfig:
    """Real WikiText-2 with a vocabulary of 2,000 pieces learnt from it."""
    return small(WikiText2(), vocab_size=2_000, num_texts=4_000, iterations=20)


def offline() -> RunConfig:
    """The same on the prose of Python's documentation, which is on every machine."""
    return small(PythonDocs(), vocab_size=1_000, num_texts=3_000, iterations=12)


def expand(raw: Plain) -> Plain:
    """Resolve the short key `distance`: d of the two targets in words, with the tokens it needs.

    Everything else of the two rewards stays. Raises `ConfigError` for a value it cannot have and
    for other rewards.
    """
    rest = {key: value for key, value in raw.items() if key != "distance"}
    distance = raw.get("distance")
    if distance is None:
        return rest
    is_number = isinstance(distance, int | float) and not isinstance(distance, bool)
    if not is_number or not float(distance).is_integer() or distance < 0:
        raise ConfigError(
            f"distance: expected a whole number of words of at least 0, got {distance!r}; the "
            f"shorter target is {SHORT}"
        )
    two, targets = rest.get("rewards"), (SHORT, SHORT + int(distance))
    if not isinstance(two, list) or len(two) != 2 or not all(map(_is_length, two)):
        raise ConfigError(
            f"distance: expected exactly 2 rewards of kind length, got {two!r}; leave distance out "
            "and set the target of each"
        )
    rewards = [one | {"target": target} for one, target in zip(two, targets, strict=True)]
    rest = {**rest, "rewards": rewards}
    generator = rest.get("generator")
    # Anything but mappings is refused where the whole is read.
    if not isinstance(generator, dict) or not isinstance(generator.get("generation", {}), dict):
        return rest
    tokens = {"max_new_tokens": max_new_tokens(int(distance))}
    return merge(rest, {"generator": {"generation": tokens}})


def _is_length(reward: object) -> bool:
    return isinstance(reward, dict) and reward.get("kind") == "length"


@flow(name="gpt2", flow_run_name="{run}", persist_result=False, validate_parameters=False)
def gpt2(store: str, run: str) -> None:
    """Run or resume the text run `run` of the store at `store`."""
    prefect_rounds(store, run)


ARMS: dict[str, Plain] = {"balanced": {"q": 0.5}, "single": {"q": 1.0}}

DOMAIN = Domain(
    name="gpt2",
    presets={
        "paper": Preset(
            base=paper, meaning="E4 at the paper's scale: 6 layers, WikiText-2, a GPU", arms=ARMS
        ),
        "gpu-small": Preset(
            base=gpu_small, meaning="E4 with less pretraining, meant for an hour of one GPU",
            arms=ARMS,
        ),
        "cpu-mini": Preset(
            base=cpu_mini, meaning="WikiText-2 with 2 layers and 2,000 tokens, two cores", arms=ARMS
        ),
        "offline": Preset(
            base=offline, meaning="prose of Python's documentation, no download, minutes", arms=ARMS
        ),
    },
    flow=gpt2,
    expand=expand,
)  # fmt: skip
