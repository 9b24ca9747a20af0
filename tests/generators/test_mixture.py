"""Generator `mixture`: the law it samples, the fits of both algorithms, the paper's settings."""

from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError
from threadpoolctl import threadpool_limits

from generators.mixture import Mixture, MixtureConfig, MixtureInitial, fit_mixture
from generators.scratch_em import fit_scratch
from generators.warm_em import Components, fit_warm, log_joint, mean_log_likelihood, resized
from tests.generators.mixtures import (
    ALGORITHMS,
    FLOOR,
    TWO,
    configured,
    moments,
    points_of_two,
    started,
    table,
)


def test_the_paper_fits_one_component_before_iteration_five_and_two_from_then_on() -> None:
    config = MixtureConfig()
    assert [config.num_components(t) for t in (0, 4, 5, 29)] == [1, 1, 2, 2]
    assert config.first_iteration_above_one() == 5
    assert MixtureConfig(components=((0, 1),)).first_iteration_above_one() is None
    fitted = started().refit(table(points_of_two(300)), iteration=5, seed=0)
    assert fitted.metrics()["num_components"] == 2.0


@pytest.mark.parametrize("pairs", [(), ((1, 2),), ((0, 1), (0, 2)), ((0, 1), (5, 2), (3, 1))])
def test_iterations_that_do_not_ascend_from_zero_are_refused(
    pairs: tuple[tuple[int, int], ...],
) -> None:
    with pytest.raises(ValidationError, match=r"expected pairs .* ascending from 0"):
        MixtureConfig(components=pairs)


def test_a_number_of_components_below_one_is_refused() -> None:
    with pytest.raises(ValidationError, match="numbers of at least 1"):
        MixtureConfig(components=((0, 0),))


@pytest.mark.parametrize(
    "covariance", [((1.0, 0.5), (0.4, 1.0)), ((1.0, 1.0), (1.0, 1.0)), ((-1.0, 0.0), (0.0, -1.0))]
)
def test_an_initial_covariance_that_is_none_is_refused(
    covariance: tuple[tuple[float, float], tuple[float, float]],
) -> None:
    with pytest.raises(ValidationError, match="symmetric positive definite covariance, got"):
        MixtureInitial(covariance=covariance)


@ALGORITHMS
def test_the_initial_model_is_the_gaussian_of_its_points(algorithm: str) -> None:
    config = configured(algorithm, components=((0, 2),))
    initial = MixtureInitial(mean=(1.0, -2.0), covariance=((2.0, 0.5), (0.5, 1.0)))
    measured = Mixture.initial(config, initial, seed=3).metrics()
    assert measured["num_components"] == 1.0
    # Standard errors of 1000 points: 0.045 for the mean, 0.09 for the variance; 4 of them.
    assert measured["component_mean_x.0"] == pytest.approx(1.0, abs=0.18)
    assert measured["component_var_x.0"] == pytest.approx(2.0, abs=0.36)
    other = Mixture.initial(config, initial, seed=4).metrics()
    assert other["component_mean_x.0"] != measured["component_mean_x.0"]


def test_configurations_that_share_the_initial_part_share_the_initial_model(
    tmp_path: Path,
) -> None:
    paper, other = MixtureConfig(), MixtureConfig(components=((0, 4),))
    assert paper.initial_part() == other.initial_part()
    assert paper.initial_part() != configured("warm-em").initial_part()
    saved = []
    for config in (paper, other):
        Mixture.initial(config, MixtureInitial(), seed=0).save(tmp_path)
        saved.append([path.read_bytes() for path in sorted(tmp_path.iterdir())])
    assert saved[0] == saved[1]


def test_samples_follow_the_law_of_the_mixture() -> None:
    points = points_of_two(200_000, seed=1)
    mean, covariance = moments(TWO)
    # Five standard errors: the largest variance is 9.2, of squares about 100.
    np.testing.assert_allclose(points.mean(axis=0), mean, atol=5 * 3.1 / np.sqrt(200_000))
    np.testing.assert_allclose(np.cov(points.T), covariance, atol=0.1)
    left = points[points[:, 0] < 0]
    assert len(left) / len(points) == pytest.approx(0.3, abs=0.006)
    np.testing.assert_allclose(np.cov(left.T), TWO.covariances[0], atol=0.03)


def test_rows_come_in_random_order_and_not_by_component() -> None:
    side = points_of_two(1000)[:, 0] > 0
    changes = int(np.sum(side[1:] != side[:-1]))
    assert 340 < changes < 500  # 999 * 2 * .3 * .7 = 420 expected, standard deviation 17


@ALGORITHMS
def test_one_component_is_the_sample_moments_with_the_floor(algorithm: str) -> None:
    points = points_of_two(500)
    fit = fit_mixture(points, 1, configured(algorithm), start=TWO)
    np.testing.assert_allclose(fit.components.means[0], points.mean(axis=0), rtol=1e-12)
    expected = np.cov(points.T, bias=True) + FLOOR * np.eye(2)
    np.testing.assert_allclose(fit.components.covariances[0], expected, rtol=1e-10)
    assert fit.converged and fit.num_steps == 2


@ALGORITHMS
def test_a_refit_finds_the_mixture_its_points_came_from(algorithm: str) -> None:
    model = started(algorithm, tolerance=1e-8)
    measured = model.refit(table(points_of_two(20_000)), iteration=5, seed=0).metrics()
    for index, weight in enumerate(TWO.weights):
        # Five standard errors of 20,000 points.
        assert measured[f"component_weight.{index}"] == pytest.approx(weight, abs=0.017)
        assert measured[f"component_mean_x.{index}"] == pytest.approx(TWO.means[index, 0], abs=0.05)
        assert measured[f"component_var_y.{index}"] == pytest.approx(
            TWO.covariances[index, 1, 1], abs=0.06
        )
    assert measured["converged"] == 1.0


