"""Grids of what the models of an image run give."""

import numpy as np

from data.images import images_of
from flows.image_gallery import ACROSS, evenly, first_seed, grids_of, samples_of
from tasks.context import RunContext
from tasks.places import evaluation_place


def arm(context: RunContext, name: str, seed: int) -> RunContext:
    """The same run as if it were the arm of a group."""
    config = {**context.record.config, "seed": seed}
    record = context.record.model_copy(update={"arm": name, "config": config})
    return RunContext(context.store, record)


def test_models_are_chosen_evenly_with_the_first_and_the_last() -> None:
    assert evenly(25) == [0, 5, 10, 15, 20, 25]
    assert evenly(2) == [0, 1, 2]
    assert evenly(1) == [0, 1]
    assert evenly(7, most=3) == [0, 4, 7]


def test_shown_are_the_first_samples_of_a_model(image_run: RunContext) -> None:
    table = image_run.open_place(evaluation_place(2)).table("samples.parquet")
    shown = samples_of(image_run, 2)
    assert shown.shape == (60, 8, 8, 1), "all, where there are fewer than a grid holds"
    np.testing.assert_array_equal(shown, images_of(table, "test")[: ACROSS**2])


def test_the_least_seed_of_an_arm_is_shown_and_arms_without_runs_are_left_out(
    image_run: RunContext,
) -> None:
    contexts = [arm(image_run, "single", 4), arm(image_run, "single", 2), image_run]
    assert first_seed(contexts, "single") is contexts[1]
    assert first_seed(contexts, "balanced") is None
    found = grids_of(contexts, {"one": ["single", "balanced"], "none": ["balanced"]})
    assert list(found) == ["one"]
    texts = [
        text.get_text() for axes in found["one"].axes for text in [axes.title, axes.yaxis.label]
    ]
    assert any("single" in text for text in texts + [t.get_text() for t in found["one"].texts])
