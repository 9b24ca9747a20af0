"""What a loop will do, before it is run: shares in the limit, what dies out, how long it takes.

R rewards, K the pool size (None is infinite), T rounds. The path of the shares comes from
iterating the update, never from a rule of thumb.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tasks.geometry import TwoModes, two_modes
from tasks.settings import RunConfig, TrainingConfig
from theory.dynamics import trajectory
from theory.limits import (
    finite_pool_limit,
    finite_pool_map,
    order_parameter,
    quadratic_limit,
    smallest_safe_pool,
)

FloatArray = npt.NDArray[np.float64]

# A limit share below this is no share: fewer than one in ten thousand.
GONE = 1e-4
NO_LEAKAGE = 1e-9
SHARES = tuple(round(0.1 * step, 1) for step in range(1, 10))
LARGEST_POOL = 4096


@dataclass(frozen=True, eq=False)
class Forecast:
    """Where the loop will settle and on what that rests."""

    names: list[str]
    weights: FloatArray  # (R,)
    pool_size: int | None
    limit: FloatArray  # (R,), shares of the basins
    survives: list[bool]  # (R,)
    num_modes: int | None  # 1 is a compromise between two rewards; None where not known
    path: FloatArray  # (T + 1, R)
    outside: FloatArray | None  # (T + 1,), mass in no basin, where the start is known
    smallest_safe_pool: int | None
    # (q, limit share of reward 1, number of modes if known); two rewards only
    effect_of_q: list[tuple[float, float, int | None]]
    assumptions: list[str]

    @property
    def collapses(self) -> bool:
        """Whether less than all weighted preferences keep a basin of their own, or less than 2."""
        wanted = max(2, int((self.weights > 0).sum()))
        return sum(self.survives) < wanted or self.num_modes == 1

    def rounds_to(self, outside: float) -> int | None:
        """First round with at most this mass outside, or None within the path."""
        if self.outside is None or not (self.outside <= outside).any():
            return None
        return int(np.argmax(self.outside <= outside))


def pool_of(config: RunConfig) -> int | None:
    """K as the theory sees it: the shared pool of all candidates counts as infinite."""
    return config.selection.pool_size


def forecast_config(config: RunConfig, rounds: int) -> Forecast:
    """Forecast of a run from its configuration alone.

    Two quadratic rewards of equal strength: leakage between the modes of the infinite-pool
    limit, and the idealised model (infinite capacity) on a grid for path and outside mass.
    Anything else: basins that do not leak, from equal shares.
    """
    weights, size = np.array(config.weights_at(rounds - 1)), pool_of(config)
    modes = two_modes(config)
    assumptions = []
    outside, num_modes = None, None
    if modes is not None and weights.min() > 0 and config.selection.temperature > 0:
        tau = config.selection.temperature
        limit, num_modes = _limit(float(weights[0]), modes, size, tau)
        path, outside = _grid_path(config, rounds)
        assumptions = [
            f"leakage between the two modes exp(-gap/tau) = {_leakage(modes, tau):.2g}",
            "a model that can represent every density (infinite capacity)",
        ]
    else:
        limit = finite_pool_limit(weights, size)
        path = _map_path(weights, size, rounds)
        assumptions = ["basins that do not leak", "equal shares at the start"]
    assumptions += [f"{one}, which is not so here" for one in _unlike_the_model(config)]
    return Forecast(
        names=config.reward_names,
        weights=weights,
        pool_size=size,
        limit=limit,
        survives=[bool(share > GONE) for share in limit],
        num_modes=num_modes,
        path=path,
        outside=outside,
        smallest_safe_pool=smallest_safe_pool(weights[weights > 0], largest=LARGEST_POOL),
        effect_of_q=_effect_of_q(modes, size, config.selection.temperature)
        if len(weights) == 2
        else [],
        assumptions=assumptions,
    )


def warnings_of(forecast: Forecast) -> list[str]:
    """What a user should know before spending time, in words."""
    said = []
    size = "all candidates" if forecast.pool_size is None else f"K = {forecast.pool_size}"
    given = "/".join(f"{weight:.3g}".removeprefix("0") for weight in forecast.weights)
    rows = zip(forecast.names, forecast.weights, forecast.survives, strict=True)
    dying = [name for name, weight, kept in rows if weight > 0 and not kept]
    if forecast.num_modes == 1 and not dying:
        said.append(
            "the rewards are too near each other: the loop settles on one compromise mode; move "
            "them apart, or lower the temperature"
        )
    if dying:
        safe = forecast.smallest_safe_pool
        advice = (
            f"the smallest K that keeps it is {safe}"
            if safe
            else f"no pool of up to {LARGEST_POOL} keeps it"
        )
        # That K is for basins that do not leak; a larger pool has lost it to leakage.
        if forecast.pool_size is None or (safe and forecast.pool_size >= safe):
            advice = "leakage is too large for its weight"
        said.append(
            f"{size} with weights {given}: the minority ({', '.join(dying)}) dies out; {advice}"
        )
    zero = [n for n, w in zip(forecast.names, forecast.weights, strict=True) if w == 0]
    if zero and len(zero) == len(forecast.weights) - 1:
        said.append(
            f"one reward decides every draw: its basin takes all, {', '.join(zero)} dies out"
        )
    if forecast.pool_size == 1:
        said.append("K = 1 selects nothing: the loop retrains on its own samples")
    return said


def _unlike_the_model(config: RunConfig) -> list[str]:
    """What the theory assumes of a round and this configuration does otherwise."""
    selection = config.selection
    unlike = {
        "the reward drawn for every draw": selection.active_reward != "per-draw",
        "winners drawn with replacement": not selection.replacement,
        "choices without noise or flips": selection.score_noise > 0
        or selection.flip_probability > 0,
        "curated rows of the same round alone to train on": config.training != TrainingConfig(),
    }
    return [what for what, otherwise in unlike.items() if otherwise]


def _limit(q: float, modes: TwoModes, size: int | None, tau: float) -> tuple[FloatArray, int]:
    """Limit shares of two quadratic rewards, (2,), and the number of modes there."""
    infinite = quadratic_limit(q, modes.distance, modes.gamma, temperature=tau)
    if infinite.num_modes == 1:
        return infinite.shares, 1
    leakage = _leakage(modes, tau)
    # Without leakage worth the name the limit is known to rounding, without iteration.
    eta = None if leakage < NO_LEAKAGE else np.array([leakage, leakage])
    limit = finite_pool_limit((q, 1 - q), size, eta=eta)
    return limit, int((limit > GONE).sum())


def _leakage(modes: TwoModes, tau: float) -> float:
    """exp(-gap/tau) from a mode at -(d/2) m* to that at (d/2) m* under the reward at -d/2."""
    spread = modes.distance * order_parameter(modes.gamma * modes.distance**2 / (2 * tau))
    near, far = (modes.distance - spread) / 2, (modes.distance + spread) / 2
    return float(np.exp(-modes.gamma * (far**2 - near**2) / tau))


def _map_path(weights: FloatArray, size: int | None, rounds: int) -> FloatArray:  # (T + 1, R)
    path = [np.full(len(weights), 1 / len(weights))]
    for _ in range(rounds):
        path.append(finite_pool_map(path[-1], weights, size))
    return np.array(path)


def _grid_path(config: RunConfig, rounds: int) -> tuple[FloatArray, FloatArray | None]:
    """Shares by the nearer centre, and mass with r_i < -eps for both, on a grid of the plane.

    No mass outside where the grid is too coarse to have a point in both basins.
    """
    modes = two_modes(config)
    assert modes is not None
    grid, start = _plane(modes, config)
    centres = np.array([[-0.5, 0.0], [0.5, 0.0]]) * modes.distance
    squared = ((grid[:, np.newaxis] - centres) ** 2).sum(axis=2).T
    rewards = -modes.gamma * squared  # (2, n)
    nearer = squared[0] < squared[1]
    tie = squared[0] == squared[1]
    basins = rewards >= -config.evaluation.basin_epsilon
    inside = basins.any(axis=0)
    shares, outside = [], []
    steps = trajectory(
        start,
        rewards,
        np.array([config.weights_at(t) for t in range(rounds)]),
        iterations=rounds,
        pool_size=pool_of(config),
        temperature=config.selection.temperature,
    )
    for p in steps:
        first = float(p[nearer].sum() + 0.5 * p[tie].sum())
        shares.append([first, 1 - first])
        outside.append(float(p[~inside].sum()))
    return np.array(shares), np.array(outside) if basins.any(axis=1).all() else None


def _plane(modes: TwoModes, config: RunConfig) -> tuple[FloatArray, FloatArray]:
    """Grid points (along, across) from the midpoint, and the mass of p_0's Gaussian on them."""
    plain = config.initial.model_dump(mode="json")
    mean = modes.frame @ (np.array(plain.get("mean", modes.midpoint)) - modes.midpoint)
    covariance = modes.frame @ np.array(plain.get("covariance", np.eye(2))) @ modes.frame.T
    spread = np.sqrt(np.diag(covariance))
    half = np.abs(mean) + spread * [4, 3]
    half[0] = max(half[0], modes.distance / 2 + 4 * spread[0])
    along, across = np.linspace(-half[0], half[0], 81), np.linspace(-half[1], half[1], 41)
    grid = np.stack(np.meshgrid(along, across, indexing="ij"), axis=-1).reshape(-1, 2)
    steps = grid - mean
    log_mass = -0.5 * np.einsum("ni,ij,nj->n", steps, np.linalg.inv(covariance), steps)
    mass = np.exp(log_mass - log_mass.max())
    return grid, mass / mass.sum()


def _effect_of_q(
    modes: TwoModes | None, size: int | None, tau: float
) -> list[tuple[float, float, int | None]]:
    if modes is None or tau <= 0:
        return [(q, float(finite_pool_limit((q, 1 - q), size)[0]), None) for q in SHARES]
    found = [(q, *_limit(q, modes, size, tau)) for q in SHARES]
    return [(q, float(limit[0]), number) for q, limit, number in found]
