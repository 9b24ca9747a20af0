"""The numerics class of a run: device, threads, precision, versions of what computes in it."""

from typing import Any

from data.corpora import corpus_digest
from data.numerics import numerics_class
from data.prompts import PythonTopics, prompts_digest
from data.python_docs import PythonDocs
from data.torch_session import check_device
from generators.registry import find_generator
from tasks.run_packages import (
    check_packages,
    generator_libraries,
    network_libraries,
    run_libraries,
)
from tasks.settings import RunConfig

# What features of a classifier depend on: in them neither generator nor reward computes.
OF_NETWORKS = ("device", "device_model", "deterministic", "threads", "numpy", "pyarrow", "torch")
OF_REFERENCE = (*OF_NETWORKS, "torch-fidelity")
PROMPTS = "prompts"
DIGITS = 16  # of a digest; enough to tell texts apart


def numerics_of(config: RunConfig) -> dict[str, Any]:
    """Numerics class of a run with this configuration on this machine.

    Raises `EnvironmentProblem` for a package or a device that is not there.
    """
    return _numerics(config, run_libraries(config))


def shared_numerics_of(config: RunConfig, stage: str) -> dict[str, Any]:
    """Numerics class of what runs share, a part of that of every run that may have it.

    So runs whose rewards or precision differ share a classifier all the same.
    """
    if stage in ("classifier", "reference"):
        whole = numerics_of(config)
        wanted = OF_REFERENCE if stage == "reference" else OF_NETWORKS
        return {key: whole[key] for key in wanted if key in whole}
    if stage == "initial":
        whole = _numerics(config, set())
        # Runs that answer other prompts share a model that was trained on none of them.
        return {key: value for key, value in whole.items() if key != PROMPTS}
    standardised = [reward for reward in config.rewards if reward.standardise]
    return _numerics(config, network_libraries(config, standardised))


def _numerics(config: RunConfig, libraries: set[str]) -> dict[str, Any]:
    """Numerics class of the generator together with `libraries`."""
    check_packages(config)
    kind, runtime = find_generator(config.generator.kind), config.runtime
    precision = getattr(kind, "precision", None)
    special = {} if precision is None else precision(config.generator, runtime.device)
    model = None
    if runtime.device != "cpu":
        special["deterministic"] = runtime.deterministic
        model = check_device(runtime.device)
    special |= _shipped_texts(config)
    used = generator_libraries(config) | libraries
    return numerics_class(runtime.device, runtime.threads, used, device_model=model, **special)


def _shipped_texts(config: RunConfig) -> dict[str, str]:
    """Digests of texts that come with Python, and so are others under another release of it."""
    corpus = getattr(config.initial, "corpus", None)
    found = {"corpus": corpus_digest(corpus)[:DIGITS]} if isinstance(corpus, PythonDocs) else {}
    if config.prompts is not None and isinstance(config.prompts.source, PythonTopics):
        found[PROMPTS] = prompts_digest(config.prompts.source)[:DIGITS]
    return found
