import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch.distributions import Bernoulli, Normal
from torch.distributions import kl_divergence as exact_kl

from genimg_course.losses import (
    discriminator_loss,
    generator_loss,
    negative_elbo,
    r1_penalty,
    squared_error,
)
from genimg_course.maths import gan_value, gaussian_nll

B, SHAPE = 3, (2, 4, 4)


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


def some(*shape):
    return torch.randn(*shape, dtype=torch.float64)


def pictures(batch=B):
    return torch.rand(batch, *SHAPE, dtype=torch.float64) * 2 - 1


# --- squared error


def test_squared_error_is_the_sum_over_pixels_and_the_mean_over_images():
    x_hat, x = pictures(), pictures()
    by_hand = [
        float(sum((a - b) ** 2)) for a, b in zip(x.flatten(1), x_hat.flatten(1), strict=True)
    ]
    assert squared_error(x_hat, x).item() == pytest.approx(sum(by_hand) / B)


def test_squared_error_differs_like_the_gaussian_nll_of_unit_variance():
    x, one, two = pictures(), pictures(), pictures()
    nll = gaussian_nll(one, x, sigma=1.0).mean() - gaussian_nll(two, x, sigma=1.0).mean()
    torch.testing.assert_close(squared_error(one, x) - squared_error(two, x), 2 * nll)


def test_squared_error_pulls_the_reconstruction_towards_the_image():
    x_hat, x = pictures().requires_grad_(), pictures()
    squared_error(x_hat, x).backward()
    torch.testing.assert_close(x_hat.grad, 2 * (x_hat.detach() - x) / B)


# --- negative ELBO


@pytest.fixture
def vae():
    """Grey images with what a VAE says of them: ``x, logits, mu, logvar``."""
    return pictures(), some(B, *SHAPE), some(B, 5), some(B, 5)


@pytest.mark.parametrize("beta", [1.0, 0.3, 4.0])
def test_negative_elbo_agrees_with_torch_distributions(vae, beta):
    x, logits, mu, logvar = vae
    ink = Bernoulli(logits=logits, validate_args=False)  # grey is no outcome of a Bernoulli law
    log_p = ink.log_prob((x + 1) / 2).sum(dim=(1, 2, 3))
    q = Normal(mu, (0.5 * logvar).exp())
    kl = exact_kl(q, Normal(torch.zeros_like(mu), torch.ones_like(mu))).sum(dim=1)
    expected = (beta * kl - log_p).mean()
    torch.testing.assert_close(negative_elbo(x, logits, mu, logvar, beta=beta), expected)


def test_beta_is_one_unless_said_otherwise(vae):
    torch.testing.assert_close(negative_elbo(*vae), negative_elbo(*vae, beta=1.0))
    assert negative_elbo(*vae, beta=2.0) > negative_elbo(*vae) + 1


def test_negative_elbo_of_an_ignorant_vae_is_log_two_a_pixel():
    x, zero = pictures(), torch.zeros(B, 5, dtype=torch.float64)
    value = negative_elbo(x, torch.zeros_like(x), zero, zero)
    assert value.item() == pytest.approx(32 * math.log(2))


def test_negative_elbo_gradients_reach_the_decoder_and_both_outputs_of_the_encoder(vae):
    x, *outputs = vae
    logits, mu, logvar = (t.requires_grad_() for t in outputs)
    negative_elbo(x, logits, mu, logvar, beta=0.7).backward()
    torch.testing.assert_close(logits.grad, (logits.detach().sigmoid() - (x + 1) / 2) / B)
    torch.testing.assert_close(mu.grad, 0.7 * mu.detach() / B)
    torch.testing.assert_close(logvar.grad, 0.7 * (logvar.detach().exp() - 1) / 2 / B)


def test_negative_elbo_exceeds_minus_log_p_of_x_by_the_kl_of_the_posterior():
    """One latent, decoder logits ``a z + b``; every integral by Gauss-Hermite quadrature."""
    a, b, x = some(1, *SHAPE), some(1, *SHAPE), pictures(1).sign()
    mu, logvar = some(1, 1), torch.full((1, 1), -1.0, dtype=torch.float64)
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    weights = torch.from_numpy(weights / weights.sum())

    def log_p_x_given(z):
        return torch.stack([Bernoulli(logits=a * v + b).log_prob((x + 1) / 2).sum() for v in z])

    prior_z = torch.from_numpy(nodes)
    log_p_x = torch.logsumexp(weights.log() + log_p_x_given(prior_z), dim=0)
    sigma = (0.5 * logvar).exp()
    z = (mu + sigma * prior_z)[0]
    bound = sum(
        w * negative_elbo(x, a * v + b, mu, logvar) for w, v in zip(weights, z, strict=True)
    )
    log_q = Normal(mu, sigma).log_prob(z[:, None])[:, 0]
    log_posterior = Normal(0.0, 1.0).log_prob(z) + log_p_x_given(z) - log_p_x
    gap = (weights * (log_q - log_posterior)).sum()
    assert gap > 0.1
    assert (bound + log_p_x).item() == pytest.approx(gap.item(), rel=1e-6)


