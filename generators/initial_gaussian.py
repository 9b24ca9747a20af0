"""The Gaussian of the plane that generators of points start from."""

from typing import Any

from pydantic import field_validator

from data.configuration import setting
from generators.registry import InitialConfig


class GaussianInitial(InitialConfig):
    """Mean and covariance of that Gaussian; a generator adds what it makes of it."""

    mean: tuple[float, float] = setting((0.0, 0.0), "mean of that Gaussian", "O")
    covariance: tuple[tuple[float, float], tuple[float, float]] = setting(
        ((1.0, 0.0), (0.0, 1.0)), "its covariance", "O"
    )

    @field_validator("covariance")
    @classmethod
    def _check_covariance(cls, covariance: Any) -> Any:
        (a, b), (c, d) = covariance
        if b != c or a <= 0 or a * d - b * c <= 0:
            raise ValueError(
                f"expected a symmetric positive definite covariance, got {covariance}; "
                "for independent coordinates set the off-diagonal entries to 0"
            )
        return covariance
