"""Domain `density`: runs without randomness, against the update computed the plain way."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.errors import ConfigError
from data.store import Store
from flows.creation import create_runs
from flows.density import DOMAIN, c9
from flows.domain import arm_configs, find_domain, find_preset
from flows.results import metrics_of
from flows.rounds import rounds
from tasks.context import RunContext
from tasks.places import Place
from tests.tasks.idealised import measured

NAMES = {"left": "gaussian-bump-1", "right": "gaussian-bump-2"}


def finished(store: Store, name: str, changes: dict[str, Any]) -> RunContext:
    configs = arm_configs(DOMAIN, find_preset(DOMAIN, "c9"), changes)
    (record,) = create_runs(store, DOMAIN, configs, name=name)
    rounds(RunContext(store, record))
    return RunContext(store, record)


@pytest.mark.parametrize(("distance", "q"), [(1.0, 0.25), (6.0, 0.75)])
def test_a_run_is_the_infinite_pool_update_to_rounding(
    tmp_path: Path, distance: float, q: float
) -> None:
    changes = {"distance": distance, "q": q, "iterations": 20}
    context = finished(Store(tmp_path), "exact", changes)
    for name, values in measured(distance, q, iterations=20).items():
        metric = ".".join(NAMES.get(part, part) for part in name.split("."))
        first = 21 - len(values)
        found = [metrics_of(context, k)[metric] for k in range(first, 21)]
        np.testing.assert_allclose(found, values, rtol=1e-9, err_msg=metric)


def test_the_seed_changes_nothing(tmp_path: Path) -> None:
    changes = {"iterations": 2}
    first = finished(Store(tmp_path), "first", changes | {"seed": 0})
    second = finished(Store(tmp_path), "second", changes | {"seed": 7})
    models = [context.open_place(Place(1, "retrain")).manifest.files for context in (first, second)]
    assert [file.sha256 for file in models[0]] == [file.sha256 for file in models[1]]


def test_a_sampled_pool_tends_to_the_same_masses(tmp_path: Path) -> None:
    num = 20_000
    changes = {
        "iterations": 1,
        "num_candidates": num,
        "selection": {"scheme": "all", "num_curated": num},
    }
    sampled = finished(Store(tmp_path), "sampled", changes).model(1)
    exact = finished(Store(tmp_path), "exact", {"iterations": 1}).model(1)
    first, second = (model.support()["mass"].to_numpy() for model in (sampled, exact))  # type: ignore[attr-defined]
    # Candidates and draws each add sqrt(p / n) at most; the largest p is .12.
    np.testing.assert_allclose(first, second, atol=5 * np.sqrt(2 * 0.12 / num))


def test_the_presets_are_the_paper_setting() -> None:
    assert find_domain("density") is DOMAIN
    assert DOMAIN.presets.keys() == {"paper", "c9"}
    for preset in DOMAIN.presets.values():
        assert preset.base() == c9()
    config = c9()
    assert config.iterations == 50
    assert config.weights == [0.5, 0.5]
    assert (config.selection.scheme, config.selection.pool_size) == ("expected", None)
    assert config.evaluation.basin_epsilon == 0.1
    assert config.runtime.granularity == "run"


def test_short_keys_shape_both_bumps() -> None:
    preset = find_preset(DOMAIN, "c9")
    changes = {"distance": 3, "q": 0.1, "height": 2, "width": 0.5}
    (config,) = arm_configs(DOMAIN, preset, changes).values()
    plain = [reward.model_dump() for reward in config.rewards]
    assert [reward["centre"] for reward in plain] == [(-1.5, 0.0), (1.5, 0.0)]
    assert {(reward["height"], reward["width"]) for reward in plain} == {(2.0, 0.5)}
    assert config.weights == [0.1, 0.9]


def test_pools_that_need_prompts_are_refused() -> None:
    preset = find_preset(DOMAIN, "c9")
    with pytest.raises(ConfigError, match="without prompts, got 'grouped'; groups are"):
        arm_configs(DOMAIN, preset, {"selection": {"scheme": "grouped"}})
