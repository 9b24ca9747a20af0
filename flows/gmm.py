"""Domain `gmm`: a two-dimensional Gaussian mixture under two quadratic rewards (E1)."""

from typing import Any

from prefect import flow

from flows.domain import Domain, Preset
from flows.prefect_rounds import prefect_rounds
from flows.two_rewards import expand_two_rewards
from generators.mixture import MixtureConfig, MixtureInitial
from rewards.quadratic import QuadraticConfig
from tasks.selection import SelectionConfig
from tasks.settings import EvaluationConfig, RunConfig


def paper() -> RunConfig:
    """Experiment E1: two modes at distance 6, equal weights, 30 iterations of 1000 candidates."""
    return RunConfig(
        domain="gmm",
        generator=MixtureConfig(),
        initial=MixtureInitial(),
        rewards=(
            QuadraticConfig(centre=(-3.0, 0.0), weight=0.5),
            QuadraticConfig(centre=(3.0, 0.0), weight=0.5),
        ),
    )


def smoke() -> RunConfig:
    """E1 made small: 3 iterations of 200 candidates, the second component from the second on."""
    return paper().model_copy(
        update={
            "iterations": 3,
            "num_candidates": 200,
            "generator": MixtureConfig(components=((0, 1), (1, 2))),
            "selection": SelectionConfig(num_curated=200),
            "evaluation": EvaluationConfig(num_samples=200),
        }
    )


def expand(raw: dict[str, Any]) -> dict[str, Any]:
    """Resolve the short keys `distance` (d of the modes, midpoint at 0) and `gamma`.

    Raises `ConfigError` for values they cannot have.
    """
    return expand_two_rewards(raw, ("gamma",))


@flow(name="gmm", flow_run_name="{run}", persist_result=False, validate_parameters=False)
def gmm(store: str, run: str) -> None:
    """Run or resume the Gaussian mixture run `run` of the store at `store`."""
    prefect_rounds(store, run)


DOMAIN = Domain(
    name="gmm",
    presets={
        "paper": Preset(
            base=paper,
            meaning="E1: plural against single-reward curation",
            arms={"pluralistic": {}, "single": {"q": 1.0}},
            experiment="E1",
        ),
        "smoke": Preset(base=smoke, meaning="one small run to see that everything works"),
    },
    flow=gmm,
    expand=expand,
)
