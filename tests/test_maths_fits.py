import math

import pytest
import torch
from torch.distributions import Normal
from torch.distributions import kl_divergence as exact_kl

from genimg_course.maths import fit_divergence

X = torch.linspace(-12, 12, 2401, dtype=torch.float64)


def normal_law(mean, std):
    return torch.softmax(Normal(mean, std).log_prob(X), dim=0)


@pytest.mark.parametrize("reverse", [False, True])
def test_two_gaussians_agree_with_torch_distributions(reverse):
    mu, sigma = torch.tensor([[0.3, -1.0, 2.0], [0.8, 1.1, 0.6]], dtype=torch.float64)
    p, q = Normal(0.5, 1.3), Normal(mu, sigma)
    expected = exact_kl(q, p) if reverse else exact_kl(p, q)
    found = fit_divergence(X, normal_law(0.5, 1.3), mu, sigma, reverse=reverse)
    torch.testing.assert_close(found, expected.double(), rtol=1e-6, atol=1e-6)


def test_forward_prefers_the_middle_and_reverse_a_mode():
    p = (normal_law(-3.0, 0.5) + normal_law(3.0, 0.5)) / 2
    mu = torch.tensor([0.0, 3.0], dtype=torch.float64)
    sigma = torch.tensor([9.25**0.5, 0.5], dtype=torch.float64)
    p = p.clamp_min(1e-300)
    forward, reverse = (fit_divergence(X, p, mu, sigma, reverse=r) for r in (False, True))
    assert forward[0] < forward[1]
    assert reverse[1] < reverse[0]
    assert reverse[1].item() == pytest.approx(math.log(2), abs=1e-6)


def test_reverse_is_infinite_where_the_law_is_zero():
    p = torch.tensor([0.0, 0.5, 0.5, 0.0])
    args = (torch.arange(4.0), p, torch.tensor([1.5]), torch.tensor([1.0]))
    assert fit_divergence(*args).isfinite().all()
    assert fit_divergence(*args, reverse=True).item() == math.inf


@pytest.mark.parametrize(
    ("sigma", "p", "named"),
    [([0.0], [0.5, 0.5], "as small as 0"), ([1.0], [1.5, -0.5], "1.5"), ([1.0], [1.0], "(1,)")],
)
def test_bad_input_is_named(sigma, p, named):
    with pytest.raises(ValueError) as error:
        fit_divergence(torch.arange(2.0), torch.tensor(p), torch.zeros(1), torch.tensor(sigma))
    assert named in str(error.value)
