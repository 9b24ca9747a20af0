"""The real rows that p_0 is a model of."""

import pyarrow as pa

from data.errors import ConfigError
from data.seeds import stage_seed
from generators.registry import find_generator
from tasks.settings import RunConfig


def find_real_rows(config: RunConfig) -> pa.Table | None:
    """The real rows that p_0 was trained on, or None for a family without any."""
    real_data = getattr(find_generator(config.generator.kind), "real_data", None)
    if real_data is None:
        return None
    seed = stage_seed(config.initial.seed, "initial", 0)
    rows: pa.Table = real_data(config.generator, config.initial, seed=seed)
    return rows


def real_rows(config: RunConfig) -> pa.Table:
    """As `find_real_rows`; raises `ConfigError` where there are none."""
    rows = find_real_rows(config)
    if rows is None:
        raise ConfigError(
            f"training.real_share, pool: expected a generator with real data, got "
            f"{config.generator.kind!r}; leave them out"
        )
    return rows
