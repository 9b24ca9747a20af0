import itertools

import numpy as np
import pytest

from tests.theory.models import basin_models, masses_of, only_basins
from theory.dynamics import iterate, step
from theory.leakage import (
    gaps,
    leakage_matrix,
    reward_bounds,
    share_interval,
    step_bound,
    survives,
    variance_bound,
)

NUM_REWARDS = (2, 3, 4)


@pytest.mark.parametrize("num_rewards", NUM_REWARDS)
def test_no_basin_keeps_less_than_the_bound_of_one_step(num_rewards: int) -> None:
    for model in basin_models(60 + num_rewards, num_rewards=num_rewards):
        eta = leakage_matrix(gaps(model.rewards, model.basins), model.epsilon, model.temperature)
        assert (eta <= 1).all()  # basins apart
        masses, outside = masses_of(model.p, model.basins)
        bound = step_bound(model.weights, eta, masses, outside, model.epsilon, model.temperature)
        after = step(model.p, model.rewards, model.weights, temperature=model.temperature)
        assert (model.basins @ after >= bound * (1 - 1e-11)).all()
        # Written out for the first basin.
        elsewhere = sum(eta[0, j] * masses[j] for j in range(1, num_rewards))
        elsewhere += np.exp(model.epsilon / model.temperature) * outside
        assert bound[0] == pytest.approx(
            model.weights[0] * masses[0] / (masses[0] + elsewhere), rel=1e-12
        )


@pytest.mark.parametrize("num_rewards", NUM_REWARDS)
def test_shares_never_leave_the_interval_and_approach_it_from_below(num_rewards: int) -> None:
    num_tight = 0
    for model in basin_models(70 + num_rewards, num_rewards=num_rewards):
        eta = leakage_matrix(gaps(model.rewards, model.basins), model.epsilon, model.temperature)
        interval = share_interval(model.weights, eta)
        arguments = (model.rewards, model.weights)
        p = only_basins(model, model.weights)  # the weights lie in the interval
        path = iterate(p, *arguments, iterations=20, temperature=model.temperature)
        shares = path @ model.basins.T
        assert (shares >= interval[:, 0] - 1e-11).all()
        assert (shares <= interval[:, 1] + 1e-11).all()
        assert (shares[:, survives(model.weights, eta)] > 0).all()
        # From below every surviving basin grows, so that lim inf is at least the lower end.
        low = np.where(interval[:, 0] > 0, 0.5 * interval[:, 0], 1.0)
        p = only_basins(model, low / low.sum())
        before = model.basins @ p
        after = model.basins @ step(p, *arguments, temperature=model.temperature)
        below = (before < interval[:, 0]) & (before > 0)
        assert (after[below] >= before[below] * (1 - 1e-12)).all()
        num_tight += bool((interval[:, 0] > 0).all())
    assert num_tight > 50


def test_two_rewards_have_the_interval_of_the_paper() -> None:
    rng = np.random.default_rng(80)
    for q, eta_1, eta_2 in rng.uniform(0, 0.99, (2_000, 3)):
        interval = share_interval((q, 1 - q), (eta_1, eta_2))
        low = max(0.0, (q - eta_1) / (1 - eta_1))
        high = min(1.0, q / (1 - eta_2))
        assert interval[0] == pytest.approx([low, high], abs=1e-12)
        assert interval[1] == pytest.approx([1 - high, 1 - low], abs=1e-12)
        assert survives((q, 1 - q), (eta_1, eta_2)).all() == (eta_1 < q < 1 - eta_2)
        table = [[9.0, eta_1], [eta_2, -0.0]]
        np.testing.assert_array_equal(share_interval((q, 1 - q), table), interval)


@pytest.mark.parametrize(
    ("weights", "eta", "interval"),
    [
        ((0.4, 0.6), (1.0, 1.0), [[0, 1], [0, 1]]),  # nothing separates the basins
        ((0.4, 0.6), (5.0, np.inf), [[0, 1], [0, 1]]),
        ((0.4, 0.6), (0.0, 0.0), [[0.4, 0.4], [0.6, 0.6]]),
        ((1.0, 0.0), (0.5, 0.5), [[1, 1], [0, 0]]),  # q of 1 and 0
        ((0.0, 1.0), (0.5, 0.5), [[0, 0], [1, 1]]),
        ((1.0,), [[0.0]], [[1, 1]]),
    ],
)
def test_degenerate_leakage_and_weights(
    weights: tuple[float, ...], eta: object, interval: list[list[float]]
) -> None:
    np.testing.assert_allclose(share_interval(weights, eta), interval)  # type: ignore[arg-type]


