"""EM from scratch by scikit-learn, as in the paper: k-means clusters first, then EM."""

import functools
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from data.errors import BadNumbers
from generators.warm_em import Components, EmFit, mean_log_likelihood

FloatArray = npt.NDArray[np.float64]

# Warning filters and thread limits belong to the process, so one fit at a time holds them.
_ONE_FIT = threading.RLock()


def fit_scratch(
    points: FloatArray,  # (n, 2)
    num_components: int,
    *,
    random_state: int,
    tolerance: float,
    max_steps: int,
    covariance_floor: float,
) -> EmFit:
    """Maximum likelihood by EM; arguments as scikit-learn's GaussianMixture names them.

    An end without convergence is in the outcome, not a warning. Raises `BadNumbers` for data
    that scikit-learn gives up on.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    model = GaussianMixture(
        num_components,
        random_state=random_state,
        tol=tolerance,
        max_iter=max_steps,
        reg_covar=covariance_floor,
    )
    with _one_thread(), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        try:
            model.fit(points)
        except ValueError as error:
            raise BadNumbers(
                f"generator mixture: expected data that {num_components} component(s) can be "
                f"fitted to, got {len(points)} rows on which scikit-learn stops with: "
                f"{str(error).rstrip('.')}; rescale the points or raise generator.covariance_floor"
            ) from error
    components = Components(model.weights_, model.means_, model.covariances_)
    # Its bounds are taken before each step, ours after: drop the first, add the last.
    bounds = [*getattr(model, "lower_bounds_", [])[1:], mean_log_likelihood(components, points)]
    return EmFit(components, -np.array(bounds), int(model.n_iter_), bool(model.converged_))


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let numerical libraries use one thread, so that the bits do not depend on their number.

    Looking up the libraries costs more than half a fit, so it is done once in a process.
    """
    with _ONE_FIT, _thread_controller().limit(limits=1):
        yield


@functools.cache
def _thread_controller() -> Any:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
