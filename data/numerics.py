"""The numerics class: within one, equal configuration and seed give equal bytes."""

import platform
from collections.abc import Iterable
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

NOT_INSTALLED = "not installed"


def numerics_class(
    device: str,
    threads: int,
    libraries: Iterable[str],
    *,
    device_model: str | None = None,
    **special: Any,
) -> dict[str, Any]:
    """What bits depend on besides configuration and seed, as a flat dict of plain values.

    `libraries` are the distributions that compute in this run; their versions enter.
    `device_model` is the processor's unless given; `special` replaces `dtype` or adds to it.
    """
    return {
        "device": device,
        "device_model": device_model or _processor(),
        "threads": threads,
        "dtype": "float64",
        **special,
        **{name: library_version(name) for name in sorted({"numpy", "pyarrow", *libraries})},
    }


@cache
def library_version(name: str) -> str:
    """Installed version of distribution `name`, or `NOT_INSTALLED`."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return NOT_INSTALLED


def differences(expected: dict[str, Any], found: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    """Rows (key, expected, found) for every key on which two numerics classes differ."""
    keys = sorted(expected.keys() | found.keys())
    return [
        (key, expected.get(key), found.get(key))
        for key in keys
        if expected.get(key) != found.get(key)
    ]


@cache
def _processor() -> str:
    """Model name of the processor with its vector width, which decides numpy's code paths."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor() or platform.machine()
    fields: dict[str, str] = {}
    for line in text.splitlines():
        name, _, value = line.partition(":")
        fields[name.strip()] = value.strip()
    flags = fields.get("flags", "").split()
    widest = next((name for name in ("avx512f", "avx2") if name in flags), "baseline")
    return f"{fields.get('model name', platform.machine())} {widest}"
