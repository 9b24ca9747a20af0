"""Prompts of UltraFeedback (Cui et al. 2023), from the hub or a file with their sources."""

from collections import Counter
from typing import Literal, NamedTuple, Self

from pydantic import model_validator

from data.configuration import FrozenConfig, setting
from data.errors import ConfigError
from data.hub_data import HubDataSet, hub_file
from data.text_rows import SHA256, checked_file, read_column

USER = "prompts ultrafeedback"
BINARIZED = "ultrafeedback_binarized"
FILE = "data/train_prefs-00000-of-00001.parquet"
ON_HUB = HubDataSet(
    "ultrafeedback",
    "HuggingFaceH4/ultrafeedback_binarized",
    "3949bf5f8c17c394422ccfab0c31ea9c20bdeb85",
    FILE,
)


class Prompt(NamedTuple):
    """One prompt and the name of the collection it comes from."""

    text: str
    source: str


class UltraFeedback(FrozenConfig):
    """Prompts of UltraFeedback, or of a file that holds some of them beside others."""

    kind: Literal["ultrafeedback"] = setting("ultrafeedback", "prompts", "S")
    origin: Literal["hub", "parquet"] = setting(
        "hub",
        f"where they are read: hub (Hugging Face, {ON_HUB.repo}, which has no other source than "
        f"{BINARIZED}), parquet (a file with columns prompt and source)",
        "O",
        location=True,
    )
    path: str | None = setting(
        None, "file of origin parquet; for hub its cache, the usual one when not given", "O",
        location=True,
    )  # fmt: skip
    sha256: str | None = setting(
        None,
        "SHA-256 of the file of origin parquet, checked on load",
        "O",
        pattern=SHA256,
    )
    sources: tuple[str, ...] = setting(
        (BINARIZED,), "collections whose prompts are used", "S", min_length=1
    )

    @model_validator(mode="after")
    def _check_file(self) -> Self:
        # A path is in no fingerprint: without a digest other prompts would look like these.
        if self.origin == "parquet" and (self.path is None or self.sha256 is None):
            raise ValueError(
                f"expected path and sha256 of a file for origin 'parquet', got path {self.path!r} "
                f"and sha256 {self.sha256!r}; set both (`sha256sum FILE`), or set origin to hub"
            )
        if self.origin == "hub" and self.sha256 is not None:
            raise ValueError(
                f"sha256: expected none for origin 'hub', whose commit is pinned, got "
                f"{self.sha256!r}; leave it out"
            )
        return self


def read_prompts(config: UltraFeedback) -> tuple[Prompt, ...]:
    """Prompts of the configured sources in the order of the file.

    Raises `ConfigError` for a source that is not there, and as `read_column` and `hub_file`.
    """
    if config.origin == "hub":
        path = hub_file(
            ON_HUB,
            FILE,
            cache=config.path,
            instead="give a file with origin parquet, or use the prompts python-topics, which "
            "need no download",
        )
        texts = read_column(path, "prompt", user=USER)
        sources = [BINARIZED] * len(texts)
    else:
        assert config.path is not None and config.sha256 is not None, "the configuration asks"
        path = checked_file(config.path, config.sha256, user=USER)
        texts = read_column(path, "prompt", user=USER)
        sources = read_column(path, "source", user=USER)
    counts = Counter(sources)
    if absent := [name for name in config.sources if name not in counts]:
        there = ", ".join(f"{name} ({counts[name]:,})" for name in sorted(counts)) or "none"
        raise ConfigError(
            f"{USER}: expected prompts of source {', '.join(absent)} in {path}, got {there}; "
            "correct sources"
        )
    pairs = map(Prompt, texts, sources)
    return tuple(prompt for prompt in pairs if prompt.source in config.sources)