# --- GAN


def cross_entropy(logits, label):
    return F.binary_cross_entropy(logits.sigmoid(), torch.full_like(logits, label))


def test_discriminator_loss_is_the_cross_entropy_with_real_one_and_fake_zero():
    real, fake = some(6) + 1, some(4) - 2
    expected = cross_entropy(real, 1.0) + cross_entropy(fake, 0.0)
    torch.testing.assert_close(discriminator_loss(real, fake), expected)


def test_undecided_discriminator_costs_two_log_two():
    assert discriminator_loss(torch.zeros(5), torch.zeros(3)).item() == pytest.approx(math.log(4))


def test_only_a_right_discriminator_is_cheap():
    high, low = torch.full((4,), 5.0), torch.full((4,), -5.0)
    assert discriminator_loss(high, low).item() == pytest.approx(2 * math.log1p(math.exp(-5)))
    assert discriminator_loss(low, high).item() == pytest.approx(10, abs=0.1)


def test_discriminator_learns_to_raise_real_logits_and_to_lower_fake_ones():
    real, fake = some(6).requires_grad_(), some(4).requires_grad_()
    discriminator_loss(real, fake).backward()
    torch.testing.assert_close(real.grad, (real.detach().sigmoid() - 1) / 6)
    torch.testing.assert_close(fake.grad, fake.detach().sigmoid() / 4)


def test_discriminator_loss_is_minus_the_value_of_the_game():
    real, fake = torch.tensor([1.0, -0.5, 0.25]), torch.tensor([0.5, -2.0, 1.0])
    laws = (
        torch.tensor([1 / 3, 1 / 3, 1 / 3, 0, 0, 0]),
        torch.tensor([0, 0, 0, 1 / 3, 1 / 3, 1 / 3]),
    )
    value = gan_value(*laws, torch.cat([real, fake]).sigmoid())
    torch.testing.assert_close(discriminator_loss(real, fake), -value)


@pytest.mark.parametrize("saturating", [False, True])
def test_generator_loss_agrees_with_the_cross_entropy(saturating):
    fake = some(6) - 1
    expected = -cross_entropy(fake, 0.0) if saturating else cross_entropy(fake, 1.0)
    torch.testing.assert_close(generator_loss(fake, saturating=saturating), expected)


def test_generator_does_not_saturate_unless_asked():
    fake = torch.full((4,), -3.0)
    assert generator_loss(fake).item() == pytest.approx(3 + math.log1p(math.exp(-3)))


@pytest.mark.parametrize(("saturating", "gradient"), [(False, -1.0), (True, 0.0)])
def test_only_the_non_saturating_loss_keeps_its_gradient(saturating, gradient):
    logits = torch.full((4, 1), -30.0, requires_grad=True)  # a confident discriminator
    generator_loss(logits, saturating=saturating).backward()
    assert logits.grad.sum().item() == pytest.approx(gradient, abs=1e-6)


@pytest.mark.parametrize("saturating", [False, True])
def test_generator_learns_to_raise_its_logits(saturating):
    fake = some(6).requires_grad_()
    generator_loss(fake, saturating=saturating).backward()
    d = fake.detach().sigmoid()
    torch.testing.assert_close(fake.grad, -(d if saturating else 1 - d) / 6)


@pytest.mark.parametrize(("saturating", "nats"), [(False, math.log(2)), (True, -math.log(2))])
def test_generator_before_an_undecided_discriminator(saturating, nats):
    assert generator_loss(torch.zeros(5), saturating=saturating).item() == pytest.approx(nats)


def test_saturating_game_is_zero_sum():
    real, one, two = some(6), some(4), some(4) + 2
    sums = [discriminator_loss(real, f) + generator_loss(f, saturating=True) for f in (one, two)]
    torch.testing.assert_close(sums[0], sums[1])
    torch.testing.assert_close(sums[0], cross_entropy(real, 1.0))


