"""What EM cannot fit, and what is recorded instead of warned about."""

import warnings
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from data.errors import BadNumbers, ConfigError
from generators.mixture import Mixture
from tests.generators.mixtures import (
    ALGORITHMS,
    points_of_two,
    started,
    table,
)


@ALGORITHMS
def test_too_few_steps_are_recorded_and_not_warned_about(algorithm: str) -> None:
    model = started(algorithm, max_steps=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted = model.refit(table(points_of_two(300)), iteration=5, seed=0)
    assert fitted.metrics()["converged"] == 0.0
    assert fitted.metrics()["em_steps"] == 1.0
    assert fitted.training_log.num_rows == 1


@ALGORITHMS
@pytest.mark.parametrize("place", [(0.0, 0.0), (2.0, -7.0)])
@pytest.mark.parametrize("iteration", [0, 5])
def test_identical_points_are_held_up_by_the_covariance_floor(
    algorithm: str, place: tuple[float, float], iteration: int
) -> None:
    curated = table(np.tile(place, (50, 1)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = started(algorithm).refit(curated, iteration=iteration, seed=0)
        again = model.refit(curated, iteration=iteration, seed=0)
    samples = again.sample(500, seed=1)
    for name, value in zip(("x", "y"), place, strict=True):
        np.testing.assert_allclose(samples[name].to_numpy(), value, atol=0.01)


@ALGORITHMS
def test_identical_points_without_a_floor_are_one_clear_error(algorithm: str) -> None:
    model = started(algorithm, covariance_floor=0.0)
    with pytest.raises(
        BadNumbers, match=r"generator mixture: expected .* generator\.covariance_floor"
    ):
        model.refit(table(np.ones((50, 2))), iteration=5, seed=0)


@ALGORITHMS
def test_coordinates_too_large_to_square_are_one_clear_error(algorithm: str) -> None:
    points = points_of_two(50) * 1e200
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(
            BadNumbers, match=r"generator mixture: expected .* generator\.covariance_floor"
        ):
            started(algorithm).refit(table(points), iteration=5, seed=0)


@ALGORITHMS
@pytest.mark.parametrize(("rows", "iteration", "least"), [(0, 0, 2), (1, 0, 2), (2, 6, 3)])
def test_fewer_rows_than_components_are_refused(
    algorithm: str, rows: int, iteration: int, least: int
) -> None:
    model = started(algorithm, components=((0, 1), (6, 3)))
    with pytest.raises(ConfigError, match=rf"at least {least} rows .* got {rows}; raise"):
        model.refit(table(points_of_two(rows)), iteration=iteration, seed=0)


def test_rows_that_are_not_finite_are_refused() -> None:
    points = points_of_two(10)
    points[3, 1] = np.nan
    with pytest.raises(BadNumbers, match=r"generator mixture: expected finite .* in row 3"):
        started().refit(table(points), iteration=0, seed=0)


def test_prompts_are_refused() -> None:
    with pytest.raises(ConfigError, match="generator mixture: expected no prompts, got 1"):
        started().sample(3, seed=0, prompts=pa.table({"text": ["a"]}))


def test_a_model_of_another_kind_is_refused(tmp_path: Path) -> None:
    model = started()
    model.save(tmp_path)
    (tmp_path / "config.json").write_text('{"kind": "density"}')
    with pytest.raises(ConfigError, match=r"expected a model of kind 'mixture' .* got 'density'"):
        Mixture.load(tmp_path, model.config)
