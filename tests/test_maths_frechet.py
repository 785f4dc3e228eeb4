import math

import pytest
import torch
from scipy.linalg import sqrtm

from genimg_course.maths import gaussian_frechet


def gaussian(seed, rank=4, side=4):
    """A random mean and a random covariance of some rank."""
    rng = torch.Generator().manual_seed(seed)
    root = torch.randn(side, rank, generator=rng, dtype=torch.float64)
    return torch.randn(side, generator=rng, dtype=torch.float64), root @ root.T


def test_agrees_with_the_matrix_root_of_scipy():
    (m1, c1), (m2, c2) = gaussian(0), gaussian(1)
    cross = sqrtm(c1.numpy() @ c2.numpy()).real.trace()
    expected = ((m1 - m2) ** 2).sum() + c1.trace() + c2.trace() - 2 * cross
    assert gaussian_frechet(m1, c1, m2, c2).item() == pytest.approx(expected.item(), rel=1e-9)


def test_of_diagonal_gaussians_is_the_sum_of_squared_differences_of_mean_and_deviation():
    m1, m2, s1, s2 = torch.rand(4, 5, generator=torch.Generator().manual_seed(0)).double()
    value = gaussian_frechet(m1, s1.square().diag(), m2, s2.square().diag())
    torch.testing.assert_close(value, ((m1 - m2) ** 2 + (s1 - s2) ** 2).sum())


def test_a_shift_costs_its_squared_length():
    mean, cov = gaussian(0)
    shift = torch.tensor([3.0, 0.0, -4.0, 0.0], dtype=torch.float64)
    assert gaussian_frechet(mean, cov, mean + shift, cov).item() == pytest.approx(25)


@pytest.mark.parametrize("rank", [1, 4])
def test_is_zero_for_equal_gaussians_even_without_full_rank(rank):
    mean, cov = gaussian(0, rank)
    assert 0 <= gaussian_frechet(mean, cov, mean, cov).item() < 1e-6


def test_of_two_lines_at_an_angle():
    """Mass on a line: the best plan turns it, and the cross term is the overlap of the lines."""
    zero, angle = torch.zeros(2, dtype=torch.float64), 0.6
    a = torch.tensor([1.0, 0.0], dtype=torch.float64)
    b = torch.tensor([math.cos(angle), math.sin(angle)], dtype=torch.float64)
    value = gaussian_frechet(zero, a.outer(a), zero, 4 * b.outer(b))
    assert value.item() == pytest.approx(1 + 4 - 2 * 2 * math.cos(angle), rel=1e-7)


def test_does_not_depend_on_the_order():
    first, second = gaussian(0), gaussian(1, rank=2)
    there, back = gaussian_frechet(*first, *second), gaussian_frechet(*second, *first)
    torch.testing.assert_close(there, back)
    assert there > 1


M, C = torch.zeros(2), torch.eye(2)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((M, C, torch.zeros(3), C), "(3,)"),
        ((M, C, M, torch.eye(3)), "(3, 3)"),
        ((M, M, M, C), "covariances (2,)"),
        ((torch.zeros(2, 5), C, torch.zeros(2, 5), C), "(2, 5)"),
        ((torch.tensor(0.0), C, torch.tensor(0.0), C), "means ()"),
        ((M + math.nan, C, M, C), "mean_1 has 2"),
        ((M, C, M, C * math.inf), "cov_2 has 4"),
    ],
)
def test_bad_input_is_named(arguments, named):
    with pytest.raises(ValueError) as error:
        gaussian_frechet(*arguments)
    assert named in str(error.value)
