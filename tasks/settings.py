"""The configuration of one run: what it samples, rewards, selects, retrains and evaluates."""

import math
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import (
    BeforeValidator,
    SerializeAsAny,
    ValidationError,
    field_validator,
    model_validator,
)

from data.canonical import digest_of
from data.configuration import FrozenConfig, describe_errors, setting
from data.errors import ConfigError
from generators.registry import (
    GeneratorConfig,
    InitialConfig,
    find_generator,
    parse_generator,
)
from rewards.classifier_config import ClassifierConfig
from rewards.registry import RewardConfig, parse_reward
from tasks.classifier_checks import check_classifier
from tasks.fid import InceptionConfig
from tasks.pool_config import PoolConfig, check_pool
from tasks.prompt_groups import PromptsConfig, check_prompts
from tasks.selection import SelectionConfig, check_selection
from tasks.weight_keys import expand_weights

MAX_SEED = 2**63 - 1
# Rows are numbered in 32 bits.
MAX_ROWS = 2**31 - 1


class EvaluationConfig(FrozenConfig):
    """How each model is measured."""

    num_samples: int = setting(1000, "fresh samples from each model p_k", "S", ge=1, le=MAX_ROWS)
    basin_epsilon: float = setting(
        1.0,
        "eps of the theory's basins r_i >= r_i* - eps, in reward units",
        "O",
        added=True,
        gt=0,
    )
    inception: InceptionConfig | None = setting(
        None, "Inception weights with which FID is measured; without them there is none", "O",
        added=True,
    )  # fmt: skip


class TrainingConfig(FrozenConfig):
    """What the next model is trained on beside the curated set of its own round."""

    real_share: float = setting(
        0.0, "f; round(f M) of the M training rows are real rows instead", "O", ge=0, le=1
    )
    accumulate: bool = setting(
        False,
        "train on the curated sets of all rounds so far, and on all real rows if real_share > 0",
        "O",
    )


class WeightKnot(FrozenConfig):
    """Weights of the rewards at one iteration; linear between knots, constant outside them."""

    iteration: int = setting(..., "iteration t from which it counts", "O", ge=0)
    weights: tuple[float, ...] = setting(..., "weight of every reward, in order", "O")

    @field_validator("weights")
    @classmethod
    def _check_weights(cls, weights: tuple[float, ...]) -> tuple[float, ...]:
        if any(weight < 0 for weight in weights) or sum(weights) <= 0:
            raise ValueError(
                f"expected numbers of at least 0 that are not all 0, got {list(weights)}"
            )
        if not math.isfinite(sum(weights)):
            raise ValueError(f"expected numbers with a finite sum, got {list(weights)}")
        return weights


class RuntimeConfig(FrozenConfig):
    """Where and how the work is done; `threads`, `batch_size` and `shard_rows` affect digests."""

    device: Literal["cpu", "cuda"] = setting(
        "cpu", "device the numbers are computed on; never another one instead", "O"
    )
    deterministic: bool = setting(
        True,
        "algorithms that give equal bits every time; without them a GPU is faster and a resumed "
        "run only statistically equal",
        "O",
        added=True,
    )
    threads: int = setting(
        1, "threads of numerical libraries; the mixture always uses one", "O", ge=1
    )
    batch_size: int = setting(4096, "candidates scored at once", "O", ge=1)
    shard_rows: int = setting(65_536, "candidates in one separately committed shard", "O", ge=1)
    shard_workers: int = setting(
        1, "processes that share the shards of a stage", "O", added=True, location=True, ge=1
    )
    granularity: Literal["stage", "iteration", "run"] = setting(
        "stage", "what one Prefect task covers", "O"
    )
    prefect: bool = setting(True, "run as Prefect flows; false calls the same functions", "O")


