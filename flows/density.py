"""Domain `density`: the idealised model, any distribution on a grid, under two bumps (C9)."""

from typing import Any

from prefect import flow

from flows.domain import Domain, Preset
from flows.prefect_rounds import prefect_rounds
from flows.two_rewards import expand_two_rewards
from generators.density import DensityInitial
from generators.density_grid import DensityConfig
from rewards.gaussian_bump import GaussianBumpConfig
from tasks.selection import SelectionConfig
from tasks.settings import EvaluationConfig, RunConfig, RuntimeConfig


def c9() -> RunConfig:
    """One run of the theory checks of section C.9: infinite pool, 50 rounds, no randomness."""
    return RunConfig(
        domain="density",
        iterations=50,
        generator=DensityConfig(),
        initial=DensityInitial(),
        rewards=(
            GaussianBumpConfig(centre=(-3.0, 0.0), weight=0.5),
            GaussianBumpConfig(centre=(3.0, 0.0), weight=0.5),
        ),
        selection=SelectionConfig(scheme="expected"),
        evaluation=EvaluationConfig(basin_epsilon=0.1),
        # A round takes milliseconds, less than a Prefect task.
        runtime=RuntimeConfig(granularity="run"),
    )


def expand(raw: dict[str, Any]) -> dict[str, Any]:
    """Resolve the short keys `distance` (d of the bumps, midpoint at 0), `height` and `width`.

    Raises `ConfigError` for values they cannot have.
    """
    return expand_two_rewards(raw, ("height", "width"))


@flow(name="density", flow_run_name="{run}", persist_result=False, validate_parameters=False)
def density(store: str, run: str) -> None:
    """Run or resume the idealised run `run` of the store at `store`."""
    prefect_rounds(store, run)


DOMAIN = Domain(
    name="density",
    presets={
        "paper": Preset(base=c9, meaning="C.9: the idealised model at q = 1/2 and distance 6"),
        "c9": Preset(base=c9, meaning="the same, by the name of the section"),
    },
    flow=density,
    expand=expand,
)
