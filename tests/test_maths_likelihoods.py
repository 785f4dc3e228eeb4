import math

import pytest
import torch
from torch.distributions import Bernoulli, Normal

from genimg_course.maths import bernoulli_nll, effective_beta, gaussian_kl, gaussian_nll


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


def pictures(batch=3):
    return torch.rand(batch, 2, 4, 4, dtype=torch.float64)


def test_bernoulli_nll_agrees_with_torch_distributions_on_binary_images():
    logits, target = torch.randn(3, 2, 4, 4, dtype=torch.float64), pictures().round()
    expected = -Bernoulli(logits=logits).log_prob(target).sum(dim=(1, 2, 3))
    torch.testing.assert_close(bernoulli_nll(logits, target), expected)


def test_bernoulli_nll_is_the_cross_entropy_on_grey_images():
    logits, t = torch.randn(3, 2, 4, 4, dtype=torch.float64), pictures()
    ink = logits.sigmoid()
    expected = -(t * ink.log() + (1 - t) * (1 - ink).log()).flatten(1).sum(dim=1)
    torch.testing.assert_close(bernoulli_nll(logits, t), expected)


def test_bernoulli_nll_pulls_ink_towards_the_target():
    logits, t = torch.randn(3, 2, 4, 4, dtype=torch.float64, requires_grad=True), pictures()
    bernoulli_nll(logits, t).sum().backward()
    torch.testing.assert_close(logits.grad, logits.detach().sigmoid() - t)


@pytest.mark.parametrize(
    ("logit", "target", "nats"),
    [(0.0, 0.3, math.log(2)), (1000.0, 0.0, 1000.0), (-1000.0, 1.0, 1000.0), (1000.0, 1.0, 0.0)],
)
def test_bernoulli_nll_of_one_pixel(logit, target, nats):
    value = bernoulli_nll(torch.tensor([[logit]]), torch.tensor([[target]]))
    assert value.tolist() == pytest.approx([nats], abs=1e-6)


@pytest.mark.parametrize("sigma", [0.3, 1.0, 2.5])
def test_gaussian_nll_agrees_with_torch_distributions(sigma):
    x_hat, x = pictures(), pictures()
    expected = -Normal(x_hat, sigma).log_prob(x).sum(dim=(1, 2, 3))
    torch.testing.assert_close(gaussian_nll(x_hat, x, sigma=sigma), expected)


def test_gaussian_nll_weighs_an_error_by_the_variance():
    x_hat, x = pictures().requires_grad_(), pictures()
    gaussian_nll(x_hat, x, sigma=0.5).sum().backward()
    torch.testing.assert_close(x_hat.grad, (x_hat.detach() - x) / 0.25)


@pytest.mark.parametrize("pixel_mean", [False, True])
@pytest.mark.parametrize("latent_mean", [False, True])
def test_effective_beta_makes_the_loss_with_sums_a_multiple_of_the_one_with_means(
    pixel_mean, latent_mean
):
    logits = torch.randn(3, 2, 4, 4, dtype=torch.float64, requires_grad=True)
    mu, logvar = torch.randn(2, 3, 5, dtype=torch.float64)
    mu.requires_grad_()
    nll, kl = bernoulli_nll(logits, pictures()), gaussian_kl(mu, logvar)
    written = nll / (32 if pixel_mean else 1) + 0.7 * kl / (5 if latent_mean else 1)
    beta = effective_beta(0.7, 32, 5, pixel_mean=pixel_mean, latent_mean=latent_mean)
    g_written = torch.autograd.grad(written.sum(), (logits, mu), retain_graph=True)
    g_sums = torch.autograd.grad((nll + beta * kl).sum(), (logits, mu))
    factor = 32.0 if pixel_mean else 1.0
    torch.testing.assert_close(tuple(factor * g for g in g_written), g_sums)


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: bernoulli_nll(torch.zeros(4, 3), torch.zeros(1, 3)), "(1, 3)"),
        (lambda: bernoulli_nll(torch.zeros(0, 3), torch.zeros(0, 3)), "(0, 3)"),
        (lambda: bernoulli_nll(torch.zeros(1, 2), torch.tensor([[0.5, -0.25]])), "-0.25"),
        (lambda: bernoulli_nll(torch.zeros(1, 2), torch.tensor([[0.5, 1.25]])), "1.25"),
        (lambda: bernoulli_nll(torch.zeros(1, 2), torch.tensor([[0.5, math.nan]])), "nan"),
        (lambda: gaussian_nll(torch.zeros(4, 3), torch.zeros(3), sigma=1.0), "(3,)"),
        (lambda: gaussian_nll(torch.zeros(0, 3), torch.zeros(0, 3), sigma=1.0), "(0, 3)"),
        (lambda: gaussian_nll(torch.zeros(4, 3), torch.zeros(4, 3), sigma=0.0), "0.0"),
        (lambda: gaussian_nll(torch.zeros(4, 3), torch.zeros(4, 3), sigma=math.nan), "nan"),
        (lambda: effective_beta(1.0, 0, 5), "0 pixels"),
        (lambda: effective_beta(1.0, 784, -2), "-2 latents"),
    ],
)
def test_bad_input_is_named(call, named):
    with pytest.raises(ValueError) as error:
        call()
    assert named in str(error.value)
