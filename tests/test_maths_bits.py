import math

import pytest
import torch
from torch.distributions import ContinuousBernoulli, Uniform

from genimg_course.maths import (
    bernoulli_nll,
    bits_per_dimension,
    continuous_bernoulli_log_normaliser,
    dequantise,
)


def test_the_corrected_loss_agrees_with_torch_distributions():
    rng = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(5, 1, 2, 3, generator=rng, dtype=torch.float64)
    grey = torch.rand(5, 1, 2, 3, generator=rng, dtype=torch.float64)
    expected = -ContinuousBernoulli(logits=logits).log_prob(grey).sum(dim=(1, 2, 3))
    nll = bernoulli_nll(logits, grey) - continuous_bernoulli_log_normaliser(logits)
    torch.testing.assert_close(nll, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_factor_and_its_slope_pass_smoothly_through_the_origin(dtype):
    a = torch.tensor([[-0.021], [-0.019], [-1e-4], [0.0], [1e-4], [0.019], [0.021]], dtype=dtype)
    a.requires_grad_()
    log_c = continuous_bernoulli_log_normaliser(a)
    (slope,) = torch.autograd.grad(log_c.sum(), a)
    flat = a.detach().flatten()
    torch.testing.assert_close(log_c, math.log(2) + flat**2 / 12, rtol=0, atol=1e-6)
    torch.testing.assert_close(slope.flatten(), flat / 6, rtol=0, atol=3e-5)


def test_large_log_odds_stay_finite():
    log_c = continuous_bernoulli_log_normaliser(torch.tensor([[500.0, -500.0]]))
    assert log_c.item() == pytest.approx(2 * math.log(500))


def test_a_uniform_law_of_bytes_costs_eight_bits():
    density = -Uniform(-1.0, 1.0).log_prob(torch.tensor(0.3)) * 12
    assert bits_per_dimension(density, 12, bin_width=2 / 256).item() == pytest.approx(8)
    mass = torch.tensor(12 * math.log(256))
    assert bits_per_dimension(mass, 12).item() == pytest.approx(8)


def test_bits_do_not_depend_on_the_axis_that_was_chosen():
    narrow = torch.tensor([3.0, -2.0], dtype=torch.float64)
    wide = narrow + 4 * math.log(128)  # the density of 128 x, in 4 dimensions
    torch.testing.assert_close(
        bits_per_dimension(narrow, 4, bin_width=1 / 128), bits_per_dimension(wide, 4)
    )


def test_noise_stays_in_its_bin_and_repeats_with_the_seed():
    levels = torch.randint(0, 5, (3, 1, 4, 4))
    one, two = (dequantise(levels, count=5, rng=torch.Generator().manual_seed(1)) for _ in range(2))
    assert torch.equal(one, two) and one.dtype == torch.float64
    assert torch.equal(((one + 1) * 2.5).floor().long(), levels)
    assert dequantise(torch.tensor([0, 255]), rng=torch.Generator()).abs().max() <= 1


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: continuous_bernoulli_log_normaliser(torch.zeros(0, 3)), "(0, 3)"),
        (lambda: bits_per_dimension(torch.zeros(2), 0), "0 dimensions"),
        (lambda: bits_per_dimension(torch.zeros(2), 3, bin_width=-0.5), "-0.5"),
        (lambda: dequantise(torch.tensor([4]), count=4, rng=torch.Generator()), "[4, 4]"),
    ],
)
def test_bad_input_is_named(call, named):
    with pytest.raises(ValueError) as error:
        call()
    assert named in str(error.value)
