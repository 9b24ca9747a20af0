"""What a generator is, and how one is found by its kind.

A new model family is one file `generators/<kind>.py` (`-` in the kind, `_` in the file) that
assigns its class to `GENERATOR`, or another distribution's entry point in group
`pluralist.generators`.
"""

from pathlib import Path
from typing import Any, ClassVar, Protocol, Self

import pyarrow as pa

from data.checkpoints import CheckpointFolder
from data.configuration import FrozenConfig, setting
from data.plugins import PluginFamily

FAMILY = PluginFamily(
    noun="generator", package="generators", export="GENERATOR", group="pluralist.generators"
)


class GeneratorConfig(FrozenConfig):
    """What every generator can be given; each kind adds its own fields."""

    kind: str = setting(..., "model family, the name of its module", "O")

    # Fields that p_0 does not depend on, so that runs which differ in them alone share it.
    after_initial: ClassVar[frozenset[str]] = frozenset()

    @property
    def chosen_libraries(self) -> tuple[str, ...]:
        """Distributions that these settings compute in, beside those of the kind and not in p_0."""
        return ()

    def initial_part(self) -> dict[str, Any]:
        """The fields that p_0 depends on, as plain values."""
        plain = self.fingerprint_part()
        return {name: plain[name] for name in plain if name not in self.after_initial}


class InitialConfig(FrozenConfig):
    """How p_0 is made; each kind of generator adds its own fields.

    A class may also have
    - `check_generator(config)`, raising `ValueError` for a generator that does not go with it;
    - `check_weights(config)`, raising before anything is trained for files that it cannot use;
    - `check_prompts(config, prompts)`, raising before anything is trained for one of these texts
      that the generator cannot answer.
    """

    seed: int = setting(0, "seed of the initial model alone, shared by all runs", "O", ge=0)


class Generator(Protocol):
    """A model p_k. An instance never changes: `refit` gives a new one.

    A class may also have
    - `log_density(samples) -> FloatArray  # (n,)`, natural logarithm of its density at samples;
      with it entropy and tail coverage are measured;
    - a class method `real_data(config, initial_config, *, seed) -> pa.Table`, the rows that
      `initial` with the same arguments is trained on; without it nothing can be mixed in;
    - an attribute `gives_texts`, true where samples are rows of `data.texts.text_schema`; `sample`
      then takes prompts, a table of as many rows as samples with a column `prompt`, which the
      samples have too; and there are `held_out_data(config, initial_config) -> pa.Table`, texts
      that nothing is trained on, and `held_out_loss(texts)` with `perplexity`;
    - `support() -> pa.Table`: every sample it can give once, in an order that does not depend
      on the parameters, as the columns of `schema` and `mass` (float64, its probability; the
      masses sum to 1). With it a round can be taken in expectation, without drawing anything.
      The curated table of `refit` then holds a float64 column `weight` behind those of
      `schema`: what each row counts for, at least 0, not normalised. Only a class with
      `support` is ever given weights.
    """

    Config: ClassVar[type[GeneratorConfig]]
    InitialConfig: ClassVar[type[InitialConfig]]
    # Distributions that compute in it; their versions enter the numerics class.
    libraries: ClassVar[tuple[str, ...]]

    @property
    def config(self) -> GeneratorConfig:
        """The configuration it was made under."""
        ...

    @property
    def schema(self) -> pa.Schema:
        """Columns of its samples, each with its meaning."""
        ...

    @property
    def training_log(self) -> pa.Table:
        """Loss of each step of the fit that made this, columns of `TRAINING`; empty if loaded."""
        ...

    def sample(self, num_samples: int, *, seed: int, prompts: pa.Table | None = None) -> pa.Table:
        """`num_samples` independent rows of `schema`, decided by `seed` alone."""
        ...

    def refit(
        self,
        curated: pa.Table,
        *,
        iteration: int,
        seed: int,
        checkpoints: CheckpointFolder | None = None,
    ) -> Self:
        """The model p_{k+1} trained on `curated`, where this object is p_k and k = `iteration`.

        Raises `BadNumbers` for rows that are not finite, `ConfigError` for too few rows.
        """
        ...

    def metrics(self) -> dict[str, float]:
        """Finite quantities of the model worth plotting; the same after `save` and `load`."""
        ...

    def save(self, folder: Path) -> None:
        """Write model.safetensors, without metadata, and config.json; equal models, equal bytes."""
        ...

    @classmethod
    def load(cls, folder: Path, config: Any) -> Self:
        """The model that `save` wrote into `folder`."""
        ...

    @classmethod
    def initial(
        cls,
        config: Any,
        initial_config: Any,
        *,
        seed: int,
        checkpoints: CheckpointFolder | None = None,
    ) -> Self:
        """The model p_0."""
        ...

    @classmethod
    def example(cls) -> Self:
        """A small cheap p_0, the same at every call, for the tests every generator has to pass."""
        ...


def available() -> dict[str, str]:
    """Origin of every kind of generator: "pluralist" or "<distribution> <version>"."""
    return FAMILY.available()


def find_generator(kind: str) -> type[Generator]:
    """Class of the generator `kind`; raises `ConfigError` listing the kinds there are."""
    found: type[Generator] = FAMILY.find(kind)
    return found


def parse_generator(raw: Any) -> GeneratorConfig:
    """Configuration of a generator from plain values (or as it is); raises `ConfigError`."""
    return FAMILY.parse(raw, GeneratorConfig)
