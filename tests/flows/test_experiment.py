"""Scales of an experiment: presets, quick settings, and where its data are."""

from dataclasses import replace
from pathlib import Path

import pytest

from data.errors import ConfigError
from data.store import Store
from flows.creation import find_records
from flows.experiment import Experiment, Scale, Study
from flows.reproduce import reproduce, study_points
from tests.flows.tiny_experiment import base, run_here, tiny


def scaled() -> Experiment:
    """The tiny experiment at two presets, of one and of two rounds."""
    experiment = tiny()

    def at(iterations: int) -> Study:
        return replace(experiment.study(True), base=base(iterations=iterations))

    return replace(experiment, presets={"short": lambda _q: at(1), "long": lambda _q: at(2)})


@pytest.mark.parametrize(
    ("scale", "name", "options"),
    [
        (Scale(), "full", []),
        (Scale(quick=True), "quick", ["--quick"]),
        (Scale(preset="digits"), "digits", ["--preset", "digits"]),
        (Scale(True, "digits"), "digits-quick", ["--preset", "digits", "--quick"]),
    ],
)
def test_a_scale_is_named_and_asked_for(scale: Scale, name: str, options: list[str]) -> None:
    assert (scale.name, scale.options) == (name, options)


def test_the_first_preset_is_taken_unless_another_one_is_asked_for() -> None:
    experiment = scaled()
    assert experiment.scale(quick=False, preset=None) == Scale(preset="short")
    assert experiment.scale(quick=True, preset="long") == Scale(True, "long")
    lengths = [
        experiment.study_at(Scale(preset=name)).base.iterations for name in ("short", "long")
    ]
    assert lengths == [1, 2]
    assert tiny().scale(quick=True, preset=None) == Scale(quick=True)


def test_a_preset_that_is_not_there_names_those_that_are() -> None:
    with pytest.raises(ConfigError, match="E1: --preset: expected one of short, long, got 'mid'"):
        scaled().scale(quick=False, preset="mid")
    with pytest.raises(ConfigError, match="E1: --preset: expected none, got 'short'"):
        tiny().scale(quick=False, preset="short")


def test_where_data_lie_and_how_it_runs_makes_no_other_experiment(tmp_path: Path) -> None:
    store, experiment = Store(tmp_path / "store"), scaled()
    scale = experiment.scale(quick=False, preset="short")
    settings = ["runtime.shard_workers=2", "runtime.granularity=run"]
    moved = reproduce(
        store, experiment, scale=scale, folder=tmp_path, run_group=run_here, settings=settings
    )
    assert moved.num_runs == len(study_points(experiment.study_at(scale)))
    for record in find_records(store, moved.group):
        assert record.config["runtime"]["shard_workers"] == 2
    before = {path: path.read_bytes() for path in tmp_path.rglob("manifest.json")}
    again = reproduce(store, experiment, scale=scale, folder=tmp_path, run_group=run_here)
    assert again.group == moved.group
    assert {path: path.read_bytes() for path in tmp_path.rglob("manifest.json")} == before


@pytest.mark.parametrize("setting", ["seed=1", "iterations=1", "q=0.1", "runtime.threads=2"])
def test_a_setting_that_changes_results_is_refused_before_anything_runs(
    tmp_path: Path, setting: str
) -> None:
    text = (
        "reproduce: expected only places of data and weights, and where it runs, after --set, got "
        f"{setting}; an experiment keeps its settings, `sweep` varies them"
    )
    with pytest.raises(ConfigError, match=text):
        reproduce(
            Store(tmp_path / "store"), tiny(), scale=Scale(), folder=tmp_path / "pages",
            run_group=run_here, settings=[setting],
        )  # fmt: skip
    assert list(tmp_path.iterdir()) == []


def test_what_is_measured_with_a_stand_in_is_no_verdict(tmp_path: Path) -> None:
    experiment = replace(scaled(), unjudged=lambda study: f"{study.name} is measured with ink")
    made = reproduce(
        Store(tmp_path / "store"),
        experiment,
        scale=Scale(preset="short"),
        folder=tmp_path / "pages",
        run_group=run_here,
    )
    assert made.verdict == "not judged: tiny is measured with ink"
    assert "not judged: tiny is measured with ink" in made.page.read_text()
    assert [claim.verdict for claim in made.claims] == ["holds", "holds"], "shown all the same"
