"""Generator `density`: grid, exact maximum likelihood, law of its samples, what it refuses."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pydantic import ValidationError

from data.errors import BadNumbers, ConfigError
from generators.density import Density, DensityInitial
from generators.density_grid import DensityConfig, atom_indices
from generators.registry import parse_generator

PLANE = DensityConfig(dimensions=2)


def started(config: DensityConfig | None = None, **initial: object) -> Density:
    shape = DensityInitial.model_validate(initial)
    return Density.initial(config or DensityConfig(), shape, seed=0)


def line(*values: float) -> pa.Table:
    return pa.table({"x": list(values), "y": [0.0] * len(values)})


def mass_at(model: Density, x: float) -> float:
    support = model.support()
    distance = np.abs(support["x"].to_numpy() - x)
    return float(support["mass"].to_numpy()[distance.argmin()])


def test_the_paper_grid_is_101_points_on_minus_10_to_10_of_equal_mass() -> None:
    support = started().support()
    assert support.column_names == ["x", "y", "mass"]
    np.testing.assert_allclose(support["x"].to_numpy(), np.arange(101) / 5 - 10, atol=1e-12)
    np.testing.assert_array_equal(support["y"].to_numpy(), 0.0)
    np.testing.assert_allclose(support["mass"].to_numpy(), 1 / 101, rtol=1e-12)
    assert started().metrics() == pytest.approx({"entropy": np.log(101), "num_atoms": 101.0})


def test_one_entry_of_bounds_and_points_serves_both_axes() -> None:
    atoms = PLANE.atoms()
    assert atoms.shape == (101 * 101, 2)
    assert len(np.unique(atoms, axis=0)) == len(atoms)
    np.testing.assert_array_equal(
        atoms[[0, 1, 101, -1]], [[-10, -10], [-10, -9.8], [-9.8, -10], [10, 10]]
    )


def test_every_axis_can_have_its_own_entry() -> None:
    config = DensityConfig(dimensions=2, bounds=((0.0, 1.0), (5.0, 9.0)), num_points=(2, 3))
    np.testing.assert_array_equal(config.atoms(), [[0, 5], [0, 7], [0, 9], [1, 5], [1, 7], [1, 9]])


@pytest.mark.parametrize("dimensions", [1, 2])
def test_every_grid_point_is_found_at_its_own_row(dimensions: int) -> None:
    config = DensityConfig(dimensions=dimensions, bounds=((-1 / 3, np.pi),), num_points=(77,))
    atoms = config.atoms()
    order = np.random.default_rng(0).permutation(len(atoms))
    np.testing.assert_array_equal(atom_indices(atoms[order], config), order)


def test_a_gaussian_start_has_the_moments_of_the_gaussian() -> None:
    covariance = np.array([[2.0, 0.6], [0.6, 1.0]])
    model = started(PLANE, shape="gaussian", mean=(1.0, -2.0), covariance=covariance.tolist())
    atoms, masses = PLANE.atoms(), model.masses
    mean = masses @ atoms
    np.testing.assert_allclose(mean, [1.0, -2.0], atol=1e-6)
    steps = atoms - mean
    np.testing.assert_allclose((steps * masses[:, None]).T @ steps, covariance, atol=1e-6)
    assert masses.sum() == pytest.approx(1.0, abs=1e-12)


def test_a_gaussian_start_on_a_line_uses_the_first_coordinate_only() -> None:
    model = started(shape="gaussian", mean=(1.0, 5.0), covariance=((4.0, 1.0), (1.0, 1.0)))
    x = DensityConfig().atoms()[:, 0]
    mean = float(model.masses @ x)
    assert mean == pytest.approx(1.0, abs=1e-4)
    assert float(model.masses @ (x - mean) ** 2) == pytest.approx(4.0, abs=1e-3)


def test_a_gaussian_far_from_the_grid_still_has_masses() -> None:
    model = started(shape="gaussian", mean=(1e6, 0.0))
    assert model.masses[-1] == 1.0


def test_a_refit_gives_every_grid_point_its_share_of_the_rows() -> None:
    model = started().refit(line(0.0, -10.0, 0.0, 3.2), iteration=0, seed=0)
    assert mass_at(model, 0.0) == 0.5
    assert mass_at(model, -10.0) == mass_at(model, 3.2) == 0.25
    assert model.metrics()["num_atoms"] == 3.0
    entropy = 0.5 * np.log(2) + 2 * 0.25 * np.log(4)
    assert model.metrics()["entropy"] == pytest.approx(entropy)
    # At the maximum of the likelihood its mean is minus the entropy.
    assert model.training_log.to_pydict() == {"step": [0], "loss": [pytest.approx(entropy)]}


def test_no_other_masses_make_the_curated_rows_likelier() -> None:
    rng = np.random.default_rng(2)
    config = DensityConfig(num_points=(5,))
    curated = started(config).sample(30, seed=1)
    fitted = started(config).refit(curated, iteration=0, seed=0)
    rows = atom_indices(np.column_stack([curated["x"], curated["y"]]), config)
    best = np.log(fitted.masses)[rows].mean()
    assert fitted.training_log["loss"][0].as_py() == pytest.approx(-best)
    for other in rng.dirichlet(np.ones(5), size=200):
        assert np.log(other)[rows].mean() < best


def test_a_weight_counts_as_so_many_rows_and_only_ratios_matter() -> None:
    repeated = started().refit(line(0, 0, 0, 2, 4, 4), iteration=0, seed=0)
    weights = np.array([2.0, 1.0, 1.0, 2.0])
    for scale in (1.0, 1e-200, 1e200):
        curated = line(0, 2, 0, 4).append_column("weight", pa.array(weights * scale))
        weighted = started().refit(curated, iteration=0, seed=0)
        np.testing.assert_allclose(weighted.masses, repeated.masses, rtol=1e-14)


def test_the_order_of_the_rows_is_irrelevant() -> None:
    curated = started(PLANE).sample(500, seed=4)
    first = started(PLANE).refit(curated, iteration=0, seed=0)
    second = started(PLANE).refit(curated.take(np.arange(500)[::-1].copy()), iteration=3, seed=1)
    np.testing.assert_array_equal(first.masses, second.masses)


def test_refitting_on_the_own_support_changes_nothing() -> None:
    model = started(PLANE, shape="gaussian")
    support = model.support()
    curated = support.rename_columns(["x", "y", "weight"])
    np.testing.assert_allclose(
        model.refit(curated, iteration=0, seed=0).masses, model.masses, rtol=1e-12
    )


def test_samples_follow_the_masses() -> None:
    config = DensityConfig(dimensions=2, bounds=((0.0, 1.0),), num_points=(2,))
    masses = np.array([0.1, 0.0, 0.6, 0.3])
    samples = Density(config, masses, np.empty(0)).sample(100_000, seed=3)
    rows = atom_indices(np.column_stack([samples["x"], samples["y"]]), config)
    shares = np.bincount(rows, minlength=4) / 100_000
    assert shares[1] == 0.0
    np.testing.assert_allclose(shares, masses, atol=5 * np.sqrt(0.25 / 100_000))


def test_grid_points_without_mass_are_never_drawn_not_even_the_last() -> None:
    masses = np.zeros(101)
    masses[[7, 50]] = 0.5
    samples = Density(DensityConfig(), masses, np.empty(0)).sample(10_000, seed=0)
    assert set(samples["x"].to_pylist()) == set(DensityConfig().atoms()[[7, 50], 0])


def test_all_configurations_share_no_initial_model_with_another_grid() -> None:
    assert DensityConfig().initial_part() != DensityConfig(num_points=(51,)).initial_part()


def test_plain_values_become_its_configuration() -> None:
    parsed = parse_generator({"kind": "density", "dimensions": 2, "num_points": [11]})
    assert parsed == DensityConfig(dimensions=2, num_points=(11,))


@pytest.mark.parametrize(
    "point", [(0.1, 0.0), (0.2 + 1e-9, 0.0), (10.2, 0.0), (1e300, 0.0), (0.0, 1e-6)]
)
def test_rows_that_are_no_grid_points_are_refused_and_not_moved(point: tuple[float, float]) -> None:
    curated = pa.table({"x": [0.0, point[0]], "y": [0.0, point[1]]})
    with pytest.raises(
        ConfigError,
        match=r"expected points of its grid \(101 on \[-10, 10\] with y = 0\), got .* in row 1 ",
    ):
        started().refit(curated, iteration=0, seed=0)


def test_rounding_of_a_coordinate_is_no_reason_to_refuse_it() -> None:
    model = started().refit(line(0.1 + 0.2 - 0.3, 0.6000000000000001), iteration=0, seed=0)
    assert mass_at(model, 0.0) == mass_at(model, 0.6) == 0.5


def test_no_rows_are_refused() -> None:
    with pytest.raises(ConfigError, match="expected at least 1 row to fit, got 0"):
        started().refit(line(), iteration=0, seed=0)


@pytest.mark.parametrize("weight", [-1e-9, np.nan, np.inf])
def test_a_weight_that_is_no_weight_is_refused_with_its_row(weight: float) -> None:
    curated = line(0, 2).append_column("weight", pa.array([1.0, weight]))
    with pytest.raises(BadNumbers, match=r"expected finite weights of at least 0, got .* in row 1"):
        started().refit(curated, iteration=0, seed=0)


@pytest.mark.parametrize("weight", [0.0, 1.7e308])
def test_weights_need_a_finite_positive_sum(weight: float) -> None:
    curated = line(0, 2).append_column("weight", pa.array([weight, weight]))
    with pytest.raises(BadNumbers, match="expected weights with a finite positive sum, got"):
        started().refit(curated, iteration=0, seed=0)


def test_coordinates_that_are_not_finite_are_refused() -> None:
    with pytest.raises(BadNumbers, match=r"generator density: expected finite .* in row 1"):
        started().refit(line(0.0, np.nan), iteration=0, seed=0)


def test_prompts_are_refused() -> None:
    with pytest.raises(ConfigError, match="generator density: expected no prompts, got 1"):
        started().sample(3, seed=0, prompts=pa.table({"text": ["a"]}))


def test_a_model_of_another_kind_or_grid_is_refused(tmp_path: Path) -> None:
    started().save(tmp_path)
    with pytest.raises(ConfigError, match=r"expected 11 masses in .*, got 101; load it with the"):
        Density.load(tmp_path, DensityConfig(num_points=(11,)))
    (tmp_path / "config.json").write_text('{"kind": "mixture"}')
    with pytest.raises(ConfigError, match=r"expected a model of kind 'density' .* got 'mixture'"):
        Density.load(tmp_path, DensityConfig())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_points": (5, 5)}, "num_points: expected one entry, or one for each of 1 dimension"),
        ({"bounds": ()}, "bounds: expected one entry, or one for each of 1 dimension"),
        ({"bounds": ((1.0, 1.0),)}, "bounds: expected pairs .* ascending order"),
        ({"bounds": ((-1.7e308, 1.7e308),)}, "bounds: expected pairs .* ascending order"),
        ({"num_points": (1,)}, "num_points: expected at least 2 along every axis"),
        ({"dimensions": 3}, "dimensions"),
    ],
)
def test_a_grid_that_is_none_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        DensityConfig.model_validate(changes)


def test_an_initial_covariance_that_is_none_is_refused() -> None:
    with pytest.raises(ValidationError, match="symmetric positive definite covariance, got"):
        DensityInitial(covariance=((1.0, 0.5), (0.4, 1.0)))
