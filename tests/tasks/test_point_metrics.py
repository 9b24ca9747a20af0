"""Spread of points: order parameter, frames, and the distance of Gaussians in closed form."""

import numpy as np
import pytest

from tasks.geometry import ModeAxis
from tasks.point_metrics import frechet_distance, moments, point_metrics


def axis_at(angle: float, distance: float = 6.0) -> ModeAxis:
    along = np.array([np.cos(angle), np.sin(angle)])
    frame = np.array([along, [-along[1], along[0]]])
    return ModeAxis(distance=distance, midpoint=np.array([1.0, -2.0]), frame=frame)


def test_the_order_parameter_of_two_points_at_the_centres_is_one() -> None:
    points = np.array([[-3.0, 0.0], [3.0, 0.0]])
    measured = point_metrics(points, axis_at(0.0))
    assert measured == pytest.approx(
        {"variance_total": 9, "variance_along": 9, "variance_across": 0,
         "order_parameter_squared": 1}
    )  # fmt: skip


@pytest.mark.parametrize("angle", [0.4, 2.0, -1.2])
def test_turning_centres_and_points_together_changes_nothing(angle: float) -> None:
    points = np.random.default_rng(1).standard_normal((50, 2)) * [3, 0.5]
    axis = axis_at(angle)
    turned = points @ axis.frame + axis.midpoint
    assert point_metrics(turned, axis) == pytest.approx(point_metrics(points, axis_at(0.0)))


def test_a_round_cloud_has_no_order() -> None:
    points = np.array([[1.0, 0], [-1, 0], [0, 1], [0, -1], [0, 1], [0, -1]])
    assert point_metrics(points, axis_at(0.0))["order_parameter_squared"] == 0


def test_modes_too_near_to_tell_apart_have_no_order_parameter() -> None:
    points = np.eye(2)
    assert "order_parameter_squared" in point_metrics(points, axis_at(0.0, 0.5))
    assert "order_parameter_squared" not in point_metrics(points, axis_at(0.0, 0.49))


def test_without_an_axis_only_the_total_spread_is_measured() -> None:
    assert point_metrics(np.array([[0.0, 0.0], [2.0, 4.0]]), None) == {"variance_total": 5.0}


def test_masses_stand_for_repeated_points() -> None:
    points = np.array([[0.0, 1.0], [2.0, 3.0], [-1.0, 5.0]])
    repeated = points[[0, 0, 0, 1, 2, 2]]
    weighted = point_metrics(points, axis_at(0.3), np.array([3, 1, 2]) / 6)
    assert weighted == pytest.approx(point_metrics(repeated, axis_at(0.3)))


def test_moments_are_those_of_numpy() -> None:
    points = np.random.default_rng(2).standard_normal((20, 2))
    mean, covariance = moments(points)
    np.testing.assert_allclose(mean, points.mean(axis=0))
    np.testing.assert_allclose(covariance, np.cov(points.T, bias=True))


def gaussian(mean: tuple[float, float], covariance: object) -> tuple[np.ndarray, np.ndarray]:
    return np.array(mean), np.array(covariance, dtype=float)


def test_equal_gaussians_are_at_distance_zero() -> None:
    one = gaussian((1, 2), [[2, 0.5], [0.5, 1]])
    assert frechet_distance(one, one) == pytest.approx(0, abs=1e-7)


def test_gaussians_of_one_shape_are_as_far_apart_as_their_means() -> None:
    shape = [[2, 0.5], [0.5, 1]]
    assert frechet_distance(gaussian((0, 0), shape), gaussian((3, 4), shape)) == pytest.approx(5)


def test_gaussians_along_the_axes_differ_by_their_deviations() -> None:
    first, second = gaussian((0, 0), np.diag([4, 9])), gaussian((0, 1), np.diag([1, 25]))
    assert frechet_distance(first, second) == pytest.approx(np.sqrt(1 + 1 + 4))
    assert frechet_distance(second, first) == pytest.approx(np.sqrt(6))


def test_a_point_is_as_far_as_mean_and_spread_say() -> None:
    point, cloud = gaussian((0, 0), np.zeros((2, 2))), gaussian((3, 0), [[2, 1], [1, 5]])
    assert frechet_distance(point, cloud) == pytest.approx(np.sqrt(9 + 7))


def test_covariances_that_do_not_commute_need_the_root_of_their_product() -> None:
    from scipy.linalg import sqrtm

    first, second = gaussian((0, 0), [[2, 1], [1, 3]]), gaussian((0, 0), [[1, -0.5], [-0.5, 2]])
    cross = np.trace(np.real(sqrtm(first[1] @ second[1])))
    expected = np.sqrt(np.trace(first[1]) + np.trace(second[1]) - 2 * cross)
    assert frechet_distance(first, second) == pytest.approx(expected)
