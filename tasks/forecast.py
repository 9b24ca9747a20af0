"""What a loop will do, before it is run: shares in the limit, what dies out, how long it takes.

R rewards that ever have weight, K the pool size (None is infinite), T rounds. Paths come from
iterating the update, never from a rule of thumb.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rewards.registry import find_reward
from tasks.assumptions import LARGE_POOL
from tasks.departures import departures_of, turns_of_rewards
from tasks.geometry import two_modes
from tasks.idealised_path import idealised_path, leakage_at_centres
from tasks.limit_shares import GONE, SHARES, Limit, limit_shares, smallest_safe
from tasks.settings import RunConfig
from theory.limits import finite_pool_map

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Forecast:
    """Where the loop will settle and on what that rests."""

    names: list[str]
    weights: FloatArray  # (R,), of the last round
    pool_size: int | None
    limit: FloatArray  # (R,), shares of the basins
    survives: list[bool]  # (R,)
    # collapses, stays plural, drifts, changes nothing, or undecided
    fate: str
    num_modes: int | None  # None where not known
    is_compromise: bool  # whether the rewards are too near each other for two modes
    path: FloatArray  # (T + 1, R)
    outside: FloatArray | None  # (T + 1,), mass in no basin, where it is known
    smallest_safe_pool: int | None
    # (q, limit share of reward 1, number of modes if known); two rewards only
    effect_of_q: list[tuple[float, float, int | None]]
    assumptions: list[str]
    # What the configuration does beside the loop that is forecast.
    departures: list[str]

    @property
    def collapses(self) -> bool:
        """Whether less than two preferences keep a basin of their own."""
        return self.fate == "collapses"

    def rounds_to(self, outside: float) -> int | None:
        """First round with at most this mass outside, or None within the path."""
        if self.outside is None or not (self.outside <= outside).any():
            return None
        return int(np.argmax(self.outside <= outside))


def pool_of(config: RunConfig) -> int | None:
    """K as the theory sees it: a large shared pool, and pools of groups, count as infinite."""
    if config.selection.scheme == "all" and config.num_candidates < LARGE_POOL:
        return config.num_candidates
    return config.selection.pool_size


def used_rewards(config: RunConfig, first: int, rounds: int) -> list[int]:
    """Indices of the rewards that have weight in one of these rounds; others are only measured."""
    weights = np.array([config.weights_at(first + step) for step in range(rounds)])
    return np.flatnonzero(weights.max(axis=0) > 0).tolist()


def forecast_config(config: RunConfig, rounds: int, *, first: int = 0) -> Forecast:
    """Forecast of `rounds` rounds from iteration `first` on, from the configuration alone.

    For rewards of points the idealised model on a grid gives the path. Limits are those of the
    finite-pool map with the leakage between the modes, which is known for two quadratic rewards
    of equal strength; other rewards with a centre leak as between their centres, and all others
    are taken not to leak.
    """
    used = used_rewards(config, first, rounds)
    schedule = np.array([config.weights_at(first + step) for step in range(rounds)])[:, used]
    rewards = [find_reward(config.rewards[i].kind)(config.rewards[i]) for i in used]
    weights, size, tau = schedule[-1], pool_of(config), config.selection.temperature
    modes = two_modes(config) if len(used) == 2 and tau > 0 else None
    eta = leakage_at_centres(rewards, tau) if modes is None else None
    found = limit_shares(weights, size, tau, modes=modes, eta=eta)
    path = idealised_path(config, rewards, schedule, size)
    shares = _map_path(schedule, size) if path is None else path.shares
    fate = _fate(weights, size, found)
    if turns_of_rewards(config) and len(used) > 1 and size != 1:
        fate = "collapses"
    if fate in ("changes nothing", "undecided"):
        found = Limit(shares[-1], None, found.basis)
    assumptions = [found.basis]
    if path is None:
        assumptions.append("equal shares at the start")
    else:
        assumptions.append("a model that can represent every density (infinite capacity)")
    return Forecast(
        names=[config.reward_names[i] for i in used],
        weights=weights,
        pool_size=size,
        limit=found.shares,
        survives=[bool(share > GONE) for share in found.shares],
        fate=fate,
        num_modes=found.num_modes,
        is_compromise=found.is_compromise,
        path=shares,
        outside=None if path is None else path.outside,
        smallest_safe_pool=None
        if fate == "undecided"
        else smallest_safe(weights, tau, modes=modes, eta=eta),
        effect_of_q=[
            (q, *_first(limit_shares(np.array([q, 1 - q]), size, tau, modes=modes, eta=eta)))
            for q in SHARES
        ]
        if len(used) == 2 and size != 1
        else [],
        assumptions=assumptions,
        departures=departures_of(config),
    )


def _fate(weights: FloatArray, size: int | None, found: Limit) -> str:
    held = weights[weights > 0]
    if len(held) < 2:
        return "collapses" if size != 1 else "changes nothing"
    if size == 1:
        return "changes nothing"
    if found.num_modes is None and found.is_mixed:
        return "undecided"
    if size == 2 and (held == held.max()).sum() > 1:
        return "drifts"
    lost = (found.shares[weights > 0] <= GONE).any()
    return "collapses" if lost or found.num_modes == 1 else "stays plural"


def _first(found: Limit) -> tuple[float, int | None]:
    return float(found.shares[0]), found.num_modes


def _map_path(
    schedule: FloatArray,  # (T, R)
    size: int | None,
) -> FloatArray:  # (T + 1, R)
    path = [np.full(schedule.shape[1], 1 / schedule.shape[1])]
    for weights in schedule:
        path.append(finite_pool_map(path[-1], weights, size))
    return np.array(path)
