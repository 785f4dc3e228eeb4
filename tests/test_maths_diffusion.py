import math

import pytest
import torch
from torch.distributions import MultivariateNormal, Normal, kl_divergence

from genimg_course.maths import (
    alpha_bars,
    cosine_betas,
    denoising_kl,
    epsilon_weight,
    ideal_epsilon,
    posterior_mean,
    posterior_mean_from_epsilon,
    posterior_variance,
    predict_epsilon,
    predict_x0,
    q_sample,
    score_from_epsilon,
)

BARS = alpha_bars(cosine_betas(30))


def draws(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_walking_through_the_steps_gives_the_law_of_one_large_step():
    rng = torch.Generator().manual_seed(0)
    x = torch.full((100_000,), 1.5, dtype=torch.float64)
    for beta in cosine_betas(30)[:12]:
        noise = torch.randn(x.shape, generator=rng, dtype=torch.float64)
        x = (1 - beta).sqrt() * x + beta.sqrt() * noise
    assert x.mean().item() == pytest.approx(1.5 * BARS[12].sqrt().item(), abs=0.01)
    assert x.var().item() == pytest.approx(1 - BARS[12].item(), abs=0.01)


def test_no_noise_and_only_noise():
    x0, epsilon = draws(0, 2, 1, 3, 3), draws(1, 2, 1, 3, 3)
    share = torch.tensor([1.0, 0.0])
    assert q_sample(x0, epsilon, share).equal(torch.stack([x0[0], epsilon[1]]))


def test_predictions_undo_the_sample_in_single_precision():
    x0, epsilon = draws(0, 3, 2, 4, 4).float(), draws(1, 3, 2, 4, 4).float()
    share = BARS[torch.tensor([3, 12, 25])]
    x_t = q_sample(x0, epsilon, share)
    assert x_t.dtype == torch.float32
    torch.testing.assert_close(predict_x0(x_t, epsilon, share), x0, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(predict_epsilon(x_t, x0, share), epsilon, atol=1e-4, rtol=1e-4)


def test_the_posterior_is_the_conditional_of_a_joint_gaussian():
    bar, prev, x0, x_t = 0.3, 0.45, 0.7, -0.4
    alpha = bar / prev
    # (x_{t-1}, x_t) given x_0
    cov = torch.tensor([[1 - prev, math.sqrt(alpha) * (1 - prev)], [0.0, 1 - bar]]).double()
    mean = math.sqrt(prev) * x0 + cov[0, 1] / cov[1, 1] * (x_t - math.sqrt(bar) * x0)
    variance = cov[0, 0] - cov[0, 1] ** 2 / cov[1, 1]
    shares = torch.tensor(bar).double(), torch.tensor(prev).double()
    points = torch.tensor([[x0]]).double(), torch.tensor([[x_t]]).double()
    torch.testing.assert_close(posterior_mean(*points, *shares)[0, 0], mean)
    torch.testing.assert_close(posterior_variance(*shares), variance)


def test_both_means_agree_and_the_first_step_ends_in_the_image():
    x0, epsilon = draws(0, 3, 5), draws(1, 3, 5)
    for t in (1, 2, 29):
        x_t = q_sample(x0, epsilon, BARS[t])
        mean = posterior_mean(x0, x_t, BARS[t], BARS[t - 1])
        other = posterior_mean_from_epsilon(x_t, epsilon, BARS[t], BARS[t - 1])
        torch.testing.assert_close(mean, other)
        if t == 1:
            torch.testing.assert_close(mean, x0)


def test_the_term_of_the_bound_is_a_kl_divergence():
    epsilon, guess = draws(0, 4, 2, 3), draws(1, 4, 2, 3)
    t = torch.tensor([2, 5, 17, 30])
    bar, prev = BARS[t], BARS[t - 1]
    sigma2 = 1 - bar / prev  # the larger of the two usual choices
    x_t = draws(2, 4, 2, 3)
    laws = [
        Normal(posterior_mean_from_epsilon(x_t, e, bar, prev), v.sqrt()[:, None, None])
        for e, v in ((epsilon, posterior_variance(bar, prev)), (guess, sigma2))
    ]
    expected = kl_divergence(*laws).sum(dim=(1, 2))
    torch.testing.assert_close(denoising_kl(epsilon, guess, bar, prev, sigma2), expected)
    exact = denoising_kl(epsilon, epsilon, bar, prev, posterior_variance(bar, prev))
    torch.testing.assert_close(exact, torch.zeros(4, dtype=torch.float64))


def test_the_weights_of_the_bound_are_far_from_one():
    weight = epsilon_weight(BARS[2:], BARS[1:-1], posterior_variance(BARS[2:], BARS[1:-1]))
    assert weight[0] > 10 * weight[15]


def test_the_ideal_noise_of_one_image_is_its_noise():
    x0, epsilon = draws(0, 1, 2, 3), draws(1, 1, 2, 3)
    x_t = q_sample(x0, epsilon, BARS[9])
    torch.testing.assert_close(ideal_epsilon(x_t, x0, BARS[9]), epsilon)


def test_the_ideal_noise_is_the_gradient_of_the_log_density():
    data, x = draws(0, 5, 3), draws(1, 4, 3).requires_grad_()
    bar = BARS[12]
    laws = MultivariateNormal(bar.sqrt() * data, (1 - bar) * torch.eye(3).double())
    torch.logsumexp(laws.log_prob(x[:, None]), dim=1).sum().backward()
    found = score_from_epsilon(ideal_epsilon(x.detach(), data, bar), bar)
    torch.testing.assert_close(found, x.grad)


def test_the_ideal_noise_is_the_best_prediction_on_its_images():
    data = draws(0, 6, 2)
    rng = torch.Generator().manual_seed(1)
    x0 = data[torch.randint(6, (20_000,), generator=rng)]
    epsilon = draws(2, 20_000, 2)
    x_t = q_sample(x0, epsilon, BARS[12])
    best = ideal_epsilon(x_t, data, BARS[12])
    loss = (best - epsilon).square().mean()
    for rival in (0.9 * best, best + 0.1, ideal_epsilon(x_t, data[1:], BARS[12])):
        assert loss < (rival - epsilon).square().mean()


X = torch.ones(3, 2)


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: q_sample(X, X[:1], BARS[3]), "epsilon (1, 2)"),
        (lambda: q_sample(X, X, BARS[:2]), "(2,)"),
        (lambda: q_sample(X, X, BARS[:3, None]), "(3, 1)"),
        (lambda: q_sample(X, X, torch.tensor(1.5)), "1.5"),
        (lambda: predict_x0(X, X[:, :1], BARS[3]), "(3, 1)"),
        (lambda: predict_epsilon(X, X[:, :1], BARS[3]), "(3, 1)"),
        (lambda: score_from_epsilon(X, BARS[:2]), "(2,)"),
        (lambda: posterior_mean(X, X[:2], BARS[3], BARS[2]), "x_t (2, 2)"),
        (lambda: posterior_mean_from_epsilon(X, X[:2], BARS[3], BARS[2]), "(2, 2)"),
        (lambda: posterior_variance(BARS[3], BARS[:2]), "alpha_bar_prev (2,)"),
        (lambda: epsilon_weight(BARS[3], BARS[2], BARS[:2]), "variance (2,)"),
        (lambda: denoising_kl(X, X[:2], BARS[3], BARS[2], BARS[2]), "(2, 2)"),
        (lambda: ideal_epsilon(X, torch.ones(4, 3), BARS[3]), "data (4, 3)"),
    ],
)
def test_bad_input_is_named(call, named):
    with pytest.raises(ValueError) as error:
        call()
    assert named in str(error.value)
