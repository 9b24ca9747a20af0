"""What the theory of basins says about a model p_k and the round that trained it, R rewards.

A basin without a single candidate, or two that overlap, are assumptions that are not met; the
rows then say so instead of being left out.
"""

import math

import numpy as np
import numpy.typing as npt

from tasks.agreement import Prediction, near, sampling_slack
from tasks.assumptions import changing_rounds, small_pool, unplain_choice
from tasks.basin_facts import basins_of
from tasks.round_facts import NoBasins, Round
from tasks.settings import RunConfig
from theory.leakage import variance_bound
from theory.limits import finite_pool_limit, finite_pool_map

FloatArray = npt.NDArray[np.float64]

# More mass outside than this, and nothing is said about a limit.
SMALL_OUTSIDE = 0.05
# How near the map has to be to its limit before a share is compared with it.
SETTLED = 0.01
# Nearer to a transition noise adds up over so many rounds that a share says nothing.
LONGEST_MEMORY = 0.9
DIFFERENCE = 1e-6
# A share outside the interval is on its way in while its distance shrinks to this or less.
APPROACH = 0.9
Row = tuple[Prediction, float]


def predict_round(config: RunConfig, t: int, found: Round | NoBasins) -> list[Row]:
    """Predictions about the curated set of iteration t: Lemmas 3 and 4, the finite-pool map."""
    if isinstance(found, NoBasins):
        wanted, basis = float(len(config.rewards)), "basins r_i >= r_i* - eps that hold a candidate"
        row = Prediction("basins", wanted, wanted, wanted, basis, found.assumption)
        return [(row, float(found.num_held))]
    facts, unmet = found.facts, unplain_choice(config)
    infinite = unmet or small_pool(config)
    outside = float(1 - found.curated.sum())
    upper = facts.multiplier * facts.outside
    unknown = None
    if math.isnan(upper):
        upper, unknown = 1.0, "candidates few enough to compute rho_t of a finite pool"
    slack = sampling_slack(min(upper, 1.0), *found.sizes) + 1e-9
    basis = "w' <= rho_t w (Lemma 3)"
    bound = Prediction(
        "curated_outside_mass", upper, 0.0, min(upper + slack, 1.0), basis, unmet or unknown
    )
    rows: list[Row] = [(bound, outside)]
    if unknown is None:
        basis = "rho_t < 1: outside mass shrinks in every round (sufficient, not necessary)"
        growing = None if facts.multiplier < 1 else "rho_t < 1"
        shrinks = Prediction("outside_multiplier", 1.0, 0.0, 1.0, basis, unmet or growing)
        rows.append((shrinks, facts.multiplier))
    for i, name in enumerate(config.reward_names):
        least = float(facts.bound[i])
        slack = sampling_slack(least, *found.sizes) + 1e-9
        rows.append(
            (
                Prediction(
                    f"curated_mass.{name}",
                    least,
                    least - slack,
                    1.0,
                    "m_i' >= pi_i m_i / (m_i + sum_j eta_ij m_j + e^(eps/tau) w) (Lemma 4)",
                    infinite,
                ),
                float(found.curated[i]),
            )
        )
    return rows + _pool_step(config, t, found, unmet)


def predict_limit(
    config: RunConfig,
    t: int,
    found: Round | NoBasins,
    scores: FloatArray,  # (n, R), of samples of p_{t+1}
    masses: FloatArray,  # (n,)
    suprema: FloatArray,  # (R,)
) -> list[Row]:
    """Predictions about the shares of the basins in p_{t+1}: Lemma 4's interval, Lemma 5."""
    basins = basins_of(scores, config.evaluation.basin_epsilon, suprema)
    if isinstance(found, NoBasins) or basins is None or not basins.any():
        return []
    facts, held = found.facts, basins @ masses
    shares = held / max(held.sum(), 1e-300)
    before = facts.masses / facts.masses.sum()
    settled = _unsettled(config, facts.outside)
    unmet = settled or small_pool(config)
    sizes = found.sizes and (*found.sizes, config.evaluation.num_samples)
    rows: list[Row] = []
    for i, name in enumerate(config.reward_names):
        lower, upper = facts.interval[i]
        weight, share = config.weights_at(t)[i], float(shares[i])
        slack = facts.outside + sampling_slack(weight, *sizes) + 1e-9
        low, high = float(lower) - slack, float(upper) + slack
        assumption = unmet
        if assumption is None and not facts.survives[i]:
            assumption = "leakage small enough that no basin dies out"
        # The interval holds for the limit; a share on its way in says nothing yet.
        away = _distance(float(before[i]), low, high)
        if assumption is None and 0 < _distance(share, low, high) < APPROACH * away:
            assumption = "rounds enough to enter the interval"
        rows.append(
            (
                Prediction(
                    f"limit_share.{name}",
                    weight,
                    low,
                    high,
                    "share in [(pi_i - h_i)/(1 - h_i), 1 - the others' least] (Lemma 4)",
                    assumption,
                ),
                share,
            )
        )
    return rows + _pool_limit(config, t, shares, facts.outside, settled)


