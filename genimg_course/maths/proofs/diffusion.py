"""Proofs about diffusion: its forward law, its posterior, its bound and its score."""

from __future__ import annotations

import math

import sympy
import torch
from torch import Tensor
from torch.distributions import Normal
from torch.distributions import kl_divergence as exact_kl

from genimg_course.maths import diffusion, gaussians, schedules
from genimg_course.maths.proofs import numerics as n
from genimg_course.maths.proofs.engine import Check, Proof

__all__ = ["PROOFS", "ROWS"]


def _images(seed: int) -> Tensor:
    return n.normal(seed, 3, 2, 4, 5)


BARS, PREVS = n.float64([0.2, 0.55, 0.9]), n.float64([0.4, 0.6, 0.97])
"""What is left of three images at a step and at the step before."""


def _schedules() -> float:
    linear = schedules.linear_betas(7)
    steps = [1e-4 + (0.02 - 1e-4) * k / 6 for k in range(7)]
    other = schedules.linear_betas(3, first=0.1, last=0.4)
    worst = max(n.gap(linear, n.float64(steps)), n.gap(other, n.float64([0.1, 0.25, 0.4])))
    for offset, most in ((0.008, 0.999), (0.1, 0.9)):
        plain = (offset, most) == (0.008, 0.999)
        betas = schedules.cosine_betas(9, **({} if plain else {"offset": offset, "most": most}))
        angles = [(t / 9 + offset) / (1 + offset) * math.pi / 2 for t in range(10)]
        left = n.float64([math.cos(a) ** 2 / math.cos(angles[0]) ** 2 for a in angles])
        found = schedules.alpha_bars(betas)
        capped = betas[-1].item() == most  # the cosine ends at zero, so the last step is capped
        worst = max(worst, n.gap(found[:-1], left[:-1]), 0.0 if capped else math.inf)
        worst = max(worst, abs(found[-1].item() - left[-2].item() * (1 - most)))
    return worst


def _chain_of_steps() -> float:
    x0 = _images(1)
    worst = 0.0
    for betas in (schedules.linear_betas(20, first=0.01, last=0.3), schedules.cosine_betas(20)):
        bars = schedules.alpha_bars(betas)
        mean, variance = 1.0, 0.0  # the law of x_t given x_0, one step after the other
        for t in range(21):
            if t > 0:
                beta = betas[t - 1].item()
                mean = math.sqrt(1 - beta) * mean
                variance = (1 - beta) * variance + beta
            centre = diffusion.q_sample(x0, torch.zeros_like(x0), bars[t])
            spread = diffusion.q_sample(torch.zeros_like(x0), x0, bars[t])
            worst = max(worst, n.gap(centre, mean * x0), n.gap(spread, math.sqrt(variance) * x0))
    return worst


def _one_share_per_example() -> float:
    x0, epsilon = _images(1), _images(2)
    found = diffusion.q_sample(x0, epsilon, BARS)
    rows = [
        math.sqrt(bar) * a + math.sqrt(1 - bar) * e
        for bar, a, e in zip(BARS.tolist(), x0, epsilon, strict=True)
    ]
    return n.gap(found, torch.stack(rows))


def _same_thing_in_other_words() -> float:
    x0, epsilon = _images(1), _images(2)
    x_t = diffusion.q_sample(x0, epsilon, BARS)
    normal = Normal(
        BARS.sqrt().view(3, 1, 1, 1) * x0, (1 - BARS).sqrt().view(3, 1, 1, 1).expand_as(x0)
    )
    at = x_t.clone().requires_grad_()
    (score,) = torch.autograd.grad(normal.log_prob(at).sum(), at)
    return max(
        n.gap(diffusion.predict_x0(x_t, epsilon, BARS), x0),
        n.gap(diffusion.predict_epsilon(x_t, x0, BARS), epsilon),
        n.gap(diffusion.score_from_epsilon(epsilon, BARS), score),
    )


def _symbols() -> tuple[sympy.Symbol, ...]:
    x_0, x_t, x, epsilon = sympy.symbols("x_0 x_t x epsilon", real=True)
    alpha, prev = sympy.symbols("alpha abar", positive=True)
    return x_0, x_t, x, epsilon, alpha, prev


