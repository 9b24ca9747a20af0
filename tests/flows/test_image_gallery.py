"""Galleries: which runs and models they show."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from data.images import images_of
from flows import image_gallery
from flows.image_gallery import evenly, first_seed, grids_of, samples_of
from tasks.context import RunContext
from tasks.places import evaluation_place


@dataclass
class Run:
    """As much of a run as a gallery looks at."""

    arm: str
    seed: int
    config: Any = field(init=False)
    record: Any = field(init=False)

    def __post_init__(self) -> None:
        self.config = SimpleNamespace(seed=self.seed, iterations=4)
        self.record = SimpleNamespace(arm=self.arm)


def test_models_are_spread_from_the_first_to_the_last() -> None:
    assert evenly(25) == [0, 5, 10, 15, 20, 25]
    assert evenly(2) == [0, 1, 2]
    assert evenly(7)[0] == 0 and evenly(7)[-1] == 7 and len(evenly(7)) == 6


def test_the_first_seed_of_an_arm_is_shown() -> None:
    runs: Any = [Run("one", 2), Run("one", 1), Run("other", 0)]
    found = first_seed(runs, "one")
    assert found is runs[1]
    assert first_seed(runs, "third") is None


def test_a_row_an_arm_and_nothing_for_what_was_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def samples(run: Any, k: int) -> Any:
        return np.full((3, 8, 8, 1), 10 * k, np.uint8)

    monkeypatch.setattr(image_gallery, "samples_of", samples)
    runs: Any = [Run("one", 0), Run("other", 0)]
    found = grids_of(runs, {"samples": ("other", "third", "one"), "empty": ("third",)})
    assert found.keys() == {"samples"}
    titles = [panel.get_title() for panel in found["samples"].axes]
    assert titles[0] == "other, k = 0" and titles[5] == "one, k = 0"
    assert len(titles) == 2 * 5


def test_shown_are_the_first_samples_of_a_model(image_run: RunContext) -> None:
    table = image_run.open_place(evaluation_place(2)).table("samples.parquet")
    np.testing.assert_array_equal(samples_of(image_run, 2), images_of(table, "test"))
