import itertools
import math

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp

from genimg_course.maths import (
    ddim_sigma,
    ddim_step,
    euler_step,
    guided,
    heun_step,
    ideal_epsilon,
    predict_x0,
    q_sample,
    reverse_drift,
)


def draws(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


BAR, PREV = torch.tensor([0.3, 0.8], dtype=torch.float64)


def test_with_the_true_noise_a_deterministic_step_stays_on_its_path():
    x0, epsilon = draws(0, 2, 1, 3, 3), draws(1, 2, 1, 3, 3)
    found = ddim_step(q_sample(x0, epsilon, BAR), epsilon, BAR, PREV)
    torch.testing.assert_close(found, q_sample(x0, epsilon, PREV))


def test_the_last_step_returns_the_predicted_image():
    x_t, epsilon = draws(0, 2, 4), draws(1, 2, 4)
    found = ddim_step(x_t, epsilon, BAR, torch.tensor(1.0))
    torch.testing.assert_close(found, predict_x0(x_t, epsilon, BAR))


def test_fresh_noise_has_the_spread_that_was_asked_for():
    x_t, epsilon = torch.zeros(50_000, 1).double(), torch.zeros(50_000, 1).double()
    end = ddim_step(x_t, epsilon, BAR, PREV, eta=0.6, noise=draws(2, 50_000, 1))
    expected = 0.6 * math.sqrt(0.2 / 0.7 * (1 - 0.3 / 0.8))
    assert ddim_sigma(BAR, PREV, eta=0.6).item() == pytest.approx(expected, abs=1e-12)
    assert end.std().item() == pytest.approx(expected, rel=0.02)


def test_many_steps_reach_the_data():
    data = draws(3, 4, 2)
    noise = torch.linspace(30, 0.02, 200).double()
    bars = 1 / (1 + noise**2)
    x = draws(4, 8, 2)
    for bar, prev in itertools.pairwise(bars):
        x = ddim_step(x, ideal_epsilon(x, data, bar), bar, prev)
    assert torch.cdist(x, data).min(dim=1).values.max() < 0.1


def test_drifts_of_a_gaussian_bring_its_variance_back():
    data, beta, dt = 0.25, torch.tensor(2.0).double(), 2.5e-3
    for noise in (0.0, 1.0):
        x = draws(5, 8_000, 1)
        start = data * math.exp(-2.0) + 1 - math.exp(-2.0)
        x = x * math.sqrt(start)
        for k in range(400):
            bar = math.exp(-2.0 * (1 - k * dt))
            score = -x / (data * bar + 1 - bar)
            drift = reverse_drift(x, score, beta, noise=noise)
            x = x - dt * drift + noise * math.sqrt(2.0 * dt) * draws(100 + k, 8_000, 1)
        assert x.var().item() == pytest.approx(data, rel=0.08)


def test_guidance_of_zero_is_the_conditional_model_and_minus_one_the_other():
    c, u = draws(0, 2, 3), draws(1, 2, 3)
    assert guided(c, u, scale=0.0).equal(c)
    torch.testing.assert_close(guided(c, u, scale=-1.0), u)
    torch.testing.assert_close(guided(c, u, scale=2.0) - c, 2 * (c - u))


@pytest.mark.parametrize(("step", "order"), [(euler_step, 1), (heun_step, 2)])
def test_halving_the_step_divides_the_error_by_two_or_four(step, order):
    def velocity(x, t):
        return torch.cos(x) * (1 + t)

    exact = solve_ivp(
        lambda t, x: np.cos(x) * (1 + t), (0.0, 1.0), [0.2], rtol=1e-11, atol=1e-12
    ).y[0, -1]
    errors = []
    for count in (40, 80):
        x, dt = torch.tensor([0.2]).double(), torch.tensor(1 / count).double()
        for k in range(count):
            x = step(velocity, x, k * dt, dt)
        errors.append(abs(x.item() - exact))
    assert math.log2(errors[0] / errors[1]) == pytest.approx(order, abs=0.1)


X = torch.ones(3, 2)


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: ddim_sigma(BAR, PREV, eta=1.5), "eta is 1.5"),
        (lambda: ddim_step(X, X, BAR, PREV, eta=0.5), "noise is missing"),
        (lambda: ddim_step(X, X, BAR, PREV, noise=X), "noise is given"),
        (lambda: ddim_step(X, X[:2], BAR, PREV), "(2, 2)"),
        (lambda: reverse_drift(X, X[:2], BAR), "score (2, 2)"),
        (lambda: reverse_drift(X, X, BAR, noise=-1.0), "noise is -1.0"),
        (lambda: guided(X, X[:2], scale=1.0), "unconditional (2, 2)"),
    ],
)
def test_bad_input_is_named(call, named):
    with pytest.raises(ValueError) as error:
        call()
    assert named in str(error.value)
