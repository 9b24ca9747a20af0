"""What every function of this package asks of its arguments: raises `ValueError` or passes on.

Letters: n atoms, R rewards. Probabilities may miss a sum of 1 by `TOLERANCE`, which is what
printing or adding them up can cost; anything more is a mistake of the caller.
"""

import math
import operator

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

TOLERANCE = 1e-9


def check_simplex(
    name: str,
    values: npt.ArrayLike,  # (size,)
    size: int | None = None,
) -> FloatArray:  # (size,)
    """Non-negative numbers that sum to 1; raises `ValueError` naming `name`."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or len(array) == 0 or (size is not None and len(array) != size):
        wanted = "(n,) with n of at least 1" if size is None else f"({size},)"
        raise ValueError(
            f"{name}: expected an array of shape {wanted}, got {array.shape}; give one number each"
        )
    smallest, total = float(array.min()), float(array.sum())
    if not (smallest >= 0 and abs(total - 1) <= TOLERANCE):
        raise ValueError(
            f"{name}: expected non-negative numbers that sum to 1, got the smallest {smallest} and "
            f"the sum {total}; divide them by their sum"
        )
    return array


def check_table(
    name: str,
    values: npt.ArrayLike,  # (rows, columns)
    *,
    rows: int | None = None,
    columns: int | None = None,
) -> FloatArray:  # (rows, columns)
    """A table of finite numbers with at least one row; raises `ValueError` naming `name`."""
    table = np.asarray(values, dtype=np.float64)
    wanted = f"({'R' if rows is None else rows}, {'n' if columns is None else columns})"
    fits = table.ndim == 2 and table.size > 0
    if not (fits and rows in (None, table.shape[0]) and columns in (None, table.shape[1])):
        raise ValueError(
            f"{name}: expected an array of shape {wanted}, got {table.shape}; one row a reward"
        )
    # A sum of extremes instead of a mask: NaN and infinities show, and no table is allocated.
    if not math.isfinite(float(table.min())) or not math.isfinite(float(table.max())):
        raise ValueError(
            f"{name}: expected finite numbers, got NaN or an infinity; take those columns out"
        )
    return table


def check_weights(
    weights: npt.ArrayLike,  # (R,) or (T, R)
    num_rewards: int,
    iterations: int | None = None,
) -> FloatArray:  # (R,), or (T, R) when iterations is T
    """Weights of the rewards, with `iterations` repeated for each round if they do not vary."""
    array = np.asarray(weights, dtype=np.float64)
    if iterations is None or array.ndim < 2:
        array = check_simplex("weights", array, num_rewards)
        return array if iterations is None else np.broadcast_to(array, (iterations, num_rewards))
    if array.shape != (iterations, num_rewards):
        raise ValueError(
            f"weights: expected an array of shape ({num_rewards},) or ({iterations}, "
            f"{num_rewards}), got {array.shape}; one weight a reward, one row a round"
        )
    for row in array:
        check_simplex("weights", row)
    return array


def check_flags(name: str, flags: npt.ArrayLike, shape: tuple[int, ...]) -> BoolArray:
    """An array of booleans of a given shape; raises `ValueError` naming `name`."""
    array = np.asarray(flags)
    if array.dtype != np.bool_ or array.shape != shape:
        raise ValueError(
            f"{name}: expected booleans of shape {shape}, got {array.dtype} of shape "
            f"{array.shape}; True marks the atoms that belong"
        )
    return array


def check_pool_size(pool_size: int | None) -> int | None:
    """A whole number of at least 1, or None for infinitely many candidates."""
    if pool_size is None:
        return None
    return check_count("pool_size", pool_size, 1, "None stands for infinitely many candidates")


def check_count(name: str, value: int, least: int, hint: str) -> int:
    """A whole number of at least `least`; raises `ValueError` naming `name`."""
    try:
        whole = -1 if isinstance(value, bool) else operator.index(value)
    except TypeError:
        whole = -1
    if whole < least:
        raise ValueError(
            f"{name}: expected a whole number of at least {least}, got {value}; {hint}"
        )
    return whole


def check_temperature(temperature: float, *, zero: bool) -> float:
    """A finite positive number, or 0 where `zero` says that the best candidate may win."""
    if not (0 < temperature < math.inf or (zero and temperature == 0)):
        wanted = "a finite number of at least 0" if zero else "a finite positive number"
        hint = "0 lets the best of the pool win" if zero else "leakage has no limit at 0"
        raise ValueError(f"temperature: expected {wanted}, got {temperature}; {hint}")
    return float(temperature)


def check_spread(spread: float) -> float:
    """The largest difference of r / tau within a reward; raises `ValueError` unless finite."""
    if not spread < math.inf:
        raise ValueError(
            f"temperature: expected differences of rewards / temperature that a float holds, got "
            f"{spread}; use temperature 0 for the best of the pool"
        )
    return spread


def check_share(name: str, value: float) -> float:
    """A number in [0, 1]; raises `ValueError` naming `name`."""
    if not 0 <= value <= 1:
        raise ValueError(f"{name}: expected a number in [0, 1], got {value}; it is a share")
    return float(value)


def check_number(name: str, value: float, *, least: float = -math.inf) -> float:
    """A finite number of at least `least`; raises `ValueError` naming `name`."""
    if not least <= value < math.inf or value == -math.inf:
        bound = "" if least == -math.inf else f" of at least {least:g}"
        raise ValueError(f"{name}: expected a finite number{bound}, got {value}; check its source")
    return float(value)
