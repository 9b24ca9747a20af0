"""Configuration of a pool that grows by the survivors of every round (paper, section C.6)."""

from data.configuration import FrozenConfig, setting
from tasks.selection import SelectionConfig


class PoolConfig(FrozenConfig):
    """A pool that starts with real rows and grows by what survives each round."""

    num_seeds: int = setting(1_000, "real rows that the pool starts with", "S", ge=1)
    num_survivors: int = setting(
        100, "of the candidates of a round, how many join the pool; none twice", "O", ge=1
    )


def check_pool(
    pool: PoolConfig | None,
    selection: SelectionConfig,
    num_candidates: int,
    num_texts: int | None,
) -> None:
    """Raise `ValueError` for a pool from which winners cannot be drawn as configured.

    `num_texts` are the real rows there will be, where the configuration says so.
    """
    if pool is None:
        return
    if selection.scheme not in ("all", "fresh") or not selection.replacement:
        raise ValueError(
            "pool: expected selection.scheme 'all' or 'fresh' with replacement, got "
            f"{selection.scheme!r} {'with' if selection.replacement else 'without'} replacement; "
            "the pool grows, so that its rows cannot be dealt out"
        )
    if num_texts is not None and pool.num_seeds > num_texts:
        raise ValueError(
            f"pool.num_seeds: expected at most initial.num_texts = {num_texts}, got "
            f"{pool.num_seeds}; lower it, or raise initial.num_texts"
        )
    if pool.num_survivors > num_candidates:
        raise ValueError(
            f"pool.num_survivors: expected at most num_candidates = {num_candidates}, got "
            f"{pool.num_survivors}; lower it"
        )
    for name in ("score_noise", "flip_probability"):
        if getattr(selection, name):
            raise ValueError(
                f"selection.{name}: expected 0 with a pool, whose rows keep their scores, got "
                f"{getattr(selection, name):g}; leave it out"
            )
