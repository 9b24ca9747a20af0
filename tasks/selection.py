"""How the pool of each draw is formed and its winner chosen, as configured."""

from typing import Literal, Self

from pydantic import model_validator

from data.configuration import FrozenConfig, setting
from data.errors import ConfigError

# `expected` draws nothing: it writes down every candidate's chance.
Scheme = Literal["all", "fresh", "disjoint", "grouped", "expected"]


class SelectionConfig(FrozenConfig):
    """How the pool of each draw is formed and how its winner is chosen."""

    scheme: Scheme = setting("all", "whose candidates compete in one draw", "O")
    pool_size: int | None = setting(
        None,
        "K, entries in a pool of `fresh` and `disjoint`, also of `expected`, where null is an "
        "infinite pool; null elsewhere",
        "O",
        ge=1,
    )
    num_curated: int = setting(
        1000, "draws, and so curated rows, in one round", "O", ge=1, le=2**31 - 1
    )
    temperature: float = setting(1.0, "tau of the choice; 0 is best-of-K", "O", ge=0)
    active_reward: Literal["per-draw", "per-round", "alternate"] = setting(
        "per-draw", "how often the active reward is drawn; per-round collapses the model", "S"
    )
    replacement: bool = setting(True, "whether a winner stays in later pools", "S")
    keep_pools: bool = setting(False, "store every pool in full", "O")
    score_noise: float = setting(
        0.0,
        "standard deviation of Gaussian noise on every score, once a round, in reward units",
        "O",
        added=True,
        ge=0,
    )
    flip_probability: float = setting(
        0.0,
        "chance that a draw prefers the opposite, -r instead of r; a flipped label for K = 2",
        "O",
        added=True,
        ge=0,
        le=1,
    )

    @model_validator(mode="after")
    def _check_pool_size(self) -> Self:
        if self.scheme in ("fresh", "disjoint") and self.pool_size is None:
            raise ValueError(
                f"pool_size: expected a number for scheme {self.scheme!r}, got nothing; set it, "
                "or use scheme 'all' for one pool of all candidates"
            )
        if self.scheme == "expected":
            self._check_expected()
        if self.scheme in ("all", "grouped") and self.pool_size is not None:
            raise ValueError(
                f"pool_size: expected nothing for scheme {self.scheme!r}, got {self.pool_size}; "
                "leave it out, or use scheme 'fresh' or 'disjoint'"
            )
        return self

    def _check_expected(self) -> None:
        neutral = SelectionConfig(temperature=self.temperature)
        for name in (
            "active_reward",
            "replacement",
            "keep_pools",
            "score_noise",
            "flip_probability",
        ):
            if getattr(self, name) != getattr(neutral, name):
                raise ValueError(
                    f"{name}: expected {getattr(neutral, name)!r} for scheme 'expected', which "
                    f"draws nothing, got {getattr(self, name)!r}; leave it out"
                )


def check_selection(config: SelectionConfig, num_candidates: int) -> list[str]:
    """Warnings about a selection from `num_candidates` rows; raises `ConfigError` if impossible."""
    size, wanted, n = config.pool_size, config.num_curated, num_candidates
    if config.scheme == "expected":
        return []
    if not config.replacement and wanted > n:
        raise ConfigError(
            f"num_curated without replacement: expected at most num_candidates = {n}, got "
            f"{wanted}; raise num_candidates or set selection.replacement to true"
        )
    if size is None:
        return []
    if size > n and (config.scheme == "disjoint" or not config.replacement):
        raise ConfigError(
            f"pool_size of scheme {config.scheme!r}: expected at most num_candidates = {n}, got "
            f"{size}; lower it, or use scheme 'fresh' with replacement"
        )
    if config.scheme == "fresh":
        repeats = f"pool_size {size} exceeds num_candidates {n}: every pool repeats candidates"
        return [repeats] if size > n else []
    if wanted > n // size:
        raise ConfigError(
            f"num_curated of scheme 'disjoint': expected at most num_candidates // pool_size = "
            f"{n} // {size} = {n // size}, got {wanted}; raise num_candidates to {wanted * size}"
        )
    unused = n - wanted * size
    if unused == 0:
        return []
    return [f"scheme 'disjoint' leaves {unused} of {n} candidates out of every pool"]
