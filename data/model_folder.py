"""The two files of a saved model: model.safetensors without metadata, and config.json."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy.typing as npt
import safetensors.numpy

from data.canonical import canonical_json
from data.errors import ConfigError

Tensors = dict[str, npt.NDArray[Any]]


def write_model(folder: Path, tensors: Tensors, *, kind: str, **facts: Any) -> None:
    """Write both files; equal models give equal bytes."""
    (folder / "model.safetensors").write_bytes(safetensors.numpy.save(tensors))
    (folder / "config.json").write_bytes(canonical_json({"kind": kind, **facts}) + b"\n")


def read_model(
    folder: Path, kind: str, *, noun: str = "generator"
) -> tuple[Tensors, Mapping[str, Any]]:
    """Tensors and facts of a saved model; raises `ConfigError` for one of another kind."""
    facts: dict[str, Any] = json.loads((folder / "config.json").read_bytes())
    if facts.get("kind") != kind:
        raise ConfigError(
            f"{noun} {kind}: expected a model of kind {kind!r} in {folder}, got "
            f"{facts.get('kind')!r}; load it with its own kind"
        )
    return safetensors.numpy.load((folder / "model.safetensors").read_bytes()), facts
