import pytest
import torch
from torch.distributions import Normal

from genimg_course.maths import (
    elbo_forms,
    gaussian_entropy,
    gaussian_kl,
    gaussian_log_density,
    importance_log_likelihood,
)


def terms(count):
    rng = torch.Generator().manual_seed(2)
    mu, logvar = torch.randn(2, 3, 2, generator=rng, dtype=torch.float64)
    joint, prior, q = [], [], []
    for _ in range(count):
        eps = torch.randn(3, 2, generator=rng, dtype=torch.float64)
        z = mu + (0.5 * logvar).exp() * eps
        joint.append(-(z - 1).square().sum(dim=1))
        prior.append(Normal(0.0, 1.0).log_prob(z).sum(dim=1))
        q.append(Normal(mu, (0.5 * logvar).exp()).log_prob(z).sum(dim=1))
    logs = [torch.stack(rows) for rows in (joint, prior, q)]
    return (*logs, gaussian_kl(mu, logvar), gaussian_entropy(logvar))


def test_three_forms_have_one_mean():
    forms = elbo_forms(*terms(20_000))
    torch.testing.assert_close(forms["split"], forms["joint"], atol=0.1, rtol=0)
    torch.testing.assert_close(forms["split"], forms["ratio"], atol=0.1, rtol=0)


def test_one_sample_of_the_last_form_is_the_importance_bound():
    logs = terms(1)
    bound = importance_log_likelihood(logs[0] + logs[1], logs[2])
    torch.testing.assert_close(elbo_forms(*logs)["ratio"], bound)


def test_entropy_agrees_with_torch_distributions():
    logvar = torch.tensor([[0.3, -2.0, 1.0], [-5.0, 0.0, 0.4]], dtype=torch.float64)
    expected = Normal(torch.zeros_like(logvar), (0.5 * logvar).exp()).entropy().sum(dim=1)
    torch.testing.assert_close(gaussian_entropy(logvar), expected)
    zero = torch.zeros_like(logvar)
    assert not torch.equal(gaussian_entropy(logvar), -gaussian_log_density(zero, zero, logvar))


def test_terms_of_other_shapes_are_refused():
    logs = terms(4)
    with pytest.raises(ValueError, match="log_prior"):
        elbo_forms(logs[0], logs[1][:2], *logs[2:])
    with pytest.raises(ValueError, match="kl"):
        elbo_forms(*logs[:3], logs[3][:1], logs[4])