def _posterior_in_symbols() -> float:
    x_0, x_t, x, epsilon, alpha, prev = _symbols()
    beta, bar = 1 - alpha, alpha * prev
    exponent = sympy.expand(
        -((x_t - sympy.sqrt(alpha) * x) ** 2) / (2 * beta)
        - (x - sympy.sqrt(prev) * x_0) ** 2 / (2 * (1 - prev))
    )
    precision, slope = -2 * exponent.coeff(x, 2), exponent.coeff(x, 1)
    mean = sympy.sqrt(prev) * beta / (1 - bar) * x_0
    mean += sympy.sqrt(alpha) * (1 - prev) / (1 - bar) * x_t
    clean = (x_t - sympy.sqrt(1 - bar) * epsilon) / sympy.sqrt(bar)
    return n.exact(
        1 / precision - (1 - prev) / (1 - bar) * beta,
        slope / precision - mean,
        mean.subs(x_0, clean) - (x_t - beta / sympy.sqrt(1 - bar) * epsilon) / sympy.sqrt(alpha),
    )


def _posterior_by_bayes() -> float:
    grid = torch.linspace(-12, 12, 2001, dtype=torch.float64)
    x0, epsilon = n.normal(3, 3), n.normal(4, 3)
    x_t = diffusion.q_sample(x0, epsilon, BARS)
    alpha = BARS / PREVS
    forward = Normal(alpha.sqrt()[:, None] * grid, (1 - alpha).sqrt()[:, None])
    before = Normal((PREVS.sqrt() * x0)[:, None], (1 - PREVS).sqrt()[:, None])
    weight = torch.softmax(forward.log_prob(x_t[:, None]) + before.log_prob(grid), dim=1)
    mean = weight @ grid
    variance = (weight * (grid - mean[:, None]) ** 2).sum(dim=1)
    return max(
        n.gap(diffusion.posterior_mean(x0, x_t, BARS, PREVS), mean),
        n.gap(diffusion.posterior_mean_from_epsilon(x_t, epsilon, BARS, PREVS), mean),
        n.gap(diffusion.posterior_variance(BARS, PREVS), variance),
    )


def _posterior_of_images() -> float:
    x0, epsilon = _images(1), _images(2)
    x_t = diffusion.q_sample(x0, epsilon, BARS)
    one = torch.ones_like(BARS)  # the step before the first one is the image itself
    return max(
        n.gap(
            diffusion.posterior_mean(x0, x_t, BARS, PREVS),
            diffusion.posterior_mean_from_epsilon(x_t, epsilon, BARS, PREVS),
        ),
        n.gap(diffusion.posterior_mean(x0, x_t, BARS, one), x0),
        diffusion.posterior_variance(BARS, one).abs().max().item(),
    )


def _weight_in_symbols() -> float:
    _, x_t, _, epsilon, alpha, prev = _symbols()
    beta, bar = 1 - alpha, alpha * prev
    guess, sigma = sympy.symbols("epsilonhat sigma", positive=True)
    means = [(x_t - beta / sympy.sqrt(1 - bar) * e) / sympy.sqrt(alpha) for e in (epsilon, guess)]
    weight = beta**2 / (2 * sigma**2 * alpha * (1 - bar))
    return n.exact((means[0] - means[1]) ** 2 / (2 * sigma**2) - weight * (epsilon - guess) ** 2)


def _term_of_the_bound() -> float:
    x0, epsilon, guess = _images(1), _images(2), _images(3)
    variance = n.float64([0.3, 0.1, 0.05])
    x_t = diffusion.q_sample(x0, epsilon, BARS)
    means = [
        diffusion.posterior_mean(x0, x_t, BARS, PREVS),
        diffusion.posterior_mean_from_epsilon(x_t, guess, BARS, PREVS),
    ]
    spreads = [diffusion.posterior_variance(BARS, PREVS), variance]
    laws = [Normal(m, s.sqrt().view(3, 1, 1, 1)) for m, s in zip(means, spreads, strict=True)]
    expected = exact_kl(*laws).flatten(1).sum(dim=1)
    found = diffusion.denoising_kl(epsilon, guess, BARS, PREVS, variance)
    return n.gap(found, expected)


