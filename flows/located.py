"""A study at its user's: where data and weights lie, and which published files are there.

Published files that a preset goes without (Inception, checkpoints, copies of learned rewards) may
be given: they bring what the preset stands for nearer. Everything else that changes results is
another experiment.
"""

from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

from data.errors import ConfigError
from flows.domain import Plain, find_domain, merge, parse_settings
from flows.experiment import Study
from tasks.settings import RunConfig, parse_config

# Keys of files that may be given where the preset has none.
FILES = (
    "evaluation.inception",
    "evaluation.inception.*",
    "initial.weights",
    "initial.weights_*",
    "classifier.weights",
    "classifier.weights_*",
    "rewards.*.folder",
    "rewards.*.sha256",
)


def located(study: Study, settings: Sequence[str]) -> Study:
    """The study with `settings` (`key=value`) in its base, from which all arms take them.

    Raises `ConfigError` for a setting that is neither a place nor a file that the base lacks.
    """
    if not settings:
        return study
    plain = study.base.model_dump(mode="json")
    others = [text for text in settings if not _is_file_it_lacks(text.partition("=")[0], plain)]
    same = _changed(study.base, plain, others)
    is_other_length = same.iterations != study.base.iterations
    if same.fingerprint != study.base.fingerprint or is_other_length:
        raise ConfigError(
            f"reproduce: expected only places of data and weights, and where it runs, after --set, "
            f"got {', '.join(others)}; an experiment keeps its settings, `sweep` varies them"
        )
    return replace(study, base=_changed(study.base, plain, settings))


def _changed(base: RunConfig, plain: Plain, settings: Sequence[str]) -> RunConfig:
    changes = parse_settings(list(settings), plain)
    return parse_config(find_domain(base.domain).expand(merge(plain, changes)))


def _is_file_it_lacks(key: str, plain: Plain) -> bool:
    present: Any = plain
    for part in key.split("."):
        if isinstance(present, list) and part.isdecimal() and int(part) < len(present):
            present = present[int(part)]
        else:
            present = present.get(part) if isinstance(present, dict) else None
    return present is None and any(fnmatchcase(key, pattern) for pattern in FILES)
