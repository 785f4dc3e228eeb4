import math

import pytest
import torch
from torch.distributions import MultivariateNormal

from genimg_course.maths import active_units, linear_vae_terms, optimal_linear_vae

VARIANCES = torch.tensor([5.0, 3.0, 1.5, 0.8, 0.45, 0.2], dtype=torch.float64)


@pytest.mark.parametrize("beta, noise, count", [(1.0, 0.5, 4), (4.0, 0.5, 2), (0.1, 0.5, 6)])
def test_the_price_decides_how_many_codes_live(beta, noise, count):
    assert active_units(VARIANCES, beta=beta, noise=noise) == count


def test_a_direction_on_the_threshold_is_dropped():
    best = optimal_linear_vae(VARIANCES, beta=3.0, noise=0.5)
    assert active_units(VARIANCES, beta=3.0, noise=0.5) == 2
    assert best["weight_squared"][2] == 0
    assert best["rate"][2] == 0


def test_no_other_decoder_of_one_direction_is_better():
    lam, beta, noise = 1.7, 2.0, 0.3
    best = optimal_linear_vae(torch.tensor([lam], dtype=torch.float64), beta=beta, noise=noise)
    squares = torch.linspace(0, 4, 401, dtype=torch.float64)
    price = beta * noise
    losses = 0.5 * beta * (lam / (squares + price) + ((squares + price) / price).log())
    losses = losses + 0.5 * math.log(2 * math.pi * noise)
    assert losses.min().item() == pytest.approx(best["loss"].item(), abs=1e-4)
    assert (losses >= best["loss"] - 1e-12).all()
    assert squares[losses.argmin()].item() == pytest.approx(best["weight_squared"].item(), abs=6e-3)


def test_at_beta_one_the_bound_is_the_likelihood_of_the_model():
    noise = 0.1
    best = optimal_linear_vae(VARIANCES, noise=noise)
    law = MultivariateNormal(
        torch.zeros(6, dtype=torch.float64), (best["weight_squared"] + noise).diag()
    )
    x = law.sample((20_000,))
    entropy = -law.log_prob(x).mean().item()
    # every direction is alive, so the model's law is the data's law
    assert best["loss"].sum().item() == pytest.approx(entropy, abs=0.07)
    assert best["loss"].sum().item() == pytest.approx(law.entropy().item(), abs=1e-12)


def test_terms_are_the_mean_over_data_and_codes():
    rng = torch.Generator().manual_seed(0)
    decoder = torch.randn(3, 2, generator=rng, dtype=torch.float64)
    encoder = torch.randn(2, 3, generator=rng, dtype=torch.float64)
    logvar = torch.tensor([-0.5, 0.3], dtype=torch.float64)
    x = torch.randn(200_000, 3, generator=rng, dtype=torch.float64)
    covariance = x.T @ x / len(x)
    mu = x @ encoder.T
    eps = torch.randn(mu.shape, generator=rng, dtype=torch.float64)
    error = (x - (mu + (0.5 * logvar).exp() * eps) @ decoder.T).square().sum(dim=1)
    expected = error / 0.8 + 1.5 * math.log(0.8 * math.pi)
    rate = 0.5 * (mu.square() + logvar.exp() - 1 - logvar).mean(dim=0)
    found = linear_vae_terms(decoder, encoder, logvar, covariance, noise=0.4)
    assert found[0].item() == pytest.approx(expected.mean().item(), rel=0.01)
    torch.testing.assert_close(found[1], rate)


def test_a_code_that_says_nothing_costs_nothing():
    zero = torch.zeros(4, 3), torch.zeros(3, 4), torch.zeros(3)
    distortion, rate = linear_vae_terms(*zero, torch.eye(4), noise=1.0)
    assert rate.tolist() == [0.0, 0.0, 0.0]
    assert distortion.item() == pytest.approx(2 + 2 * math.log(2 * math.pi))


@pytest.mark.parametrize("bad", [{"beta": 0.0, "noise": 1.0}, {"beta": 1.0, "noise": -0.1}])
def test_weights_must_be_positive(bad):
    for function in (active_units, optimal_linear_vae):
        with pytest.raises(ValueError, match=f"beta is {bad['beta']} and noise is {bad['noise']}"):
            function(VARIANCES, **bad)


def test_variances_must_be_positive_and_a_row():
    with pytest.raises(ValueError, match="minimum -1"):
        optimal_linear_vae(torch.tensor([1.0, -1.0]), noise=1.0)
    with pytest.raises(ValueError, match=r"\(1, 6\)"):
        active_units(VARIANCES[None], noise=1.0)


def test_shapes_must_fit():
    with pytest.raises(ValueError, match=r"encoder \(2, 3\)"):
        linear_vae_terms(
            torch.zeros(4, 2), torch.zeros(2, 3), torch.zeros(2), torch.eye(4), noise=1.0
        )
    with pytest.raises(ValueError, match="noise is 0"):
        linear_vae_terms(
            torch.zeros(4, 2), torch.zeros(2, 4), torch.zeros(2), torch.eye(4), noise=0.0
        )
