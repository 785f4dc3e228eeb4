import pytest
import torch
from torch.distributions import Categorical, MixtureSameFamily, MultivariateNormal

from genimg_course.maths import (
    component_log_density,
    em_step,
    mixture_log_density,
    mixture_moments,
    mixture_samples,
    responsibilities,
)

B, K, D = 7, 3, 2


@pytest.fixture
def model():
    rng = torch.Generator().manual_seed(0)
    root = torch.randn(K, D, D, generator=rng, dtype=torch.float64)
    weights = torch.tensor([0.2, 0.5, 0.3], dtype=torch.float64)
    means = torch.randn(K, D, generator=rng, dtype=torch.float64)
    return weights, means, root @ root.mT + 0.2 * torch.eye(D).double()


@pytest.fixture
def x():
    return torch.randn(B, D, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def test_density_agrees_with_torch_distributions(model, x):
    weights, means, covariances = model
    law = MixtureSameFamily(Categorical(weights), MultivariateNormal(means, covariances))
    torch.testing.assert_close(mixture_log_density(x, *model), law.log_prob(x))


def test_each_component_agrees_with_torch_distributions(model, x):
    expected = MultivariateNormal(model[1], model[2]).log_prob(x[:, None])
    torch.testing.assert_close(component_log_density(x, *model[1:]), expected)


def test_responsibilities_follow_bayes_rule(model, x):
    log_density = component_log_density(x, *model[1:])
    joint = log_density.exp() * model[0]
    expected = joint / joint.sum(dim=1, keepdim=True)
    torch.testing.assert_close(responsibilities(log_density, model[0]), expected)


def test_a_far_point_still_has_an_owner(model):
    far = torch.full((1, D), 1e3, dtype=torch.float64)
    share = responsibilities(component_log_density(far, *model[1:]), model[0])
    assert share.sum().item() == pytest.approx(1)


def test_one_component_is_fitted_in_one_step(x):
    start = torch.ones(1).double(), x[:1], torch.eye(D).double()[None]
    weights, means, covariances = em_step(x, *start)
    torch.testing.assert_close(weights, torch.ones(1).double())
    torch.testing.assert_close(means[0], x.mean(dim=0))
    torch.testing.assert_close(covariances[0], torch.cov(x.T, correction=0))


def test_a_step_keeps_the_moments_of_the_points(model, x):
    mean, covariance = mixture_moments(*em_step(x, *model))
    torch.testing.assert_close(mean, x.mean(dim=0))
    torch.testing.assert_close(covariance, torch.cov(x.T, correction=0))


def test_em_finds_two_groups():
    rng = torch.Generator().manual_seed(3)
    groups = torch.randn(2, 300, 1, generator=rng, dtype=torch.float64) * 0.3
    points = torch.cat([groups[0] - 2, groups[1, :100] + 1])
    start = torch.ones(2).double() / 2, torch.tensor([[-1.0], [0.0]]).double(), torch.ones(2, 1, 1)
    model = (*start[:2], start[2].double())
    for _ in range(30):
        model = em_step(points, *model)
    assert model[0].tolist() == pytest.approx([0.75, 0.25], abs=1e-6)
    assert model[1].flatten().tolist() == pytest.approx([-2, 1], abs=0.1)
    assert model[2].flatten().tolist() == pytest.approx([0.09, 0.09], abs=0.03)


def test_draws_repeat_with_the_seed_and_have_the_moments(model):
    one, two = (
        mixture_samples(20_000, *model, rng=torch.Generator().manual_seed(5)) for _ in range(2)
    )
    assert torch.equal(one, two) and one.shape == (20_000, D)
    mean, covariance = mixture_moments(*model)
    torch.testing.assert_close(one.mean(dim=0), mean, rtol=0, atol=0.1)
    torch.testing.assert_close(torch.cov(one.T), covariance, rtol=0.1, atol=0.1)


def test_bad_input_is_named(model, x):
    with pytest.raises(ValueError, match=r"means \(3, 2\)"):
        component_log_density(torch.zeros(4, 3), *model[1:])
    with pytest.raises(ValueError, match=r"covariances \(3, 2\)"):
        component_log_density(x, model[1], model[2][:, 0])
    with pytest.raises(ValueError, match=r"\(4,\) weights"):
        responsibilities(torch.zeros(2, 3), torch.ones(4) / 4)