@ALGORITHMS
def test_components_stand_in_order_of_their_mean(algorithm: str) -> None:
    config = configured(algorithm, components=((0, 5),))
    fit = fit_mixture(points_of_two(600), 5, config, start=TWO)
    assert (np.diff(fit.components.means[:, 0]) > 0).all()
    assert fit.components.weights.sum() == pytest.approx(1.0, abs=1e-12)


def test_both_algorithms_reach_the_same_optimum_on_separate_modes() -> None:
    points = points_of_two(1000)
    config = MixtureConfig(tolerance=1e-10)
    scratch = fit_mixture(points, 2, config, start=TWO)
    start = started().fit.components
    warm = fit_mixture(points, 2, config.model_copy(update={"algorithm": "warm-em"}), start=start)
    np.testing.assert_allclose(warm.components.means, scratch.components.means, atol=1e-5)
    np.testing.assert_allclose(
        warm.components.covariances, scratch.components.covariances, atol=1e-5
    )
    assert warm.losses[-1] == pytest.approx(scratch.losses[-1], abs=1e-9)


@ALGORITHMS
def test_no_step_makes_the_loss_worse_and_the_last_loss_is_that_of_the_model(
    algorithm: str,
) -> None:
    points = np.random.default_rng(0).standard_normal((400, 2))
    config = configured(algorithm, tolerance=1e-7, covariance_floor=0.0)
    fit = fit_mixture(points, 3, config, start=resized(started().fit.components, 3))
    assert len(fit.losses) == fit.num_steps > 3
    assert (np.diff(fit.losses) <= 1e-12).all()
    assert fit.losses[-1] == pytest.approx(-mean_log_likelihood(fit.components, points))
    log = Mixture(config, fit).training_log
    assert log["step"].to_pylist() == list(range(fit.num_steps))


def test_log_joint_is_the_weighted_normal_density() -> None:
    points = points_of_two(20)
    for weight, mean, covariance, row in zip(
        TWO.weights, TWO.means, TWO.covariances, log_joint(TWO, points), strict=True
    ):
        steps = points - mean
        squared = np.einsum("ni,ij,nj->n", steps, np.linalg.inv(covariance), steps)
        density = np.exp(-squared / 2) / (2 * np.pi * np.sqrt(np.linalg.det(covariance)))
        np.testing.assert_allclose(np.exp(row), weight * density, rtol=1e-10)


@pytest.mark.parametrize("num_components", [1, 2, 3, 8])
def test_resizing_keeps_the_mean_and_the_covariance(num_components: int) -> None:
    other = resized(TWO, num_components)
    assert len(other.weights) == num_components
    for found, expected in zip(moments(other), moments(TWO), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-12)
    assert np.isfinite(other.factors()).all()


def test_a_gaussian_is_cut_along_its_principal_axis() -> None:
    wide = Components(np.ones(1), np.zeros((1, 2)), np.array([[[4.0, 0.0], [0.0, 1.0]]]))
    halves = resized(wide, 2).sorted_by_x()
    reach = 2 * np.sqrt(2 / np.pi)
    np.testing.assert_allclose(halves.means, [[-reach, 0.0], [reach, 0.0]], atol=1e-12)
    np.testing.assert_allclose(halves.weights, [0.5, 0.5])


def test_moving_the_points_moves_the_fit_and_changes_nothing_else() -> None:
    points = points_of_two(500)
    shift = np.array([1000.0, -300.0])
    moved = Components(TWO.weights, TWO.means + shift, TWO.covariances)
    near, far = (
        fit_warm(cloud, start, tolerance=1e-6, max_steps=50, covariance_floor=FLOOR)
        for cloud, start in ((points, TWO), (points + shift, moved))
    )
    assert near.num_steps == far.num_steps
    np.testing.assert_allclose(far.components.means - shift, near.components.means, atol=1e-9)
    np.testing.assert_allclose(far.components.covariances, near.components.covariances, atol=1e-9)


@ALGORITHMS
def test_the_number_of_threads_does_not_change_a_bit(algorithm: str, tmp_path: Path) -> None:
    curated = table(points_of_two(5000))
    saved = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            model = started(algorithm).refit(curated, iteration=5, seed=0)
        model.save(tmp_path)
        saved.append((tmp_path / "model.safetensors").read_bytes())
    assert saved[0] == saved[1]


def test_a_fit_from_scratch_ignores_the_present_parameters_and_the_seed() -> None:
    curated = table(points_of_two(300))
    first = started().refit(curated, iteration=5, seed=0)
    second = first.refit(curated, iteration=5, seed=99)
    assert first.metrics() == second.metrics()


def test_scikit_learn_is_given_the_paper_settings() -> None:
    from sklearn.mixture import GaussianMixture

    points = points_of_two(400)
    reference = GaussianMixture(2, random_state=42).fit(points)
    config = MixtureConfig()
    fit = fit_scratch(
        points,
        2,
        random_state=config.random_state,
        tolerance=config.tolerance,
        max_steps=config.max_steps,
        covariance_floor=config.covariance_floor,
    )
    order = np.argsort(reference.means_[:, 0])
    sorted_fit = fit.components.sorted_by_x()
    np.testing.assert_allclose(sorted_fit.means, reference.means_[order], rtol=1e-12)
    np.testing.assert_allclose(sorted_fit.weights, reference.weights_[order], rtol=1e-12)
    assert fit.num_steps == reference.n_iter_
