import math

import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from genimg_course.maths import (
    batch_norm,
    batch_norm_backward,
    dropout,
    dropout_ridge,
    dropout_variance,
    ridge,
    soft_threshold,
)


@pytest.fixture
def rng():
    return torch.Generator().manual_seed(0)


def normal(rng, *shape):
    return torch.randn(*shape, generator=rng, dtype=torch.float64)


def test_batch_norm_and_its_gradient_agree_with_torchs_layer(rng):
    layer = torch.nn.BatchNorm1d(3).double().train()
    layer.weight.data, layer.bias.data = normal(rng, 2, 3)
    x, grad_y = normal(rng, 8, 3).requires_grad_(), normal(rng, 8, 3)
    y = layer(x)
    y.backward(grad_y)
    gamma, beta, inputs = layer.weight.detach(), layer.bias.detach(), x.detach()
    torch.testing.assert_close(batch_norm(inputs, gamma, beta), y.detach())
    torch.testing.assert_close(batch_norm_backward(inputs, gamma, grad_y), x.grad)


def test_the_gradient_does_not_move_mean_or_scale(rng):
    x, gamma, grad_y = normal(rng, 9, 2), normal(rng, 2), normal(rng, 9, 2)
    gradient = batch_norm_backward(x, gamma, grad_y, eps=0.0)
    torch.testing.assert_close(gradient.sum(dim=0), torch.zeros(2, dtype=torch.float64))
    torch.testing.assert_close((gradient * x).sum(dim=0), torch.zeros(2, dtype=torch.float64))


def test_dropout_scales_like_torchs_layer():
    torch.manual_seed(0)
    x = torch.arange(1.0, 9.0)
    y = torch.nn.functional.dropout(x, 0.25, training=True)
    torch.testing.assert_close(dropout(x, (y != 0).float(), p=0.25), y)


def test_dropout_in_evaluation_changes_nothing():
    x = torch.tensor([1.0, -2.0])
    assert dropout(x, torch.zeros(2), p=0.5, training=False).equal(x)


def test_dropout_without_dropping_changes_nothing():
    x = torch.tensor([1.0, -2.0])
    assert dropout(x, torch.ones(2), p=0.0).equal(x)
    assert dropout_variance(x, p=0.0).equal(torch.zeros(2))


def test_the_variance_of_dropout_is_that_of_many_masks(rng):
    keep = (torch.rand(200_000, 1, generator=rng) > 0.3).double()
    x = torch.full_like(keep, 2.5)
    dropped = dropout(x, keep, p=0.3)
    expected = dropout_variance(x[:1], p=0.3).item()
    assert dropped.mean().item() == pytest.approx(2.5, abs=0.02)
    assert dropped.var().item() == pytest.approx(expected, rel=0.02)


def test_ridge_agrees_with_scipys_minimiser(rng):
    x, y = normal(rng, 10, 3), normal(rng, 10)
    penalty = torch.tensor([0.5, 2.0, 0.0], dtype=torch.float64)

    def loss(w):
        return ((y.numpy() - x.numpy() @ w) ** 2).sum() + (penalty.numpy() * w**2).sum()

    best = minimize(loss, np.zeros(3), tol=1e-12).x
    np.testing.assert_allclose(ridge(x, y, penalty=penalty).numpy(), best, atol=1e-5)


def test_ridge_without_penalty_is_least_squares(rng):
    x, y = normal(rng, 6, 2), normal(rng, 6)
    expected = torch.linalg.lstsq(x, y[:, None]).solution[:, 0]
    zero = torch.zeros(2, dtype=torch.float64)
    torch.testing.assert_close(ridge(x, y, penalty=zero), expected)
    torch.testing.assert_close(dropout_ridge(x, y, p=0.0), expected)


def test_dropout_on_orthogonal_inputs_shrinks_by_what_is_kept():
    x, y = 3 * torch.eye(2, dtype=torch.float64), torch.tensor([6.0, -3.0], dtype=torch.float64)
    torch.testing.assert_close(dropout_ridge(x, y, p=0.25), 0.75 * y / 3)


def test_soft_threshold_agrees_with_a_search_and_with_torch(rng):
    z = normal(rng, 20)
    grid = torch.linspace(-4, 4, 80_001, dtype=torch.float64)
    loss = 0.5 * (grid - z[:, None]).square() + 0.6 * grid.abs()
    found = soft_threshold(z, 0.6)
    torch.testing.assert_close(found, grid[loss.argmin(dim=1)], atol=1e-4, rtol=0)
    torch.testing.assert_close(found, torch.nn.functional.softshrink(z, 0.6))


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: batch_norm(torch.ones(3), torch.ones(1), torch.ones(1)), "(3,)"),
        (lambda: batch_norm(torch.ones(3, 2), torch.ones(3), torch.ones(2)), "gamma (3,)"),
        (
            lambda: batch_norm_backward(torch.ones(3, 2), torch.ones(2), torch.ones(2, 3)),
            "grad_y (2, 3)",
        ),
        (lambda: dropout(torch.ones(3), torch.ones(2), p=0.1), "keep (2,)"),
        (lambda: dropout(torch.ones(3), torch.ones(3), p=1.0), "p is 1.0"),
        (lambda: dropout_variance(torch.ones(3), p=math.nan), "p is nan"),
        (lambda: ridge(torch.ones(3, 2), torch.ones(2), penalty=torch.ones(2)), "y (2,)"),
        (lambda: ridge(torch.ones(3, 2), torch.ones(3), penalty=-torch.ones(2)), "-1"),
        (lambda: soft_threshold(torch.ones(3), -0.1), "threshold is -0.1"),
    ],
)
def test_bad_input_is_named(call, named):
    with pytest.raises(ValueError) as error:
        call()
    assert named in str(error.value)
