import numpy as np
import pytest
import torch
from torch.distributions import Normal

from genimg_course.maths import (
    importance_log_likelihood,
    importance_weights,
    pathwise_gradient,
    score_function_gradient,
)

NODES, WEIGHTS = (torch.from_numpy(a) for a in np.polynomial.hermite_e.hermegauss(20))
WEIGHTS = WEIGHTS / WEIGHTS.sum()


def mean_and_variance(estimates):
    """Exact moments under ``N(0, 1)`` noise by Gauss-Hermite quadrature."""
    mean = (WEIGHTS * estimates).sum()
    return mean.item(), (WEIGHTS * (estimates - mean) ** 2).sum().item()


@pytest.mark.parametrize("mu", [-1.5, 0.0, 2.0])
def test_the_three_estimators_have_the_same_mean_and_their_stated_variances(mu):
    z = mu + NODES
    path = mean_and_variance(pathwise_gradient(z))
    score = mean_and_variance(score_function_gradient(z, mu))
    best = mean_and_variance(score_function_gradient(z, mu, baseline=mu**2 + 3))
    assert path == pytest.approx((2 * mu, 4))
    assert score == pytest.approx((2 * mu, mu**4 + 14 * mu**2 + 15))
    assert best == pytest.approx((2 * mu, 8 * mu**2 + 6))


def test_no_constant_baseline_beats_the_stated_one():
    variances = [
        mean_and_variance(score_function_gradient(1.2 + NODES, 1.2, baseline=b))[1]
        for b in (1.2**2 + 3, 1.2**2 + 2.5, 1.2**2 + 3.5)
    ]
    assert min(variances) == variances[0]


def test_estimates_are_the_derivatives_of_one_sample():
    mu, eps = torch.tensor(0.7, requires_grad=True), torch.tensor([0.3, -1.1])
    z = (mu + eps).detach()
    by_path = [torch.autograd.grad((mu + e) ** 2, mu)[0].item() for e in eps]
    by_score = [(v**2 * torch.autograd.grad(Normal(mu, 1.0).log_prob(v), mu)[0]).item() for v in z]
    assert pathwise_gradient(z).tolist() == pytest.approx(by_path)
    assert score_function_gradient(z, 0.7).tolist() == pytest.approx(by_score)


def chain(x, q, samples):
    """Log joint and proposal of ``z ~ N(0, 1)``, ``x ~ N(z, 1)``, whose evidence is ``N(0, 2)``."""
    z = q.sample((samples,))
    prior = Normal(torch.zeros_like(z), torch.ones_like(z))
    return prior.log_prob(z) + Normal(z, torch.ones_like(z)).log_prob(x), q.log_prob(z)


def test_importance_weights_of_the_exact_posterior_give_log_p_of_x_at_once():
    torch.manual_seed(0)
    x = torch.tensor([-1.0, 0.5, 3.0], dtype=torch.float64)
    estimate = importance_log_likelihood(*chain(x, Normal(x / 2, 0.5**0.5), 4))
    evidence = Normal(torch.zeros_like(x), 2**0.5).log_prob(x)
    torch.testing.assert_close(estimate, evidence)


def test_estimate_rises_from_the_elbo_to_log_p_of_x():
    torch.manual_seed(0)
    x = torch.full((4000,), 1.5, dtype=torch.float64)
    q = Normal(torch.zeros_like(x), torch.ones_like(x))  # a poor encoder
    evidence = Normal(0.0, 2**0.5).log_prob(torch.tensor(1.5)).item()
    gap = ((1.5 / 2) ** 2 / 0.5 + 1 / 0.5 - 1 - np.log(1 / 0.5)) / 2  # KL(q | posterior)
    means = [importance_log_likelihood(*chain(x, q, k)).mean().item() for k in (1, 4, 64)]
    assert means[0] == pytest.approx(evidence - gap, abs=0.08)
    assert means[0] < means[1] - 0.1 < means[2] - 0.1
    assert means[2] == pytest.approx(evidence, abs=0.05)


def test_importance_estimate_is_the_log_of_the_mean_weight():
    log_joint, log_q = torch.randn(2, 6, 3, generator=torch.Generator().manual_seed(0)).double()
    expected = (log_joint - log_q).exp().mean(dim=0).log()
    torch.testing.assert_close(importance_log_likelihood(log_joint, log_q), expected)
    far = importance_log_likelihood(log_joint - 1e4, log_q)
    torch.testing.assert_close(far, expected - 1e4)


@pytest.mark.parametrize(
    ("shapes", "named"),
    [(((4, 3), (4, 1)), "(4, 1)"), (((4,), (4,)), "(4,)"), (((0, 3), (0, 3)), "(0, 3)")],
)
def test_bad_input_is_named(shapes, named):
    with pytest.raises(ValueError) as error:
        importance_log_likelihood(*(torch.zeros(shape) for shape in shapes))
    assert named in str(error.value)


def test_importance_weights_are_the_gradient_of_the_bound():
    log_joint = torch.tensor([[1.0, -2.0], [0.5, 3.0], [2.0, 0.0]], requires_grad=True)
    log_q = torch.tensor([[0.3, 0.1], [-0.4, 0.2], [1.0, -1.0]])
    importance_log_likelihood(log_joint, log_q).sum().backward()
    torch.testing.assert_close(importance_weights(log_joint.detach(), log_q), log_joint.grad)


def test_importance_weights_survive_tiny_densities_and_refuse_other_shapes():
    shares = importance_weights(torch.full((4, 2), -1e4), torch.zeros(4, 2))
    torch.testing.assert_close(shares, torch.full((4, 2), 0.25))
    with pytest.raises(ValueError, match="log_q"):
        importance_weights(torch.zeros(3, 2), torch.zeros(2, 2))