def predict_variance(
    config: RunConfig,
    scores: FloatArray,  # (n, 2)
    masses: FloatArray,  # (n,)
    variances: FloatArray,  # (2,)
    suprema: FloatArray,  # (2,)
) -> list[Row]:
    """Theorem 6 on the samples of p_k, two rewards: Var[r_i] from basin masses and gaps."""
    epsilon = config.evaluation.basin_epsilon
    basins = basins_of(scores, epsilon, suprema)
    if scores.shape[1] != 2 or basins is None or not basins.any(axis=1).all():
        return []
    best = np.where(np.isnan(suprema), scores.max(axis=0), suprema)
    rows: list[Row] = []
    for i, name in enumerate(config.reward_names):
        gap = float(best[i] - scores[basins[1 - i], i].max())
        bound = variance_bound(basins @ masses, gap, epsilon)
        basis = "Var[r_i] >= m_1 m_2 / (m_1 + m_2) (Delta_i - eps)_+^2 (Theorem 6)"
        rows.append(
            (
                Prediction(f"reward_var_bound.{name}", bound, bound * (1 - 1e-9), math.inf, basis),
                float(variances[i]),
            )
        )
    return rows


def _pool_step(config: RunConfig, t: int, found: Round, unmet: str | None) -> list[Row]:
    """The finite-pool map, one round from the measured masses and at its limit."""
    facts, size = found.facts, config.selection.pool_size
    inside = facts.masses.sum()
    leak = float((facts.eta - np.diag(np.diag(facts.eta))).max())
    unmet = unmet or _much_outside(facts.outside)
    if unmet is None and leak > SETTLED:
        unmet = f"leakage of at most {SETTLED:g}"
    weights = np.array(config.weights_at(t))
    after = finite_pool_map(facts.masses / inside, weights, size)
    curated = found.curated / max(found.curated.sum(), 1e-300)
    rows: list[Row] = []
    for i, name in enumerate(config.reward_names):
        share = float(after[i])
        # A candidate outside, and leakage, move a share by at most so much.
        slack = sampling_slack(share, *found.sizes) + 2 * (facts.outside + leak) + 1e-9
        basis = f"finite-pool map for K = {size or 'infinity'}, one round"
        rows.append((near(f"pool_share.{name}", share, slack, basis, unmet), float(curated[i])))
    return rows


def _pool_limit(
    config: RunConfig, t: int, shares: FloatArray, outside: float, unmet: str | None
) -> list[Row]:
    """The limit of the finite-pool map, once the map itself has come near it."""
    size = config.selection.pool_size
    if size is None:
        return []
    weights = np.array(config.weights_at(t))
    limit = finite_pool_limit(weights, size)
    reached, rounds = weights, 0
    while np.abs(reached - limit).max() > SETTLED and rounds < t:
        reached, rounds = finite_pool_map(reached, weights, size), rounds + 1
    if unmet is None and np.abs(reached - limit).max() > SETTLED:
        unmet = f"rounds enough for the map to come within {SETTLED:g} of its limit"
    memory = _memory(limit, weights, size)
    if unmet is None and memory > LONGEST_MEMORY:
        unmet = f"a limit where the map shrinks deviations to {LONGEST_MEMORY:g} of them or less"
    sizes = (config.num_candidates, config.selection.num_curated, config.evaluation.num_samples)
    noise = () if config.selection.scheme == "expected" else sizes
    # Noise of every round is carried on, so its variance adds up to 1 / (1 - memory^2) of one.
    kept = 1 / math.sqrt(1 - min(memory, LONGEST_MEMORY) ** 2)
    basis = f"limit of the finite-pool map for K = {size}"
    rows: list[Row] = []
    for i, name in enumerate(config.reward_names):
        share = float(limit[i])
        slack = sampling_slack(share, *noise) * kept + outside + 0.02
        rows.append((near(f"pool_limit.{name}", share, slack, basis, unmet), float(shares[i])))
    return rows


def _memory(
    limit: FloatArray,  # (R,)
    weights: FloatArray,  # (R,)
    pool_size: int,
) -> float:
    """Share of a small deviation from its limit that the finite-pool map leaves after a round.

    The spectral radius of the map's derivative along the simplex, by differences: column j is
    that towards all mass in basin j.
    """
    steps = DIFFERENCE * (np.eye(len(limit)) - limit)
    after = [finite_pool_map(limit + one, weights, pool_size) for one in steps]
    return float(np.abs(np.linalg.eigvals((np.array(after) - limit).T / DIFFERENCE)).max())


def _distance(share: float, low: float, high: float) -> float:
    """How far outside [low, high] a share lies."""
    return max(low - share, share - high, 0.0)


def _unsettled(config: RunConfig, outside: float) -> str | None:
    """What keeps a share from having a limit of its own round alone, if anything."""
    return changing_rounds(config) or unplain_choice(config) or _much_outside(outside)


def _much_outside(outside: float) -> str | None:
    if outside > SMALL_OUTSIDE:
        return f"outside mass of at most {SMALL_OUTSIDE:g}"
    return None
