"""One prediction beside its measurement, and the verdict on it."""

import math
from dataclasses import dataclass
from typing import Any

HOLDS, VIOLATED, UNMET = "holds", "violated", "assumption not met"
# What stands between the basis of a prediction and its assumption that is not met.
NOT_MET = "; not met: "
SHARES = ("pool_limit", "leakage", "selection_leakage")
VARIANCES = ("reward_var", "reward_var_bound")


@dataclass(frozen=True)
class Prediction:
    """What the theory gives for one quantity, and the range in which it may be measured.

    `predicted` is the value, or the bound where there is only one; `lower` and `upper` allow for
    sampling. `unmet` names the assumption that does not hold here, if any.
    """

    quantity: str
    predicted: float
    lower: float
    upper: float
    basis: str
    unmet: str | None = None


def near(
    quantity: str, predicted: float, tolerance: float, basis: str, unmet: str | None = None
) -> Prediction:
    """The prediction of a value that may be measured up to `tolerance` to either side."""
    return Prediction(
        quantity, predicted, predicted - tolerance, predicted + tolerance, basis, unmet
    )


def compared(prediction: Prediction, measured: float) -> dict[str, Any]:
    """Row of predictions.parquet: holds, violated (so does a NaN), or assumption not met."""
    inside = prediction.lower <= measured <= prediction.upper
    verdict, basis = HOLDS if inside else VIOLATED, prediction.basis
    if prediction.unmet is not None:
        verdict, basis = UNMET, f"{basis}{NOT_MET}{prediction.unmet}"
    return {
        "quantity": prediction.quantity,
        "predicted": prediction.predicted,
        "lower": prediction.lower,
        "upper": prediction.upper,
        "measured": measured,
        "verdict": verdict,
        "basis": basis,
    }


def possible_range(quantity: str) -> tuple[float, float]:
    """Least and largest value that a quantity can have: shares and masses 0 to 1, variances 0 on.

    Known by its name, `<kind>.<reward>` or `<kind>`.
    """
    kind = quantity.partition(".")[0]
    if kind in VARIANCES:
        return 0.0, math.inf
    if kind in SHARES or kind.endswith(("_mass", "_share")):
        return 0.0, 1.0
    return -math.inf, math.inf


def sampling_slack(share: float, *sizes: int) -> float:
    """Four standard deviations of a share seen through independent samples of these sizes.

    The variance of each is share (1 - share) / n, with share kept away from 0 and 1 by one row.
    Counts of rare rows are skewed, so (4^2 - 1)/6 = 2.5 rows of the smallest sample are added:
    the next term of the quantile (Cornish and Fisher) of a Poisson count.
    """
    if not sizes:
        return 0.0
    least = 1 / min(sizes)
    kept = min(max(share, least), 1 - least) if least < 0.5 else 0.5
    return 4 * math.sqrt(kept * (1 - kept) * sum(1 / size for size in sizes)) + 2.5 * least