def _bound(x0: float, scale: float) -> tuple[float, float]:
    """Return the bound and the exact -log p of a linear model; ``scale`` 1 is the best model."""
    data = 1.7**2
    bars = schedules.alpha_bars(schedules.linear_betas(12, first=0.02, last=0.4))
    spread = bars * data + 1 - bars  # variance of x_t
    epsilon, weight = n.gauss_hermite(3)
    clean = torch.full_like(epsilon, x0)
    prior = Normal(0.0, spread[-1].sqrt())
    total = exact_kl(Normal(bars[-1].sqrt() * x0, (1 - bars[-1]).sqrt()), prior).item()
    model = spread[-1]  # variance of the model's x_t
    for t in range(12, 0, -1):
        bar, prev = bars[t], bars[t - 1]
        x_t = diffusion.q_sample(clean, epsilon, bar)
        factor = scale * (1 - bar).sqrt() / spread[t]
        variance = spread[t - 1] * (1 - bar / prev) / spread[t]
        if t > 1:
            term = diffusion.denoising_kl(epsilon, factor * x_t, bar, prev, variance)
        else:
            mean = diffusion.posterior_mean_from_epsilon(x_t, factor * x_t, bar, prev)
            logvar = variance.log().expand_as(mean)
            term = -gaussians.gaussian_log_density(clean, mean, logvar)
        total += (weight @ term).item()
        slope = (1 - (1 - bar / prev) * factor / (1 - bar).sqrt()) / (bar / prev).sqrt()
        model = slope**2 * model + variance
    return total, -Normal(0.0, model.sqrt()).log_prob(n.float64(x0)).item()


def _bound_holds() -> float:
    worst = 0.0
    for x0 in (0.9, -2.3):
        bound, exact = _bound(x0, 1.0)
        truth = -Normal(0.0, n.float64(1.7)).log_prob(n.float64(x0)).item()
        worst = max(worst, abs(bound - exact), abs(exact - truth))
        for scale in (0.7, 1.2):  # a spoiled model still has its bound, and a gap
            bound, exact = _bound(x0, scale)
            worst = worst if bound > exact + 1e-3 else math.inf
    return worst


GRID = torch.linspace(-12, 12, 1201, dtype=torch.float64)[:, None]
ATOMS = n.float64([[-2.0], [0.5], [2.5]])
BAR = n.float64(0.4)


def _log_density(x: Tensor, data: Tensor, bar: Tensor) -> Tensor:
    """Return log q(x_t) in nats when the data are these points, ``(B,)``."""
    distance = (x.flatten(1)[:, None] - bar.sqrt() * data.flatten(1)).square().sum(dim=2)
    dims = data[0].numel()
    normalise = math.log(len(data)) + dims / 2 * torch.log(2 * math.pi * (1 - bar))
    return torch.logsumexp(-distance / (2 * (1 - bar)), dim=1) - normalise


def _score_of_the_data() -> float:
    data, x = n.normal(5, 4, 2, 3), 1.5 * n.normal(6, 3, 2, 3)
    worst = 0.0
    for bars in (BARS, n.float64(0.3)):
        scores = []
        for i, row in enumerate(x):
            at = row[None].clone().requires_grad_()
            bar = bars[i] if bars.ndim else bars
            scores.append(torch.autograd.grad(_log_density(at, data, bar).sum(), at)[0])
        epsilon = diffusion.ideal_epsilon(x, data, bars)
        found = diffusion.score_from_epsilon(epsilon, bars)
        worst = max(worst, n.gap(found, torch.cat(scores)))
    return worst


def _score_losses(theta: Tensor) -> tuple[Tensor, Tensor]:
    """Return the denoising loss and the loss against the true score, by the trapezoid rule."""
    step = GRID[1, 0] - GRID[0, 0]
    model = theta[0] + theta[1] * GRID + theta[2] * torch.tanh(GRID)
    true = diffusion.score_from_epsilon(diffusion.ideal_epsilon(GRID, ATOMS, BAR), BAR)
    explicit = _log_density(GRID, ATOMS, BAR).exp() @ (model - true).square()
    denoising = torch.zeros(1, dtype=torch.float64)
    for atom in ATOMS:
        density = _log_density(GRID, atom[None], BAR).exp() / len(ATOMS)
        epsilon = diffusion.predict_epsilon(GRID, atom.expand_as(GRID), BAR)
        score = diffusion.score_from_epsilon(epsilon, BAR)
        denoising = denoising + density @ (model - score).square()
    return denoising[0] * step, explicit[0] * step