def test_gan_losses_of_extreme_logits_are_finite():
    far = torch.full((3,), 1000.0)
    assert discriminator_loss(-far, far).item() == pytest.approx(2000)
    assert generator_loss(-far).item() == pytest.approx(1000)
    assert generator_loss(far, saturating=True).item() == pytest.approx(-1000)


# --- R1


def test_r1_of_a_linear_discriminator_is_half_of_gamma_times_its_squared_weight():
    x, w = pictures().requires_grad_(), some(*SHAPE)
    logits = (x * w).flatten(1).sum(dim=1) + 7
    expected = 0.5 * 3 * w.square().sum()
    torch.testing.assert_close(r1_penalty(logits, x, gamma=3.0).detach(), expected)


@pytest.mark.parametrize("column", [False, True])
def test_r1_is_the_mean_of_squared_gradient_norms_of_single_images(column):
    x, a = some(B, 4).requires_grad_(), some(4, 4)
    logits = 0.5 * ((x @ (a + a.T)) * x).sum(dim=1, keepdim=column)
    norms = (x.detach() @ (a + a.T)).square().sum(dim=1)
    assert norms.std() > 0.1
    torch.testing.assert_close(r1_penalty(logits, x, gamma=1.6).detach(), 0.8 * norms.mean())


def test_r1_teaches_the_discriminator():
    x = some(B, 4).requires_grad_()

    def penalty(w, v):
        return r1_penalty((x @ w).tanh() @ v, x, gamma=2.0)

    parameters = some(4, 3).requires_grad_(), some(3).requires_grad_()
    assert torch.autograd.gradcheck(penalty, parameters)
    gradients = torch.autograd.grad(penalty(*parameters), parameters)
    assert min(g.abs().max() for g in gradients) > 1e-3


def test_r1_of_weight_zero_is_zero():
    x = some(B, 4).requires_grad_()
    assert r1_penalty(x.square().sum(dim=1), x, gamma=0.0).item() == 0


# --- every loss


@pytest.mark.parametrize(
    ("loss", "inputs"),
    [
        (lambda x_hat: squared_error(x_hat, torch.ones_like(x_hat)), [(B, 4)]),
        (lambda a, *q: negative_elbo(torch.full_like(a, 1 / 3), a, *q), [(B, 4), (B, 2), (B, 2)]),
        (discriminator_loss, [(B, 1), (B + 2, 1)]),
        (generator_loss, [(B, 1)]),
        (lambda fake: generator_loss(fake, saturating=True), [(B, 1)]),
    ],
)
def test_gradients_of_a_loss_agree_with_finite_differences(loss, inputs):
    tensors = [some(*shape).requires_grad_() for shape in inputs]
    assert torch.autograd.gradcheck(loss, tensors)
    assert all(g.abs().max() > 1e-3 for g in torch.autograd.grad(loss(*tensors), tensors))
    assert loss(*tensors).shape == ()


# --- bad input

X, Z, EMPTY = torch.zeros(3, 2), torch.zeros(3, 5), torch.zeros(0)
ASKS = torch.zeros(3, 2, requires_grad=True)


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: squared_error(X, X[:1]), "(1, 2)"),
        (lambda: squared_error(X[:0], X[:0]), "(0, 2)"),
        (lambda: negative_elbo(X, X[:, :1], Z, Z), "(3, 1)"),
        (lambda: negative_elbo(X, X, Z, Z[:1]), "(1, 5)"),
        (lambda: negative_elbo(X, X, Z[:1], Z[:1]), "kl (1,)"),
        (lambda: negative_elbo(X + 1.5, X, Z, Z), "1.25"),
        (lambda: negative_elbo(X - 1.5, X, Z, Z), "-0.25"),
        (lambda: discriminator_loss(EMPTY, X), "real_logits has shape (0,)"),
        (lambda: discriminator_loss(X, EMPTY), "fake_logits has shape (0,)"),
        (lambda: generator_loss(EMPTY), "(0,)"),
        (lambda: r1_penalty(ASKS.sum(dim=1), ASKS, gamma=-0.5), "-0.5"),
        (lambda: r1_penalty(ASKS.sum(dim=1), ASKS, gamma=math.nan), "nan"),
        (lambda: r1_penalty(X.sum(dim=1), X, gamma=1.0), "x (3, 2)"),
    ],
)
def test_bad_input_is_named(call, named):
    with pytest.raises(ValueError) as error:
        call()
    assert named in str(error.value)
