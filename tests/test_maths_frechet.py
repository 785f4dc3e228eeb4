import math

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm

from genimg_course.maths import (
    frechet_at_infinity,
    frechet_bias,
    gaussian_frechet,
    transport_map,
)


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


def test_the_transport_map_arrives_and_moves_as_far_as_the_distance_says():
    (m1, c1), (m2, c2) = gaussian(0, rank=9), gaussian(1, rank=9)
    slope = transport_map(c1, c2)
    torch.testing.assert_close(slope @ c1 @ slope.T, c2)
    root = torch.from_numpy(sqrtm((c1 @ c2).numpy()).real)
    torch.testing.assert_close(slope, torch.linalg.solve(c1, root))
    step = torch.eye(4, dtype=torch.float64) - slope
    moved = (m1 - m2).square().sum() + (step @ c1 @ step.T).trace()
    torch.testing.assert_close(moved, gaussian_frechet(m1, c1, m2, c2))


def test_the_transport_map_of_diagonal_covariances_scales_each_feature():
    a, b = torch.tensor([4.0, 1.0]), torch.tensor([1.0, 9.0])
    torch.testing.assert_close(transport_map(a.diag(), b.diag()), torch.tensor([0.5, 3.0]).diag())


@pytest.mark.parametrize("count", [100, 400])
def test_the_bias_is_what_samples_of_one_law_show(count):
    _, cov = gaussian(0, rank=9)
    root = torch.linalg.cholesky(cov)
    rng = torch.Generator().manual_seed(1)
    found = []
    for _ in range(200):
        samples = torch.randn(2, count, 4, generator=rng, dtype=torch.float64) @ root.T
        parts = [part for side in samples for part in (side.mean(dim=0), side.T.cov())]
        found.append(gaussian_frechet(*parts))
    mean, error = torch.stack(found).mean(), torch.stack(found).std() / 200**0.5
    assert abs(mean - frechet_bias(cov, count, count)) < 4 * error
    assert mean > 10 * error


def test_the_bias_of_white_features_grows_with_the_square_of_their_number():
    for side in (1, 8, 64):
        bias = frechet_bias(torch.eye(side, dtype=torch.float64), 100, 100)
        assert bias.item() == pytest.approx(side * (side + 5) / 200)


def test_at_infinity_agrees_with_numpy():
    counts, distances = torch.tensor([50.0, 80.0, 300.0]), torch.tensor([9.0, 7.5, 4.0])
    expected = np.polynomial.Polynomial.fit(1 / counts.numpy(), distances.numpy(), 1)(0.0)
    assert frechet_at_infinity(counts, distances).item() == pytest.approx(expected, rel=1e-5)


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


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: transport_map(C, torch.eye(3)), "(3, 3)"),
        (lambda: transport_map(M, C), "(2,)"),
        (
            lambda: transport_map(torch.diag(torch.tensor([1.0, 0.0])), C),
            "eigenvalue of cov_1 is 0",
        ),
        (lambda: transport_map(C, C * math.nan), "cov_2 has 4"),
        (lambda: frechet_bias(C, 1, 5), "1 and 5"),
        (lambda: frechet_bias(M, 5, 5), "(2,)"),
        (lambda: frechet_bias(C * math.inf, 5, 5), "cov has 4"),
        (lambda: frechet_at_infinity(M, torch.zeros(3)), "(2,) and (3,)"),
        (lambda: frechet_at_infinity(torch.tensor([5.0, 5.0]), M), "[5.0, 5.0]"),
        (lambda: frechet_at_infinity(torch.tensor([5.0, -1.0]), M), "[5.0, -1.0]"),
        (lambda: frechet_at_infinity(torch.tensor([5.0, 9.0]), M * math.nan), "distances has 2"),
    ],
)
def test_bad_input_of_the_others_is_named(call, named):
    with pytest.raises(ValueError) as error:
        call()
    assert named in str(error.value)