def _denoising_score_matching() -> float:
    thetas = n.normal(7, 4, 3)
    gaps = torch.stack([torch.stack(_score_losses(theta)) for theta in thetas])
    difference = gaps[:, 0] - gaps[:, 1]
    slopes = torch.autograd.functional.jacobian(
        lambda theta: torch.stack(_score_losses(theta)), thetas[0]
    )
    spread = (difference - difference[0]).abs().max().item()
    # with a model that is zero everywhere the losses are the two parts of the constant
    silent = torch.stack(_score_losses(torch.zeros(3, dtype=torch.float64)))
    inside = abs(silent[0].item() - 1 / (1 - BAR.item()))  # E |eps|^2 / (1 - abar)
    return max(spread, inside, n.gap(slopes[0], slopes[1]))


HO = "https://arxiv.org/abs/2006.11239"

PROOFS = (
    Proof(
        id="diffusion.schedule",
        title="A schedule says how much of the image is left",
        statement=r"""\bar\alpha_t = \prod_{s \le t} (1 - \beta_s), \qquad
            \beta_t^{\text{cosine}} = \min\left( 1 - \frac{f(t)}{f(t-1)},\ \beta_{max} \right)
            \;\Rightarrow\; \bar\alpha_t = \frac{f(t)}{f(0)} \;\text{ for } t < T""",
        assumptions=r"$f(t) = \cos^2\left( \frac{t/T + s}{1 + s} \cdot \frac\pi2 \right)$; the "
        r"linear schedule spaces the $\beta_t$ evenly. $\bar\alpha_0 = 1$.",
        source="Nichol and Dhariwal (2021), equation 17, https://arxiv.org/abs/2102.09672",
        checks=(Check("enumeration", "both schedules, two settings each", _schedules, 1e-12),),
    ),
    Proof(
        id="diffusion.forward",
        title="Many small steps of noise are one large step",
        statement=r"""x_t = \sqrt{1 - \beta_t}\, x_{t-1} + \sqrt{\beta_t}\, \epsilon_t
            \;\Rightarrow\; q(x_t \mid x_0) = \mathcal N\left( \sqrt{\bar\alpha_t}\, x_0,\
            (1 - \bar\alpha_t) I \right)""",
        assumptions=r"$\epsilon_t \sim \mathcal N(0, I)$, independent; "
        r"$\bar\alpha_t = \prod_{s \le t} (1 - \beta_s)$.",
        source=f"Ho, Jain and Abbeel (2020), equation 4, {HO}",
        checks=(
            Check(
                "enumeration",
                "mean and variance through 20 steps of both schedules",
                _chain_of_steps,
                1e-12,
            ),
            Check("enumeration", "another step for each image", _one_share_per_example, 1e-12),
        ),
    ),
    Proof(
        id="diffusion.three_predictions",
        title="Clean image, noise and score say the same thing",
        statement=r"""x_0 = \frac{x_t - \sqrt{1 - \bar\alpha_t}\, \epsilon}{\sqrt{\bar\alpha_t}},
            \qquad \epsilon = \frac{x_t - \sqrt{\bar\alpha_t}\, x_0}{\sqrt{1 - \bar\alpha_t}},
            \qquad \nabla_{x_t} \log q(x_t \mid x_0) = -\frac{\epsilon}{\sqrt{1 - \bar\alpha_t}}""",
        assumptions=r"$x_t = \sqrt{\bar\alpha_t}\, x_0 + \sqrt{1 - \bar\alpha_t}\, \epsilon$ with "
        r"$0 < \bar\alpha_t < 1$.",
        source="Vincent (2011), https://doi.org/10.1162/NECO_a_00142; "
        f"Ho, Jain and Abbeel (2020), equation 15, {HO}",
        checks=(
            Check(
                "autograd",
                "images made with known noise, and the gradient of their log density",
                _same_thing_in_other_words,
                1e-12,
            ),
        ),
    ),
    Proof(
        id="diffusion.posterior",
        title="The step before, once the clean image is known, is Gaussian",
        statement=r"""\begin{aligned}
            \tilde\mu_t &= \frac{\sqrt{\bar\alpha_{t-1}}\, \beta_t}{1 - \bar\alpha_t}\, x_0
            + \frac{\sqrt{\alpha_t} (1 - \bar\alpha_{t-1})}{1 - \bar\alpha_t}\, x_t
            = \frac{1}{\sqrt{\alpha_t}} \left( x_t
            - \frac{\beta_t}{\sqrt{1 - \bar\alpha_t}}\, \epsilon \right), \\
            \tilde\beta_t &= \frac{1 - \bar\alpha_{t-1}}{1 - \bar\alpha_t}\, \beta_t
            \end{aligned}""",
        assumptions=r"$q(x_{t-1} \mid x_t, x_0) = \mathcal N(\tilde\mu_t, \tilde\beta_t I)$, "
        r"$\alpha_t = 1 - \beta_t$; the first step ends in $x_0$, without variance.",
        source=f"Ho, Jain and Abbeel (2020), equations 6, 7 and 10, {HO}",
        checks=(
            Check("SymPy identity", "the square completed", _posterior_in_symbols, 0),
            Check("quadrature", "Bayes' rule on a grid, three steps", _posterior_by_bayes, 1e-10),
            Check(
                "enumeration",
                "both forms on images, and the first step",
                _posterior_of_images,
                1e-12,
            ),
        ),
    ),
    Proof(
        id="diffusion.bound",
        title="The noise-prediction loss is a weighted bound on the likelihood",
        statement=r"""-\log p(x_0) \le L_T + \sum_{t=2}^T L_{t-1} + L_0, \qquad
            L_{t-1} = \mathbb E\left[ \frac{\beta_t^2}{2 \sigma_t^2 \alpha_t (1 - \bar\alpha_t)}
            \lVert \epsilon - \hat\epsilon \rVert^2 \right]
            + \frac D2 \left( \frac{\tilde\beta_t}{\sigma_t^2} - 1
            - \log \frac{\tilde\beta_t}{\sigma_t^2} \right)""",
        assumptions=r"Gaussian reverse steps with variance $\sigma_t^2$; $D$ numbers per image. "
        r"$p$ is the model; equality holds for Gaussian data and the exact reverse steps. The "
        "simple loss sets all weights to one and is no bound.",
        source=f"Ho, Jain and Abbeel (2020), equations 5, 12 and 14, {HO}; "
        "Sohl-Dickstein et al. (2015), https://arxiv.org/abs/1503.03585",
        checks=(
            Check("SymPy identity", "the weight of an error", _weight_in_symbols, 0),
            Check(
                "enumeration",
                "the KL divergence of both Gaussians on images",
                _term_of_the_bound,
                1e-10,
            ),
            Check(
                "quadrature",
                "12 linear steps on Gaussian data: equal if they are exact, larger if spoiled",
                _bound_holds,
                1e-10,
            ),
        ),
    ),
    Proof(
        id="diffusion.score_matching",
        title="Predicting the noise teaches the score",
        statement=r"""\begin{aligned}
            \mathbb E \lVert s_\theta(x_t) - \nabla \log q(x_t \mid x_0) \rVert^2
            &= \mathbb E \lVert s_\theta(x_t) - \nabla \log q(x_t) \rVert^2 + C, \\
            \mathbb E[\epsilon \mid x_t] &= -\sqrt{1 - \bar\alpha_t}\; \nabla \log q(x_t)
            \end{aligned}""",
        assumptions=r"$C$ does not depend on $\theta$, so both losses have the same gradient; "
        r"$0 < \bar\alpha_t < 1$.",
        source="Vincent (2011), https://doi.org/10.1162/NECO_a_00142; "
        "Song and Ermon (2019), https://arxiv.org/abs/1907.05600",
        checks=(
            Check(
                "autograd",
                "the gradient of the log density at three noisy images",
                _score_of_the_data,
                1e-10,
            ),
            Check(
                "quadrature",
                "three points with noise: values and gradients of both losses",
                _denoising_score_matching,
                1e-9,
            ),
        ),
    ),
)

ROWS = {
    "D44": ("diffusion.forward", "diffusion.schedule"),
    "D45": ("diffusion.posterior",),
    "D46": ("diffusion.bound",),
    "D47": ("diffusion.score_matching", "diffusion.three_predictions"),
}