class RunConfig(FrozenConfig):
    """Everything that decides a run's digests, and how many iterations are wanted."""

    domain: str = setting(..., "domain flow that runs it", "O")
    seed: int = setting(0, "seed of every stage but the initial model", "O", ge=0, le=MAX_SEED)
    iterations: int = setting(30, "retraining rounds T", "O", ge=1)
    num_candidates: int = setting(
        1000, "candidates N sampled in each iteration", "O", ge=1, le=MAX_ROWS
    )
    generator: Annotated[SerializeAsAny[GeneratorConfig], BeforeValidator(parse_generator)] = (
        setting(..., "model family and how it is refitted", "S")
    )
    initial: SerializeAsAny[InitialConfig] = setting(..., "how p_0 is made", "S")
    rewards: tuple[Annotated[SerializeAsAny[RewardConfig], BeforeValidator(parse_reward)], ...] = (
        setting(..., "preferences; one is drawn for every curated draw", "S", min_length=1)
    )
    selection: SelectionConfig = setting(
        SelectionConfig(), "Bradley-Terry choice of the curated set", "S"
    )
    prompts: PromptsConfig | None = setting(
        None, "prompts that candidates answer; the completions of one are a pool", "S", added=True
    )
    pool: PoolConfig | None = setting(
        None, "a pool that grows by the survivors of every round", "S", added=True
    )
    weight_schedule: tuple[WeightKnot, ...] = setting(
        (), "weights that change over iterations, instead of those of the rewards", "O", added=True
    )
    training: TrainingConfig = setting(
        TrainingConfig(), "real rows and earlier rounds in the training set", "O", added=True
    )
    classifier: ClassifierConfig | None = setting(
        None, "classifier of images that rewards and metrics use", "S", added=True
    )
    evaluation: EvaluationConfig = setting(EvaluationConfig(), "measurement of each model", "S")
    runtime: RuntimeConfig = setting(RuntimeConfig(), "device, threads, shards, Prefect", "O")

    @model_validator(mode="before")
    @classmethod
    def _resolve(cls, raw: Any) -> Any:
        if not isinstance(raw, dict):
            return raw
        raw = expand_weights(raw)
        initial, generator = raw.get("initial"), raw.get("generator")
        if isinstance(initial, dict) and generator is not None:
            kind = find_generator(parse_generator(generator).kind)
            raw["initial"] = kind.InitialConfig.model_validate(initial)
        return raw

    @model_validator(mode="after")
    def _check(self) -> "RunConfig":
        given = [reward.weight for reward in self.rewards]
        if not math.isfinite(sum(given)):
            raise ValueError(f"rewards: expected weights with a finite sum, got {given}")
        if sum(given) <= 0:
            raise ValueError("rewards: expected at least one positive weight, got only zeros")
        names = self.reward_names
        if len(set(names)) < len(names):
            raise ValueError(f"rewards: expected different names, got {names}; set `name`")
        check_selection(self.selection, self.num_candidates)
        check_prompts(self.prompts, self.selection, self.num_candidates)
        num_texts = getattr(self.initial, "num_texts", None)
        check_pool(self.pool, self.selection, self.num_candidates, num_texts)
        if self.selection.scheme == "expected" and self.training != TrainingConfig():
            raise ValueError(
                "training: expected no real rows and no accumulation with scheme 'expected', got "
                f"{self.training}; use another selection.scheme"
            )
        self._check_generator()
        check_classifier(
            self.classifier,
            generator=self.generator,
            initial=self.initial,
            rewards=self.rewards,
            names=names,
        )
        self._check_schedule()
        return self

    def _check_generator(self) -> None:
        """Refuse what the class of the generator cannot do, before anything is created."""
        name = self.generator.kind
        kind = find_generator(name)
        check_generator = getattr(self.initial, "check_generator", None)
        if check_generator is not None:
            check_generator(self.generator)
        if self.runtime.device != "cpu" and "torch" not in kind.libraries:
            raise ValueError(
                f"runtime.device: expected 'cpu' for generator {name!r}, which computes nothing "
                f"elsewhere, got {self.runtime.device!r}"
            )
        if self.selection.scheme == "expected" and getattr(kind, "support", None) is None:
            raise ValueError(
                f"selection.scheme 'expected': expected a generator with a finite support, got "
                f"{name!r}; use generator 'density', or scheme 'all' or 'fresh'"
            )
        if self.classifier is None and self.evaluation.inception is not None:
            raise ValueError(
                "evaluation.inception: expected a classifier beside it, with which the other "
                "metrics of images are measured, got none; set `classifier`"
            )
        if self.prompts is not None and not getattr(kind, "gives_texts", False):
            raise ValueError(
                f"prompts: expected none for generator {name!r}, which answers none, got "
                f"{self.prompts.source.kind!r}; leave them out"
            )
        if self.prompts is not None and self.training.real_share > 0:
            raise ValueError(
                "training.real_share: expected 0 with prompts, which real rows do not answer, got "
                f"{self.training.real_share:g}; leave it out"
            )
        if self.pool is not None and getattr(kind, "real_data", None) is None:
            raise ValueError(
                f"pool: expected none for generator {name!r}, which has no real data to start "
                "it with; leave it out"
            )
        if self.training.real_share > 0 and getattr(kind, "real_data", None) is None:
            raise ValueError(
                f"training.real_share: expected 0 for generator {name!r}, which has no real data, "
                f"got {self.training.real_share:g}; leave it out"
            )

    def _check_schedule(self) -> None:
        steps = [knot.iteration for knot in self.weight_schedule]
        if steps != sorted(set(steps)):
            raise ValueError(f"weight_schedule: expected ascending iterations, got {steps}")
        for knot in self.weight_schedule:
            if len(knot.weights) != len(self.rewards):
                raise ValueError(
                    f"weight_schedule: expected {len(self.rewards)} weights at iteration "
                    f"{knot.iteration}, got {len(knot.weights)}; give one a reward"
                )

    @property
    def weights(self) -> list[float]:
        """Weights of the rewards, normalised to sum 1, (R,)."""
        total = sum(reward.weight for reward in self.rewards)
        return [reward.weight / total if total else 0.0 for reward in self.rewards]

    def weights_at(self, iteration: int) -> list[float]:
        """Weights of the rewards in iteration t, normalised to sum 1, (R,)."""
        knots = self.weight_schedule
        if not knots:
            return self.weights
        steps = [knot.iteration for knot in knots]
        columns = np.array([np.array(knot.weights) / sum(knot.weights) for knot in knots]).T
        return [float(np.interp(iteration, steps, column)) for column in columns]

    @property
    def reward_names(self) -> list[str]:
        """Name of each reward, `<kind>-<number from 1>` unless configured, (R,)."""
        return [
            reward.name or f"{reward.kind}-{number}"
            for number, reward in enumerate(self.rewards, start=1)
        ]

    @property
    def fingerprint(self) -> str:
        """Digest of all that affects results: everything but `iterations` and where it runs."""
        plain = self.fingerprint_part()
        plain.pop("iterations")
        for name in ("device", "granularity", "prefect"):
            plain["runtime"].pop(name)
        plain["runtime"].pop("deterministic", None)
        return digest_of(plain)


def parse_config(raw: dict[str, Any]) -> RunConfig:
    """Configuration from plain values; raises `ConfigError` naming every wrong key."""
    try:
        return RunConfig.model_validate(raw)
    except ValidationError as error:
        raise ConfigError(describe_errors(error)) from error
