import itertools
import math

import pytest
import torch
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import jensenshannon
from scipy.stats import wasserstein_distance

from genimg_course.maths import (
    hinge_critic,
    kantorovich_potential,
    least_squares_critic,
    lipschitz_extension,
    optimal_transport,
    parallel_lines,
    penalised_slope,
    potential_1d,
    wasserstein_1d,
    wasserstein_from_cdfs,
)


def draw(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def laws(seed, count):
    return draw(seed, 2, count).softmax(dim=1)


def test_sorted_samples_agree_with_scipy():
    x, y = 2 * draw(0, 40), draw(1, 40) + 1
    assert wasserstein_1d(x, y).item() == pytest.approx(wasserstein_distance(x, y))


def test_the_area_between_distribution_functions_agrees_with_scipy():
    points, (p, q) = draw(2, 9).sort().values, laws(3, 9)
    expected = wasserstein_distance(points, points, p, q)
    assert wasserstein_from_cdfs(points, p, q).item() == pytest.approx(expected)


def test_a_shift_of_the_whole_sample_costs_the_shift():
    x = draw(4, 25)
    assert wasserstein_1d(x - 3.5, x[torch.randperm(25)]).item() == pytest.approx(3.5)


def test_the_cheapest_plan_of_even_masses_is_the_best_assignment():
    cost = torch.cdist(draw(5, 6, 2), draw(6, 6, 2))
    even = torch.full((6,), 1 / 6, dtype=torch.float64)
    plan = optimal_transport(cost, even, even)
    rows, columns = linear_sum_assignment(cost.numpy())
    assert (plan * cost).sum().item() == pytest.approx(float(cost[rows, columns].mean()))
    torch.testing.assert_close(plan.sum(dim=1), even)


def test_a_plan_goes_from_rows_to_columns():
    plan = optimal_transport(
        torch.ones(2, 3), torch.tensor([1.0, 0.0]), torch.tensor([0.2, 0.3, 0.5])
    )
    expected = torch.tensor([[0.2, 0.3, 0.5], [0.0, 0.0, 0.0]], dtype=torch.float64)
    torch.testing.assert_close(plan, expected, atol=1e-6, rtol=0)


def test_the_potential_never_rises_faster_than_the_distance():
    points, (p, q) = draw(7, 8, 2), laws(8, 8)
    cost = torch.cdist(points, points)
    f = kantorovich_potential(cost, p, q)
    assert all(f[i] - f[j] <= cost[i, j] + 1e-9 for i, j in itertools.permutations(range(8), 2))
    assert (f @ (p - q)).item() == pytest.approx(
        (optimal_transport(cost, p, q) * cost).sum().item()
    )


def test_the_potential_on_a_line_agrees_with_the_programme():
    points, (p, q) = draw(9, 7).sort().values, laws(10, 7)
    by_programme = kantorovich_potential((points[:, None] - points).abs(), p, q)
    torch.testing.assert_close(potential_1d(points, p, q), by_programme)


def test_an_extension_keeps_the_values_and_the_slope():
    points = draw(11, 6, 2)
    values = 0.4 * points[:, 0]
    torch.testing.assert_close(lipschitz_extension(points, points, values), values)
    x = draw(12, 50, 2).requires_grad_()
    (slope,) = torch.autograd.grad(lipschitz_extension(x, points, values).sum(), x)
    torch.testing.assert_close(slope.norm(dim=1), torch.ones(50, dtype=torch.float64))


def test_laws_apart_are_log_two_apart_whatever_the_shift():
    found = parallel_lines(torch.tensor([-3.0, 0.0, 1e-6]))
    apart = jensenshannon([1, 0], [0, 1]) ** 2
    assert found["jensen_shannon"].tolist() == pytest.approx([apart, 0.0, math.log(2)])
    assert found["wasserstein"].tolist() == pytest.approx([3.0, 0.0, 1e-6])
    assert found["wasserstein_slope"].tolist() == [-1.0, 0.0, 1.0]
    assert not found["jensen_shannon_slope"].any()


def test_best_critics_of_least_squares_and_hinge():
    p, q = torch.tensor([0.6, 0.1, 0.3]), torch.tensor([0.2, 0.5, 0.3])
    torch.testing.assert_close(least_squares_critic(p, q), torch.tensor([0.75, 1 / 6, 0.5]))
    pair = least_squares_critic(p, q, real_target=2.0, fake_target=-2.0)
    torch.testing.assert_close(pair, torch.tensor([1.0, -4 / 3, 0.0]))
    assert hinge_critic(p, q).tolist() == [1.0, -1.0, 0.0]


def test_a_dearer_slope_is_overspent_less():
    assert penalised_slope(2.0, weight=10.0) == pytest.approx(1.1)
    assert penalised_slope(2.0, weight=100.0) == pytest.approx(1.01)
    assert penalised_slope(0.0, weight=1.0) == 1.0


LINE, HALF = torch.tensor([0.0, 1.0]), torch.tensor([0.5, 0.5])


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: wasserstein_1d(LINE, LINE[:1]), "y (1,)"),
        (lambda: wasserstein_1d(LINE[:0], LINE[:0]), "(0,)"),
        (lambda: wasserstein_1d(torch.zeros(2, 2), torch.zeros(2, 2)), "(2, 2)"),
        (lambda: wasserstein_from_cdfs(LINE.flip(0), HALF, HALF), "rising order"),
        (lambda: potential_1d(LINE, HALF, HALF[:1]), "q (1,)"),
        (lambda: optimal_transport(torch.zeros(2, 3), HALF, HALF), "(2, 3)"),
        (lambda: optimal_transport(torch.zeros(2, 2), HALF, 2 * HALF), "no solution"),
        (lambda: kantorovich_potential(torch.zeros(2, 3), HALF, HALF), "(2, 3)"),
        (lambda: kantorovich_potential(torch.ones(2, 2), HALF, 2 * HALF), "no solution"),
        (lambda: lipschitz_extension(LINE[:, None], LINE[:, None], HALF[:1]), "(1,) values"),
        (lambda: least_squares_critic(HALF, torch.tensor([0.0, 1.0])), "q spans [0, 1]"),
        (lambda: hinge_critic(HALF, HALF[:1]), "q (1,)"),
        (lambda: penalised_slope(-1.0, weight=1.0), "-1.0"),
        (lambda: penalised_slope(1.0, weight=0.0), "weight is 0.0"),
    ],
)
def test_bad_input_is_named(call, named):
    with pytest.raises(ValueError) as error:
        call()
    assert named in str(error.value)
