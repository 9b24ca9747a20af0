"""Where the update with infinitely many candidates ends on one atom a reward, in closed form.

The update p'(j) = p(j) sum_i pi_i E_ij / (E p)_i, E_ij = u_i(j), never lowers the concave function
sum_i pi_i log (E p)_i, so that from a positive start it ends at its largest value on the simplex.
"""

import numpy as np
import numpy.typing as npt

from theory.checks import FloatArray, check_share, check_simplex, check_table

OUTSIDE = 1e-12  # how far below 0 rounding may carry a share


def two_atom_share(q: float, eta_1: float, eta_2: float) -> float:
    """Limit share of atom 1, m* = q/(1 - eta_2) - (1 - q) eta_1/(1 - eta_1), clipped to [0, 1].

    eta_1 = u_1(2)/u_1(1) and eta_2 = u_2(1)/u_2(2) in [0, 1]. A clipped share is collapse onto one
    atom: leakage over-shoots the majority. A reward of leakage 1 tells the atoms not apart and the
    other one decides. q of 0 and 1 give 0 and 1. Raises `ValueError` when no reward in use tells
    them apart, where every share stays as it is.
    """
    q = check_share("q", q)
    eta_1, eta_2 = check_share("eta_1", eta_1), check_share("eta_2", eta_2)
    blind_1, blind_2 = eta_1 == 1 or q == 0, eta_2 == 1 or q == 1
    if blind_1 and blind_2:
        raise ValueError(
            f"eta: expected a reward that tells the atoms apart, got q = {q}, eta_1 = {eta_1}, "
            f"eta_2 = {eta_2}; every share is a limit"
        )
    if blind_1 or blind_2:
        return 0.0 if blind_1 else 1.0
    return min(1.0, max(0.0, q / (1 - eta_2) - (1 - q) * eta_1 / (1 - eta_1)))


def atoms_limit(
    exponentials: npt.ArrayLike,  # (R, R)
    weights: npt.ArrayLike,  # (R,)
) -> FloatArray:  # (R,)
    """Limit shares of R atoms, E_ij = u_i(j) > 0: solve E' y = 1, then p = E^-1 (pi / y).

    Rows may be scaled at will. Holds when every atom keeps mass; raises `ValueError` when the
    solution lies outside the simplex or E is singular: some atom dies out, iterate instead.
    """
    table = check_table("exponentials", exponentials)
    weights = check_simplex("weights", weights, len(table))
    if table.shape[0] != table.shape[1] or table.min() < 0 or not table.any(axis=1).all():
        raise ValueError(
            f"exponentials: expected a square table of numbers of at least 0 with a positive one "
            f"in each row, got shape {table.shape} and the smallest {table.min()}; give u_i(j)"
        )
    table = table / table.max(axis=1, keepdims=True)
    try:
        pulls = np.linalg.solve(table.T, np.ones(len(table)))  # y_i = pi_i / (E p)_i
        with np.errstate(divide="ignore", invalid="ignore"):
            shares: FloatArray = np.linalg.solve(table, weights / pulls)
    except np.linalg.LinAlgError:
        shares = np.full(len(table), np.nan)
    if not (shares.min() >= -OUTSIDE and pulls.min() > 0):
        raise ValueError(
            f"exponentials: expected a limit in which every atom keeps mass, got the shares "
            f"{shares.tolist()}; some atom dies out, iterate the update instead"
        )
    shares = np.maximum(shares, 0.0)
    shares /= shares.sum()
    return shares