def test_before_outside_mass_is_gone_shares_may_miss_the_interval_widened_by_it() -> None:
    # Nearly all mass sits where neither reward looks and is gone after a round, and the small
    # basin has had no time to recover: the interval is a statement about the limit only.
    rewards = np.array([[0.0, np.log(0.5), -50.0], [-50.0, 0.0, -50.0]])
    path = iterate([0.01, 0.09, 0.9], rewards, [0.6, 0.4], iterations=200)
    lower = share_interval([0.6, 0.4], (0.5, 0.0))[0, 0]
    assert lower == pytest.approx(0.2)
    assert path[1, 2] < 1e-15
    assert path[1, 0] == pytest.approx(0.6 * 0.01 / 0.055)  # 0.109
    assert path[-1, 0] >= lower - 1e-12


def test_basins_without_mass_leak_nothing_and_keep_nothing() -> None:
    bound = step_bound([0.5, 0.5], (np.inf, 0.2), [0.5, 0.0], 0.5, 0.0, 1.0)
    np.testing.assert_allclose(bound, [0.25, 0.0])


def test_variance_is_at_least_what_two_masses_apart_give() -> None:
    rng = np.random.default_rng(81)
    num_positive = 0
    for model in basin_models(81):
        delta = gaps(model.rewards, model.basins)
        p = rng.dirichlet(np.full(len(model.p), 0.5))
        for candidate in (p, only_basins(model, model.weights)):
            masses, outside = masses_of(candidate, model.basins)
            for i, reward in enumerate(model.rewards):
                variance = candidate @ (reward - candidate @ reward) ** 2
                bound = variance_bound(masses, delta[i, 1 - i], model.epsilon)
                assert variance >= bound * (1 - 1e-10)
                num_positive += bound > 0
                if outside == 0:
                    excess = max(0.0, delta[i, 1 - i] - model.epsilon)
                    share = masses[i] / masses.sum()
                    assert bound == pytest.approx(share * (1 - share) * excess**2, rel=1e-9)
    assert num_positive > 4_000


def test_the_variance_form_without_outside_mass_fails_while_there_is_some() -> None:
    # Basins at rewards 1 and 0, everything else in the middle.
    p, reward = np.array([0.01, 0.01, 0.98]), np.array([1.0, 0.0, 0.5])
    variance = float(p @ (reward - p @ reward) ** 2)
    share = 0.5
    assert variance < share * (1 - share)
    assert variance >= variance_bound(p[:2], 1.0, 0.0)


def test_an_empty_basin_or_a_small_gap_bounds_no_variance() -> None:
    assert variance_bound((0.0, 0.0), 1.0, 0.0) == 0.0
    assert variance_bound((0.5, 0.5), 1.0, 2.0) == 0.0
    assert variance_bound((0.5, 0.5), 3.0, 1.0) == 1.0


def test_expected_rewards_lie_within_their_bounds_once_nothing_is_outside() -> None:
    rng = np.random.default_rng(82)
    for model in basin_models(82):
        delta = gaps(model.rewards, model.basins)
        shares = rng.dirichlet([1.0, 1.0])
        p = only_basins(model, shares)
        for i, reward in enumerate(model.rewards):
            low, high = reward_bounds(
                float(shares[i]),
                supremum=float(reward.max()),
                gap=float(delta[i, 1 - i]),
                infimum=float(reward[model.basins[1 - i]].min()),
                epsilon=model.epsilon,
            )
            assert low - 1e-10 <= p @ reward <= high + 1e-10


def test_gaps_are_differences_to_the_best_atom_of_the_other_basin() -> None:
    for model in basin_models(83, 200, num_rewards=3):
        delta = gaps(model.rewards, model.basins)
        for i, j in itertools.product(range(3), repeat=2):
            inside = model.rewards[i][model.basins[j]]
            assert delta[i, j] == model.rewards[i].max() - inside.max()
        raised = gaps(model.rewards, model.basins, suprema=model.rewards.max(axis=1) + 1)
        np.testing.assert_allclose(raised, delta + 1)
    present = [True, False]
    basins = [[True, False], [True, False]]
    assert gaps([[1.0, 2.0], [0.0, 1.0]], basins, present=present).tolist() == [[0, 0], [0, 0]]


def test_leakage_is_the_exponential_of_the_gap_beyond_epsilon() -> None:
    eta = leakage_matrix([[0.0, 3.0], [1.0, 0.0]], 1.0, 2.0)
    np.testing.assert_allclose(eta, [[0, np.exp(-1)], [1, 0]])
    assert leakage_matrix([[0.0, 1.0], [9.0, 0.0]], 3.0, 1.0)[0, 1] == pytest.approx(np.exp(2))
