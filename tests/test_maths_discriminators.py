import math

import pytest
import torch
from torch.distributions import Normal

from genimg_course.maths import gan_value, jensen_shannon, optimal_discriminator


@pytest.fixture
def laws():
    rng = torch.Generator().manual_seed(0)
    return torch.randn(2, 5, generator=rng, dtype=torch.float64).softmax(dim=-1)


@pytest.mark.parametrize("prior", [0.5, 0.2, 0.9])
def test_optimal_discriminator_beats_every_other_answer(laws, prior):
    p, q = laws
    d = torch.linspace(0.001, 0.999, 999, dtype=torch.float64)[:, None]
    value = prior * p * d.log() + (1 - prior) * q * (1 - d).log()
    best = d[value.argmax(dim=0), 0]
    assert (best - optimal_discriminator(p, q, prior=prior)).abs().max() < 1e-3


@pytest.mark.parametrize("prior", [0.5, 0.2])
def test_optimal_logit_is_the_log_density_ratio_plus_the_prior_odds(prior):
    x = torch.linspace(-3, 4, 15, dtype=torch.float64)
    real, fake = Normal(0.0, 1.0), Normal(1.0, 2.0)
    d = optimal_discriminator(real.log_prob(x).exp(), fake.log_prob(x).exp(), prior=prior)
    expected = real.log_prob(x) - fake.log_prob(x) + math.log(prior / (1 - prior))
    torch.testing.assert_close(d.logit(), expected)


def test_optimal_discriminator_needs_no_normal_numbers():
    p, q = torch.tensor([3e-40, 0.0, 2.0, 0.0]), torch.tensor([1e-40, 1.0, 0.0, 0.0])
    d = optimal_discriminator(p, q, prior=0.5)
    assert d.tolist() == pytest.approx([0.75, 0.0, 1.0, 0.5], abs=1e-3)
    assert optimal_discriminator(p, q, prior=0.3)[3].item() == pytest.approx(0.3)


def test_value_at_the_optimum_is_two_jensen_shannon_above_minus_log_four(laws):
    p, q = laws
    value = gan_value(p, q, optimal_discriminator(p, q))
    torch.testing.assert_close(value, 2 * jensen_shannon(p, q) - math.log(4))


def test_optimum_is_a_maximum_of_the_value(laws):
    p, q = laws
    d = optimal_discriminator(p, q).requires_grad_()
    (slope,) = torch.autograd.grad(gan_value(p, q, d), d)
    torch.testing.assert_close(slope, torch.zeros_like(slope), atol=1e-12, rtol=0)
    best = d.detach()
    for other in (0.9 * best, 0.9 * best + 0.1):
        assert gan_value(p, q, other) < gan_value(p, q, best) - 1e-3


def test_undecided_discriminator_is_worth_minus_log_four(laws):
    p, q = laws
    assert gan_value(p, q, torch.full_like(p, 0.5)).item() == pytest.approx(-math.log(4))


def test_a_density_that_asks_for_gradients_draws_no_warning(laws, recwarn):
    gan_value(*laws, torch.full_like(laws[0], 0.5, requires_grad=True))
    assert not recwarn.list


@pytest.mark.parametrize(("d", "value"), [([1.0, 0.0], 0.0), ([0.0, 0.5], -math.inf)])
def test_certainty_is_free_where_it_is_right_and_ruinous_where_it_is_wrong(d, value):
    p, q = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])
    assert gan_value(p, q, torch.tensor(d)).item() == value


HALF = torch.tensor([0.5, 0.5])


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: optimal_discriminator(HALF, HALF[None]), "(1, 2)"),
        (lambda: optimal_discriminator(HALF - 0.75, HALF), "p spans [-0.25"),
        (lambda: optimal_discriminator(HALF, HALF - 0.75), "q spans [-0.25"),
        (lambda: optimal_discriminator(HALF * math.nan, HALF), "nan"),
        (lambda: optimal_discriminator(HALF, HALF, prior=0.0), "0.0"),
        (lambda: optimal_discriminator(HALF, HALF, prior=1), "prior is 1"),
        (lambda: gan_value(HALF, HALF, HALF[:1]), "(1,)"),
        (lambda: gan_value(HALF, HALF, HALF + 0.75), "1.25"),
        (lambda: gan_value(HALF, HALF, HALF - 0.75), "-0.25"),
    ],
)
def test_bad_input_is_named(call, named):
    with pytest.raises(ValueError) as error:
        call()
    assert named in str(error.value)
