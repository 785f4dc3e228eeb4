import math

import pytest
import torch
from torch import nn
from torch.distributions import Normal

from genimg_course.training import likelihood_step


class OneGaussian(nn.Module):
    def __init__(self):
        super().__init__()
        self.mu = nn.Parameter(torch.tensor(0.5))

    def forward(self, x):
        return Normal(self.mu, 1.0).log_prob(x).sum(dim=1)


def test_a_step_goes_down_the_mean_negative_log_likelihood():
    model = OneGaussian()
    x = torch.tensor([[1.0, 2.0], [0.0, 4.0], [3.0, -1.0]])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    losses = likelihood_step(model, optimizer, x)
    assert losses["nll"].item() == pytest.approx(
        math.log(2 * math.pi) + 0.5 * (x - 0.5).square().sum().item() / 3
    )
    # the slope of the mean over examples of the sum over columns
    assert model.mu.item() == pytest.approx(0.5 + 0.1 * (x - 0.5).sum().item() / 3)
    assert not losses["nll"].requires_grad


def test_gradients_do_not_pile_up():
    model, twin = OneGaussian(), OneGaussian()
    x = torch.randn(5, 2)
    one, two = (torch.optim.SGD(m.parameters(), lr=0.1) for m in (model, twin))
    likelihood_step(model, one, x)
    likelihood_step(model, one, x)
    likelihood_step(twin, two, x)
    two.zero_grad(set_to_none=True)
    likelihood_step(twin, two, x)
    assert model.mu.item() == pytest.approx(twin.mu.item())


def test_many_steps_reach_the_mean():
    model = OneGaussian()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.2)
    x = torch.tensor([[1.0, 2.0], [6.0, 3.0]])
    for _ in range(100):
        likelihood_step(model, optimizer, x)
    assert model.mu.item() == pytest.approx(3.0, abs=1e-5)
