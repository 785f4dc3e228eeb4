"""Denoisers agree with Bayes' rule on a grid, with autograd, and with cases known in advance."""

import pytest
import torch

from genimg_course.maths import (
    linear_denoiser,
    mixture_denoiser,
    mixture_log_density,
    mixture_score,
    score_from_denoiser,
    tweedie,
)


def f64(values):
    return torch.tensor(values, dtype=torch.float64)


@pytest.fixture
def mixture():
    return f64([0.3, 0.7]), f64([[-1.0], [2.0]]), f64([[[0.25]], [[0.5]]])


def test_the_denoiser_is_the_posterior_mean_on_a_grid(mixture):
    grid = torch.linspace(-8, 9, 20_001, dtype=torch.float64)[:, None]
    clean = mixture_log_density(grid, *mixture).exp()
    y = f64([[-2.0], [0.4], [3.0]])
    weight = clean * (-(y - grid.T).square() / (2 * 0.8**2)).exp()  # (3, grid)
    expected = (weight @ grid) / weight.sum(dim=1, keepdim=True)
    torch.testing.assert_close(mixture_denoiser(y, *mixture, sigma=0.8), expected)


def test_the_score_is_the_slope_of_the_noisy_density(mixture):
    y = f64([[-2.0], [0.4], [3.0]]).requires_grad_()
    weights, means, covs = mixture
    density = mixture_log_density(y, weights, means, covs + 0.8**2)
    (slope,) = torch.autograd.grad(density.sum(), y)
    torch.testing.assert_close(mixture_score(y.detach(), *mixture, sigma=0.8), slope)


def test_without_noise_a_point_stays_where_it_is(mixture):
    y = f64([[-2.0], [0.4]])
    torch.testing.assert_close(mixture_denoiser(y, *mixture, sigma=0.0), y)


def test_tweedie_and_its_inverse_are_inverse():
    noisy, score = torch.randn(2, 3, 1, 4, 4)
    denoised = tweedie(noisy, score, sigma=0.7)
    torch.testing.assert_close(score_from_denoiser(denoised, noisy, sigma=0.7), score)


def test_a_single_point_pulls_everything_to_itself():
    noisy = torch.tensor([[3.0, -1.0]])
    score = -noisy / 0.5**2  # clean points are all zero
    torch.testing.assert_close(tweedie(noisy, score, sigma=0.5), torch.zeros(1, 2))


def test_the_linear_denoiser_shrinks_each_axis():
    found = linear_denoiser(torch.diag(f64([4.0, 1.0, 0.0])), sigma=1.0)
    torch.testing.assert_close(found, torch.diag(f64([0.8, 0.5, 0.0])))


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda m: mixture_score(f64([[0.0, 0.0]]), *m, sigma=1.0), "(1, 2)"),
        (lambda m: mixture_denoiser(f64([[0.0]]), *m, sigma=-1.0), "-1"),
        (lambda m: tweedie(f64([0.0]), f64([0.0, 1.0]), sigma=1.0), "(2,)"),
        (lambda m: tweedie(f64([0.0]), f64([1.0]), sigma=-0.5), "-0.5"),
        (lambda m: score_from_denoiser(f64([0.0]), f64([1.0]), sigma=0.0), "sigma is 0"),
        (lambda m: linear_denoiser(torch.zeros(2, 3), sigma=1.0), "(2, 3)"),
        (lambda m: linear_denoiser(torch.eye(2), sigma=0.0), "sigma is 0"),
    ],
)
def test_bad_input_is_named(mixture, call, named):
    with pytest.raises(ValueError) as error:
        call(mixture)
    assert named in str(error.value)
