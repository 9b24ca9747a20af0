"""What is refused, function by function: each row is a call and the text of its error."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from theory import bargaining, basins, dynamics, leakage, pools
from theory.checks import TOLERANCE, check_simplex

P = [0.5, 0.5]
REWARDS = [[1.0, 0.0], [0.0, 1.0]]
EVEN = [0.5, 0.5]
INSIDE = np.array([True, False])
ETA = (0.1, 0.2)

MODELS: list[tuple[dict[str, object], str]] = [
    ({"p": [[0.5, 0.5]]}, r"p: expected an array of shape \(n,\).* got \(1, 2\); give one"),
    ({"p": []}, r"p: expected an array of shape \(n,\) with n of at least 1, got \(0,\)"),
    ({"p": [0.5, 0.6]}, r"p: expected non-negative .* sum 1\.1; divide them"),
    ({"p": [1.5, -0.5]}, r"p: expected non-negative .* smallest -0\.5"),
    ({"p": [math.nan, 1.0]}, r"p: expected non-negative .* nan"),
    ({"p": [math.inf, 1.0]}, r"p: expected non-negative .* inf"),
    ({"rewards": [1.0, 0.0]}, r"rewards: expected an array of shape \(R, 2\), got \(2,\); one row"),
    ({"rewards": [[1.0, 0.0, 2.0]]}, r"rewards: expected an array of shape \(R, 2\), got \(1, 3\)"),
    ({"rewards": np.empty((0, 2))}, r"rewards: expected an array of shape \(R, 2\), got \(0, 2\)"),
    ({"rewards": [[1.0, math.nan], [0.0, 1.0]]}, "rewards: expected finite numbers, got NaN"),
    ({"rewards": [[1.0, -math.inf], [0.0, 1.0]]}, "rewards: expected finite numbers, got NaN"),
]
WEIGHTS: list[tuple[dict[str, object], str]] = [
    ({"weights": [1.0]}, r"weights: expected an array of shape \(2,\), got \(1,\)"),
    ({"weights": [0.5, 0.4]}, r"weights: expected non-negative numbers that sum to 1, got"),
    ({"weights": [1.1, -0.1]}, r"weights: expected non-negative .* smallest -0\.1"),
]
POOLS: list[tuple[dict[str, object], str]] = [
    ({"pool_size": 0}, "pool_size: expected a whole number of at least 1, got 0; None stands"),
    ({"pool_size": 2.5}, "pool_size: expected a whole number of at least 1, got 2.5"),
    ({"pool_size": True}, "pool_size: expected a whole number of at least 1, got True"),
    (
        {"temperature": -1.0},
        "temperature: expected a finite number of at least 0, got -1.0; 0 lets",
    ),
    ({"temperature": math.nan}, "temperature: expected a finite number of at least 0, got nan"),
    ({"temperature": math.inf}, "temperature: expected a finite number of at least 0, got inf"),
    ({"temperature": 1e-320}, "temperature: expected differences of rewards .* got inf; use"),
]


def call(function: Callable[..., object], change: dict[str, object], *names: str) -> None:
    """Runs the function on a good model with these changes."""
    good: dict[str, object] = {"p": P, "rewards": REWARDS, "weights": EVEN, "inside": INSIDE}
    given = {name: change.get(name, good[name]) for name in names}
    function(**given, **{name: value for name, value in change.items() if name not in names})


@pytest.mark.parametrize(("change", "text"), MODELS + WEIGHTS + POOLS)
def test_the_dynamics_refuse_what_is_no_model(change: dict[str, object], text: str) -> None:
    model = ("p", "rewards", "weights")
    with pytest.raises(ValueError, match=text):
        call(dynamics.step, change, *model)
    with pytest.raises(ValueError, match=text):
        call(dynamics.iterate, change | {"iterations": 1}, *model)
    with pytest.raises(ValueError, match=text):
        call(dynamics.multiplier, change, *model)
    with pytest.raises(ValueError, match=text):
        call(dynamics.contraction, change, *model, "inside")
    if (change, text) not in WEIGHTS:
        with pytest.raises(ValueError, match=text):
            call(dynamics.selection_weights, change, "p", "rewards")


def test_a_trajectory_refuses_before_its_first_row_is_asked_for() -> None:
    with pytest.raises(ValueError, match="p: expected non-negative"):
        dynamics.trajectory([1.0, 1.0], REWARDS, EVEN, iterations=3)
    with pytest.raises(
        ValueError, match="iterations: expected a whole number of at least 0, got -"
    ):
        dynamics.trajectory(P, REWARDS, EVEN, iterations=-1)
    with pytest.raises(
        ValueError, match=r"weights: expected an array of shape \(2,\) or \(3, 2\), got \(2, 2\)"
    ):
        dynamics.trajectory(P, REWARDS, [EVEN, EVEN], iterations=3)
    with pytest.raises(ValueError, match="weights: expected non-negative numbers that sum to 1"):
        dynamics.trajectory(P, REWARDS, [EVEN, [0.5, 0.6]], iterations=2)


def test_atoms_inside_are_booleans_of_the_shape_of_p() -> None:
    for inside in ([True], [0, 1], [[True, False]]):
        with pytest.raises(ValueError, match="inside: expected booleans of shape"):
            dynamics.outside_mass(P, inside)
        with pytest.raises(ValueError, match="inside: expected booleans of shape"):
            dynamics.contraction(P, REWARDS, EVEN, inside)


REFUSED: list[tuple[Callable[[], object], str]] = [
    (lambda: basins.find_basins(REWARDS, -1.0), "epsilon: expected a finite number of at least 0"),
    (lambda: basins.find_basins(REWARDS, math.nan), "epsilon: expected a finite number of"),
    (lambda: basins.find_basins([1.0], 0.1), r"rewards: expected an array of shape \(R, n\)"),
    (lambda: basins.find_basins(REWARDS, 0.1, suprema=[1.0]), "suprema: expected 2 finite numbers"),
    (lambda: basins.find_basins(REWARDS, 0.1, present=[True]), "present: expected booleans of"),
    (
        lambda: basins.find_basins(REWARDS, 0.1, present=[False, False]),
        "present: expected at least one True, got none; give p > 0",
    ),
    (lambda: leakage.gaps(REWARDS, [[True, False]]), "basins: expected booleans of shape"),
    (lambda: leakage.gaps(REWARDS, np.zeros((2, 2), bool)), "basins: expected an atom in every"),
    (lambda: leakage.leakage_matrix([[0.0, 1.0]], 0.1, 1.0), "delta: expected as many rows as col"),
    (lambda: leakage.leakage_matrix(REWARDS, -0.1, 1.0), "epsilon: expected a finite number of"),
    (lambda: leakage.leakage_matrix(REWARDS, 0.1, 0.0), "temperature: expected a finite positive"),
    (lambda: leakage.share_interval(EVEN, (0.1,)), r"eta: expected an array of shape \(2, 2\), or"),
    (lambda: leakage.share_interval(EVEN, (-0.1, 0.1)), "eta: expected numbers of at least 0, got"),
    (lambda: leakage.share_interval(EVEN, (math.nan, 0.1)), "eta: expected numbers of at least 0"),
    (lambda: leakage.share_interval([0.5, 0.6], ETA), "weights: expected non-negative numbers"),
    (lambda: leakage.survives([0.5, 0.6], ETA), "weights: expected non-negative numbers"),
    (lambda: leakage.step_bound(EVEN, ETA, [0.5, 0.5], 0.1, 0.1, 1.0), "masses and outside: expec"),
    (lambda: leakage.step_bound(EVEN, ETA, [0.5], 0.5, 0.1, 1.0), "masses and outside: expected"),
    (lambda: leakage.step_bound(EVEN, ETA, [0.5, 0.5], -0.1, 0.1, 1.0), "outside: expected a numb"),
    (lambda: leakage.step_bound(EVEN, ETA, P, 0.0, 0.1, 0.0), "temperature: expected a finite pos"),
    (
        lambda: leakage.variance_bound([0.7, 0.7], 1.0, 0.0),
        "masses: expected two numbers of at lea",
    ),
    (lambda: leakage.variance_bound([0.7], 1.0, 0.0), "masses: expected two numbers of at least"),
    (lambda: leakage.variance_bound(P, math.nan, 0.0), "gap: expected a finite number, got nan"),
    (lambda: leakage.variance_bound(P, 1.0, -1.0), "epsilon: expected a finite number of at least"),
    (
        lambda: leakage.reward_bounds(1.1, supremum=0, gap=0, infimum=0, epsilon=0),
        r"share: expected a number in \[0, 1\], got 1.1; it is a share",
    ),
    (
        lambda: bargaining.nash_share(0.5, 0.0, 1.0),
        "gains: expected 2 finite positive numbers, got",
    ),
    (lambda: bargaining.nash_share(1.5, 1.0, 1.0), r"q: expected a number in \[0, 1\], got 1.5"),
    (lambda: bargaining.nash_product(0.5, 0.5, -1.0, 1.0), "gains: expected 2 finite positive num"),
    (lambda: bargaining.weighted_nash_shares(EVEN, [1.0]), "gains: expected 2 finite positive num"),
    (
        lambda: bargaining.disagreement([[1.0, 0.0]], [P]),
        "rewards: expected at least two rows, got",
    ),
    (lambda: bargaining.disagreement(REWARDS, [P]), "conditionals: expected an array of shape"),
    (
        lambda: bargaining.disagreement(REWARDS, np.array([P, [1, 1]])),
        r"conditionals\[1\]: expected non-neg",
    ),
    (lambda: pools.finite_pool_share(-0.1, 3), r"q: expected a number in \[0, 1\], got -0.1"),
    (lambda: pools.finite_pool_share(0.5, 0), "pool_size: expected a whole number of at least 1"),
    (lambda: pools.finite_pool_map([0.5, 0.6], EVEN, 3), "masses: expected non-negative numbers"),
    (lambda: pools.finite_pool_limit(EVEN, 3, start=[1.0]), "start: expected an array of shape"),
    (lambda: pools.finite_pool_limit(EVEN, 3, eta=[0.1]), r"eta: expected an array of shape \(2"),
    (lambda: pools.returns(P, EVEN, 3, 1), "j: expected a basin below 2 without mass, got 1"),
    (lambda: pools.returns([1.0, 0.0], EVEN, 3, 2), "j: expected a basin below 2 without mass"),
    (lambda: pools.returns([1.0, 0.0], EVEN, 3, -1), "j: expected a whole number of at least 0"),
    (
        lambda: pools.smallest_safe_pool(EVEN, largest=1),
        "largest: expected a whole number of at le",
    ),
]


@pytest.mark.parametrize(("function", "text"), REFUSED)
def test_bad_input_is_refused_with_what_was_expected(
    function: Callable[[], object], text: str
) -> None:
    with pytest.raises(ValueError, match=text):
        function()


def test_probabilities_may_miss_one_by_rounding_only() -> None:
    check_simplex("p", [0.5, 0.5 + 0.9 * TOLERANCE])
    with pytest.raises(ValueError, match="p: expected"):
        check_simplex("p", [0.5, 0.5 + 1.1 * TOLERANCE])
    after = dynamics.step([0.5, 0.5 + 0.9 * TOLERANCE], REWARDS, EVEN, pool_size=1_000)
    assert after.sum() == pytest.approx(1, abs=1e-12)


def test_a_temperature_too_small_for_floats_is_refused_by_the_best_of_none() -> None:
    tiny = {"pool_size": None, "temperature": 1e-320}
    with pytest.raises(ValueError, match="use temperature 0"):
        dynamics.step(P, REWARDS, EVEN, **tiny)  # type: ignore[arg-type]
    assert dynamics.step(P, REWARDS, EVEN, temperature=0.0).tolist() == [0.5, 0.5]
