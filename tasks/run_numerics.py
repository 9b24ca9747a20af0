"""The numerics class of a run: device, threads, precision, versions of what computes in it."""

from typing import Any

from data.numerics import numerics_class
from data.torch_session import check_device
from generators.registry import find_generator
from tasks.run_packages import check_packages, run_libraries
from tasks.settings import RunConfig


def numerics_of(config: RunConfig) -> dict[str, Any]:
    """Numerics class of a run with this configuration on this machine.

    Raises `EnvironmentProblem` for a package or a device that is not there.
    """
    return _numerics(config, run_libraries(config))


def shared_numerics_of(config: RunConfig) -> dict[str, Any]:
    """Numerics class of what runs share: what their rewards compute in is no part of it."""
    return _numerics(config, set(find_generator(config.generator.kind).libraries))


def _numerics(config: RunConfig, libraries: set[str]) -> dict[str, Any]:
    check_packages(config)
    kind, runtime = find_generator(config.generator.kind), config.runtime
    precision = getattr(kind, "precision", None)
    special = {} if precision is None else precision(config.generator, runtime.device)
    model = None
    if runtime.device != "cpu":
        special["deterministic"] = runtime.deterministic
        model = check_device(runtime.device)
    return numerics_class(runtime.device, runtime.threads, libraries, device_model=model, **special)
