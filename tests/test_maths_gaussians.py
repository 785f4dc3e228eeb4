import math

import pytest
import torch
from torch.distributions import Normal
from torch.distributions import kl_divergence as exact_kl

from genimg_course.maths import (
    gaussian_kl,
    gaussian_kl_full,
    gaussian_log_density,
    reparameterise,
)


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


def some(*shape):
    return torch.randn(*shape, dtype=torch.float64)


def test_log_density_agrees_with_torch_distributions():
    z, mu, logvar = some(3, 16, 5)
    expected = Normal(mu, (0.5 * logvar).exp()).log_prob(z).sum(dim=1)
    torch.testing.assert_close(gaussian_log_density(z, mu, logvar), expected)


def test_density_integrates_to_one():
    z = torch.linspace(-20, 20, 4001, dtype=torch.float64)[:, None]
    mu, logvar = torch.full_like(z, 1.5), torch.full_like(z, 1.2)
    density = gaussian_log_density(z, mu, logvar).exp()
    assert torch.trapezoid(density, z[:, 0]).item() == pytest.approx(1, abs=1e-9)


def test_gaussian_kl_agrees_with_torch_distributions():
    mu, logvar = some(2, 16, 5)
    p, q = Normal(mu, (0.5 * logvar).exp()), Normal(torch.zeros_like(mu), torch.ones_like(mu))
    torch.testing.assert_close(gaussian_kl(mu, logvar), exact_kl(p, q).sum(dim=1))


def test_gaussian_kl_is_the_mean_of_the_log_density_ratio():
    z = torch.linspace(-20, 20, 4001, dtype=torch.float64)[:, None]
    mu, logvar, zero = torch.full_like(z, -0.7), torch.full_like(z, 0.9), torch.zeros_like(z)
    log_q, log_p = gaussian_log_density(z, mu, logvar), gaussian_log_density(z, zero, zero)
    integral = torch.trapezoid(log_q.exp() * (log_q - log_p), z[:, 0])
    assert gaussian_kl(mu[:1], logvar[:1]).item() == pytest.approx(integral.item(), abs=1e-9)


def test_gaussian_kl_has_the_gradients_mu_and_half_of_variance_minus_one():
    mu, logvar = (t.requires_grad_() for t in some(2, 4, 3))
    assert torch.autograd.gradcheck(gaussian_kl, (mu, logvar))
    by_mu, by_logvar = torch.autograd.grad(gaussian_kl(mu, logvar).sum(), (mu, logvar))
    torch.testing.assert_close(by_mu, mu.detach())
    torch.testing.assert_close(by_logvar, 0.5 * (logvar.detach().exp() - 1))


def test_gaussian_kl_is_zero_only_at_the_prior():
    zero = torch.zeros(1, 3)
    assert gaussian_kl(zero, zero).item() == 0
    assert gaussian_kl(zero + 0.1, zero).item() == pytest.approx(0.015, rel=1e-5)
    for logvar in (zero + 0.1, zero - 0.1):
        assert gaussian_kl(zero, logvar).item() > 1e-3


@pytest.mark.parametrize("tiny", [1e-4, -1e-4])
def test_gaussian_kl_keeps_its_digits_near_the_prior(tiny):
    zero, logvar = torch.zeros(1, 1), torch.full((1, 1), tiny)
    assert gaussian_kl(zero, logvar).item() == pytest.approx(tiny**2 / 4, rel=0.01)


def test_reparameterise_draws_from_the_gaussian_it_is_given():
    mu, logvar = torch.tensor([[2.0, -1.0]]), torch.tensor([[0.0, -2.0]])
    z = reparameterise(mu.expand(100_000, 2), logvar.expand(100_000, 2))
    torch.testing.assert_close(z.mean(dim=0), mu[0], atol=0.02, rtol=0)
    torch.testing.assert_close(z.var(dim=0), logvar[0].exp(), atol=0, rtol=0.02)
    assert torch.corrcoef(z.T)[0, 1].item() == pytest.approx(0, abs=0.02)


def test_reparameterise_is_mu_plus_sigma_times_noise_with_those_gradients():
    mu, logvar = (t.requires_grad_() for t in some(2, 6, 3))
    z = reparameterise(mu, logvar, rng=torch.Generator().manual_seed(7))
    eps = torch.randn(6, 3, generator=torch.Generator().manual_seed(7), dtype=torch.float64)
    sigma = (0.5 * logvar.detach()).exp()
    torch.testing.assert_close(z.detach(), mu.detach() + sigma * eps)
    by_mu, by_logvar = torch.autograd.grad(z.sum(), (mu, logvar))
    torch.testing.assert_close(by_mu, torch.ones_like(mu))
    torch.testing.assert_close(by_logvar, 0.5 * sigma * eps)


def test_reparameterise_with_its_own_generator_leaves_the_global_one_alone():
    zero = torch.zeros(2, 3)
    before = torch.get_rng_state()
    reparameterise(zero, zero, rng=torch.Generator().manual_seed(1))
    assert torch.equal(torch.get_rng_state(), before)
    assert not torch.equal(reparameterise(zero, zero), reparameterise(zero, zero))


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: gaussian_kl(torch.zeros(4, 3), torch.zeros(1, 3)), "(1, 3)"),
        (lambda: gaussian_kl(torch.zeros(3), torch.zeros(3)), "(3,)"),
        (lambda: gaussian_kl(torch.zeros(0, 3), torch.zeros(0, 3)), "(0, 3)"),
        (lambda: reparameterise(torch.zeros(4, 3), torch.zeros(4, 1)), "(4, 1)"),
        (lambda: gaussian_log_density(*torch.zeros(2, 4, 3), torch.zeros(3)), "(3,)"),
        (lambda: gaussian_log_density(*torch.zeros(3, 4)), "(4,)"),
    ],
)
def test_bad_input_is_named(call, named):
    with pytest.raises(ValueError) as error:
        call()
    assert named in str(error.value)


def test_log_density_at_the_mean_of_the_standard_normal():
    zero = torch.zeros(1, 2, dtype=torch.float64)
    assert gaussian_log_density(zero, zero, zero).item() == pytest.approx(-math.log(2 * math.pi))


def test_full_gaussian_kl_agrees_with_torch_distributions():
    rng = torch.Generator().manual_seed(5)
    roots = torch.randn(2, 4, 4, generator=rng, dtype=torch.float64)
    covariances = roots @ roots.mT + 0.2 * torch.eye(4, dtype=torch.float64)
    means = torch.randn(2, 4, generator=rng, dtype=torch.float64)
    q, p = (
        torch.distributions.MultivariateNormal(m, c)
        for m, c in zip(means, covariances, strict=True)
    )
    found = gaussian_kl_full(means[0], covariances[0], means[1], covariances[1])
    torch.testing.assert_close(found, torch.distributions.kl_divergence(q, p))


def test_full_gaussian_kl_refuses_shapes_that_do_not_fit():
    with pytest.raises(ValueError, match=r"covariance is \(3, 3\)"):
        gaussian_kl_full(torch.zeros(2), torch.eye(3), torch.zeros(2), torch.eye(3))
    with pytest.raises(ValueError, match="prior_mu"):
        gaussian_kl_full(torch.zeros(2), torch.eye(2), torch.zeros(3), torch.eye(2))
