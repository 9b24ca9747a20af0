import math

import numpy as np
import numpy.typing as npt
import pytest

from theory.atoms import atoms_limit, two_atom_share
from theory.dynamics import iterate, step

FloatArray = npt.NDArray[np.float64]


def iterate_all(
    p: FloatArray,  # (B, n)
    u: FloatArray,  # (B, R, n)
    weights: FloatArray,  # (B, R)
    iterations: int,
) -> FloatArray:  # (B, n)
    """The update with infinitely many candidates on many models at once."""
    for _ in range(iterations):
        scale = weights / np.einsum("brn,bn->br", u, p)
        p = p * np.einsum("br,brn->bn", scale, u)
    return p


def test_two_atoms_end_where_the_update_ends() -> None:
    rng = np.random.default_rng(100)
    q, eta_1, eta_2 = rng.uniform(0, 1, 4_000), *rng.uniform(0, 0.9, (2, 4_000))
    ends = q / (1 - eta_2) - (1 - q) * eta_1 / (1 - eta_1)
    clear = (np.abs(ends) > 0.03) & (np.abs(1 - ends) > 0.03)  # near a transition it crawls
    q, eta_1, eta_2 = q[clear], eta_1[clear], eta_2[clear]
    assert len(q) > 2_000
    ended = np.full(len(q), 0.5)
    for _ in range(20_000):
        rest = 1 - ended
        ended = ended * (q / (ended + eta_1 * rest) + (1 - q) * eta_2 / (eta_2 * ended + rest))
    closed = [two_atom_share(*values) for values in zip(q, eta_1, eta_2, strict=True)]
    np.testing.assert_allclose(closed, ended, atol=1e-9)


def test_iterate_of_the_package_ends_there_too() -> None:
    rewards = np.log([[1.0, 0.2], [0.1, 1.0]])
    path = iterate([0.9, 0.1], rewards, [0.4, 0.6], iterations=2_000)
    assert path[-1, 0] == pytest.approx(two_atom_share(0.4, 0.2, 0.1), abs=1e-12)


def test_equal_leakage_over_shoots_the_majority_and_collapses_at_the_threshold() -> None:
    for eta in np.linspace(0, 0.95, 40):
        for q in np.linspace(0.01, 0.99, 99):
            share = two_atom_share(q, eta, eta)
            unclipped = (q - eta * (1 - q)) / (1 - eta)
            assert share == pytest.approx(min(1, max(0, unclipped)), abs=1e-10)
            if abs(q - 0.5) > 1e-9:
                assert (share - q) * (q - 0.5) >= -1e-12  # away from one half
            if abs(q - eta / (1 + eta)) > 1e-9 and abs(q - 1 / (1 + eta)) > 1e-9:
                assert (share in (0, 1)) == (q < eta / (1 + eta) or q > 1 / (1 + eta))


@pytest.mark.parametrize(
    ("arguments", "share"),
    [
        ((0.0, 0.5, 0.5), 0.0),
        ((1.0, 0.5, 0.5), 1.0),
        ((0.0, 1.0, 0.5), 0.0),
        ((0.4, 1.0, 0.5), 0.0),  # reward 1 tells nothing apart
        ((0.4, 0.5, 1.0), 1.0),
        ((0.0, 0.5, 1.0 - 1e-9), 0.0),
        ((0.3, 0.0, 0.0), 0.3),
    ],
)
def test_degenerate_pairs(arguments: tuple[float, float, float], share: float) -> None:
    assert two_atom_share(*arguments) == share


@pytest.mark.parametrize("arguments", [(0.5, 1.0, 1.0), (1.0, 1.0, 0.5), (0.0, 0.5, 1.0)])
def test_without_a_reward_that_tells_the_atoms_apart_there_is_no_limit(
    arguments: tuple[float, float, float],
) -> None:
    with pytest.raises(ValueError, match=r"eta: expected a reward that tells the atoms apart, got"):
        two_atom_share(*arguments)


def test_several_atoms_end_where_the_update_ends() -> None:
    rng = np.random.default_rng(101)
    num_solved = num_refused = 0
    for size in (2, 3, 4):
        u = rng.uniform(0.02, 0.4, (1_500, size, size))
        u[:, range(size), range(size)] = 1
        weights = rng.dirichlet(np.full(size, 4.0), 1_500)
        ended = iterate_all(np.full((1_500, size), 1 / size), u, weights, 8_000)
        for table, row, end in zip(u, weights, ended, strict=True):
            try:
                shares = atoms_limit(table * rng.lognormal(0, 3, (size, 1)), row)
            except ValueError:
                assert end.min() < 1e-3  # an atom dies out
                num_refused += 1
                continue
            if shares.min() > 0.02:  # else the update still crawls
                np.testing.assert_allclose(shares, end, atol=1e-9)
                num_solved += 1
            np.testing.assert_allclose(step(shares, np.log(table), row), shares, atol=1e-11)
    assert num_solved > 2_000
    assert num_refused > 50


def test_two_rows_give_the_share_of_two_atoms() -> None:
    rng = np.random.default_rng(102)
    for _ in range(2_000):
        eta_1, eta_2 = rng.uniform(0, 0.5, 2)
        share = rng.uniform(0.01, 0.99)
        # The weight that leads to this share.
        odds = eta_1 / (1 - eta_1)
        q = (share + odds) / (1 / (1 - eta_2) + odds)
        assert two_atom_share(q, eta_1, eta_2) == pytest.approx(share, abs=1e-12)
        shares = atoms_limit([[1, eta_1], [eta_2, 1]], (q, 1 - q))
        assert shares == pytest.approx([share, 1 - share], abs=1e-10)


@pytest.mark.parametrize(
    ("table", "weights"),
    [
        ([[1.0, 0.9], [0.1, 1.0]], (0.05, 0.95)),  # atom 1 dies out
        ([[1.0, 1.0], [1.0, 1.0]], (0.5, 0.5)),  # singular
        ([[1.0, 0.5], [0.5, 1.0]], (0.0, 1.0)),
    ],
)
def test_a_limit_outside_the_simplex_is_refused(
    table: list[list[float]], weights: tuple[float, float]
) -> None:
    with pytest.raises(ValueError, match=r"expected a limit in which every atom keeps mass, got"):
        atoms_limit(table, weights)


def test_exponentials_have_to_be_a_square_table_of_positive_numbers() -> None:
    for table in ([[1.0, 0.5, 0.5], [0.5, 1.0, 0.5]], [[1.0, -0.5], [0.5, 1.0]], [[0, 0], [0, 1]]):
        with pytest.raises(ValueError, match="exponentials: expected a square table of numbers"):
            atoms_limit(table, (0.5, 0.5))
    assert atoms_limit([[math.e]], [1.0]).tolist() == [1.0]
