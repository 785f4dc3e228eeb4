"""Proofs about the ways back: DDIM, the reverse equations, guidance, flows and solvers."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import sympy
import torch
from torch import Tensor

from genimg_course.maths import diffusion, flow_matching, samplers
from genimg_course.maths.proofs import numerics as n
from genimg_course.maths.proofs.engine import Check, Proof

__all__ = ["PROOFS", "ROWS"]

ATOMS = n.float64([[-1.5], [0.4], [2.0]])
"""A data set of three numbers."""


def _slope(y: Tensor, x: Tensor) -> Tensor:
    """Return the derivative of each ``y`` for its own ``x``, ready to be differentiated again."""
    return torch.autograd.grad(y.sum(), x, create_graph=True)[0]


def _marginals_of_ddim() -> float:
    nodes, weight = n.gauss_hermite(3, 2)
    epsilon, noise = nodes[:, :1], nodes[:, 1:]
    x0 = torch.full_like(epsilon, 0.8)
    worst = 0.0
    for bar, prev in ((0.3, 0.7), (0.05, 0.06)):
        x_t = diffusion.q_sample(x0, epsilon, n.float64(bar))
        ends = [samplers.ddim_step(x_t, epsilon, n.float64(bar), n.float64(prev))]
        for eta in (0.4, 1.0):
            ends.append(
                samplers.ddim_step(
                    x_t, epsilon, n.float64(bar), n.float64(prev), eta=eta, noise=noise
                )
            )
        for end in ends:
            mean = weight @ end
            moments = torch.cat([mean, weight @ (end - mean).square()])
            expected = n.float64([math.sqrt(prev) * 0.8, 1 - prev])
            worst = max(worst, n.gap(moments, expected))
    return worst


def _ancestral_step() -> float:
    x0, epsilon, noise = n.normal(1, 3, 4, 2, 3)
    bar, prev = n.float64(0.45), n.float64(0.6)
    x_t = diffusion.q_sample(x0, epsilon, bar)
    found = samplers.ddim_step(x_t, epsilon, bar, prev, eta=1.0, noise=noise)
    mean = diffusion.posterior_mean(x0, x_t, bar, prev)
    beta = 1 - 0.45 / 0.6
    sigma = math.sqrt((1 - 0.6) / (1 - 0.45) * beta)
    last = samplers.ddim_step(x_t, epsilon, bar, n.float64(1.0))
    return max(
        n.gap(found, mean + sigma * noise),
        n.gap(last, x0),
        abs(samplers.ddim_sigma(bar, prev, eta=0.5).item() - sigma / 2),
    )


def _cdf(x: Tensor, bar: float) -> Tensor:
    """Return the distribution function of x_t for the three numbers, ``(B,)``."""
    return torch.special.ndtr((x - math.sqrt(bar) * ATOMS.T) / math.sqrt(1 - bar)).mean(dim=1)


def _extrapolated(run: list[Tensor]) -> Tensor:
    """Return the limit of values whose error is a power series in 1 / 2, 1 / 4, ... ."""
    order = 1
    while len(run) > 1:
        run = [(2**order * b - a) / (2**order - 1) for a, b in itertools.pairwise(run)]
        order += 1
    return run[0]


def _quantiles() -> float:
    start = torch.linspace(-2, 2, 9, dtype=torch.float64)[:, None]
    runs = []
    for steps in (16, 32, 64, 128, 256, 512):
        sigmas = torch.linspace(19**0.5, 0.5, steps + 1, dtype=torch.float64)
        bars = 1 / (1 + sigmas**2)  # from 0.05 to 0.8, in even steps of noise over image
        x = start
        for bar, prev in itertools.pairwise(bars):
            x = samplers.ddim_step(x, diffusion.ideal_epsilon(x, ATOMS, bar), bar, prev)
        runs.append(x)
    return n.gap(_cdf(_extrapolated(runs), 0.8), _cdf(start, 0.05))


def _log_density(x: Tensor, mean: Tensor, variance: Tensor) -> Tensor:
    """Return the log density of an even mixture of Gaussians around ``mean`` ``(K, 1)``."""
    log = -((x - mean.T) ** 2) / (2 * variance) - 0.5 * torch.log(2 * math.pi * variance)
    return torch.logsumexp(log, dim=1, keepdim=True) - math.log(len(mean))


def _fokker_planck(noise: float | None) -> float:
    x = torch.linspace(-3, 3, 13, dtype=torch.float64)[:, None].requires_grad_()
    t = torch.full_like(x, 0.6).requires_grad_()
    left = torch.exp(-t - t**2)  # the share of the image after time t, at rate 1 + 2t
    beta = n.float64(1 + 2 * 0.6)
    # every row has its own time, so that one sweep gives all derivatives
    density = torch.cat(
        [
            _log_density(x[i : i + 1], ATOMS * left[i].sqrt(), 1 - left[i]).exp()
            for i in range(len(x))
        ]
    )
    bar = left.detach()[0, 0]
    score = diffusion.score_from_epsilon(diffusion.ideal_epsilon(x, ATOMS, bar), bar)
    options = {} if noise is None else {"noise": noise}
    drift = samplers.reverse_drift(x, score, beta, **options)
    share = 1.0 if noise is None else noise
    spread = 0.5 * share**2 * beta * _slope(_slope(density, x), x)
    change = -_slope(drift * density, x) - spread
    return n.gap(_slope(density, t).detach(), change.detach())


def _sharpened_posterior() -> float:
    x = torch.linspace(-4, 5, 19, dtype=torch.float64)[:, None].requires_grad_()
    variance = n.float64(0.7)
    worst = 0.0
    for w in (0.0, 0.5, 3.0):
        marginal = _log_density(x, ATOMS, variance)
        given = _log_density(x, ATOMS[1:2], variance)  # the class is the second number
        posterior = given + math.log(1 / 3) - marginal
        tilted = _slope(marginal + (1 + w) * posterior, x)
        found = samplers.guided(_slope(given, x), _slope(marginal, x), scale=w)
        worst = max(worst, n.gap(found, tilted))
    return worst


def _guidance_in_symbols() -> float:
    w, v, bar = sympy.symbols("w v abar", positive=True)
    clean = (1 + w) / v - w  # precision of the sharpened law at t = 0
    noisy = 1 / (bar / clean + 1 - bar)
    guided = (1 + w) / (bar * v + 1 - bar) - w
    at = {w: 2, v: sympy.Rational(1, 2), bar: sympy.Rational(1, 2)}
    return n.exact(
        guided.subs(at) - 2, noisy.subs(at) - sympy.Rational(8, 5), (guided - noisy).subs(bar, 1)
    )


def _guidance_under_noise() -> float:
    w, v, bar = 2.0, 0.5, 0.5
    x = n.float64([[-1.0], [0.3], [0.9]])
    clean = torch.linspace(-9, 9, 3001, dtype=torch.float64)
    log_tilt = -(clean**2) / 2 * ((1 + w) / v - w)  # p(x) p(y|x)^3, without its constant
    distance = (x - math.sqrt(bar) * clean) ** 2 / (2 * (1 - bar))
    weight = torch.softmax(log_tilt - distance, dim=1)
    true = ((math.sqrt(bar) * clean - x) / (1 - bar) * weight).sum(dim=1, keepdim=True)
    guided = samplers.guided(-x / (bar * v + 1 - bar), -x, scale=w)
    return max(n.gap(true, -1.6 * x), n.gap(guided, -2.0 * x))


def _straight_paths() -> float:
    nodes, weight = n.gauss_hermite(3)
    worst = 0.0
    for t in (0.25, 0.7):
        x1 = torch.full_like(nodes, 1.3)
        x_t = flow_matching.flow_interpolate(nodes, x1, n.float64(t))
        mean = weight @ x_t
        moments = torch.cat([mean, weight @ (x_t - mean).square()])
        worst = max(worst, n.gap(moments, n.float64([1.3 * t, (1 - t) ** 2])))
    x0, x1 = n.normal(2, 2, 3, 2, 4)
    times = n.float64([0.1, 0.5, 0.8])
    point = torch.stack([a + s * (b - a) for a, b, s in zip(x0, x1, times, strict=True)])
    worst = max(worst, n.gap(flow_matching.flow_interpolate(x0, x1, times), point))
    slope = torch.autograd.functional.jacobian(
        lambda s: flow_matching.flow_interpolate(x0, x1, s), n.float64(0.4)
    )
    return max(worst, n.gap(flow_matching.flow_target(x0, x1), slope))


def _continuity() -> float:
    worst = 0.0
    for time in (0.0, 0.3, 0.75):
        x = torch.linspace(-3, 3, 13, dtype=torch.float64)[:, None].requires_grad_()
        t = torch.full_like(x, time).requires_grad_()
        density = torch.cat(
            [_log_density(x[i : i + 1], ATOMS * t[i], (1 - t[i]) ** 2).exp() for i in range(len(x))]
        )
        velocity = flow_matching.ideal_velocity(x, ATOMS, n.float64(time))
        flux = _slope(velocity * density, x)
        worst = max(worst, n.gap(_slope(density, t).detach(), -flux.detach()))
    return worst


def _velocity_of_images() -> float:
    data, x = n.normal(3, 4, 2, 3), n.normal(4, 3, 2, 3)
    t = n.float64([0.2, 0.5, 0.6])
    rows = []
    for point, time in zip(x, t.tolist(), strict=True):
        starts = [(point - time * image) / (1 - time) for image in data]  # the noise it came from
        chance = n.float64([math.exp(-(s**2).sum().item() / 2) for s in starts])
        speeds = torch.stack([b - a for a, b in zip(starts, data, strict=True)])
        rows.append(torch.einsum("i,ijk->jk", chance / chance.sum(), speeds))
    return n.gap(flow_matching.ideal_velocity(x, data, t), torch.stack(rows))


def _flow_losses(theta: Tensor) -> Tensor:
    """Return the loss against single paths and against their mean velocity, at time 0.6."""
    x0 = torch.linspace(-9, 9, 1201, dtype=torch.float64)[:, None]
    weight = torch.softmax(-(x0[:, 0] ** 2) / 2, dim=0) / len(ATOMS)
    t = n.float64(0.6)
    losses = torch.zeros(2, dtype=torch.float64)
    for atom in ATOMS:
        x1 = atom.expand_as(x0)
        x_t = flow_matching.flow_interpolate(x0, x1, t)
        model = theta[0] + theta[1] * x_t + theta[2] * torch.tanh(x_t)
        targets = (flow_matching.flow_target(x0, x1), flow_matching.ideal_velocity(x_t, ATOMS, t))
        losses = losses + torch.cat([weight @ (model - u).square() for u in targets])
    return losses


def _same_gradient() -> float:
    jacobian = torch.autograd.functional.jacobian(_flow_losses, n.normal(5, 3))
    apart = [_flow_losses(theta) for theta in n.normal(6, 3, 3)]
    constants = torch.stack([a[0] - a[1] for a in apart])
    return max(n.gap(jacobian[0], jacobian[1]), n.gap(constants, constants[:1].expand(3)))


def _velocity(x: Tensor, t: Tensor) -> Tensor:
    return torch.sin(x) + t**2 * x


def _order(step: Callable[..., Tensor], derivatives: int) -> float:
    """Compare Taylor's series of one step with that of the true path, up to a power of dt."""
    x, t = n.float64([0.7]), n.float64(0.4)
    at, time = x.clone().requires_grad_(), t.clone().requires_grad_()
    speed = _velocity(at, time)
    along, ahead = torch.autograd.grad(speed.sum(), (at, time))
    exact = [speed.detach(), along * speed.detach() + ahead]  # x' and x''
    dt = n.float64(0.0).requires_grad_()
    moved = step(_velocity, x, t, dt) + 0 * dt**3  # so that all derivatives exist
    worst = n.gap(moved.detach(), x)
    for order in range(2):
        moved = torch.autograd.grad(moved.sum(), dt, create_graph=True)[0]
        same = n.gap(moved.detach()[None], exact[order])
        if order < derivatives:
            worst = max(worst, same)
        elif same < 0.1:  # a first-order method must miss the second derivative
            return math.inf
    return worst


PROOFS = (
    Proof(
        id="diffusion.ddim",
        title="DDIM keeps the law of every step, whatever it draws",
        statement=r"""x_{s} = \sqrt{\bar\alpha_s}\, \hat x_0
            + \sqrt{1 - \bar\alpha_s - \sigma^2}\, \hat\epsilon + \sigma \epsilon'
            \;\Rightarrow\; x_s \mid x_0 \sim \mathcal N\left( \sqrt{\bar\alpha_s}\, x_0,\
            (1 - \bar\alpha_s) I \right), \qquad
            \sigma^2 = \eta^2\, \frac{1 - \bar\alpha_s}{1 - \bar\alpha_t}
            \left( 1 - \frac{\bar\alpha_t}{\bar\alpha_s} \right)""",
        assumptions=r"$s < t$; exact noise $\hat\epsilon = \epsilon$, "
        r"$\hat x_0 = (x_t - \sqrt{1 - \bar\alpha_t}\, \hat\epsilon) / \sqrt{\bar\alpha_t}$, "
        r"$\epsilon' \sim \mathcal N(0, I)$. With $\eta = 1$ and $s = t - 1$ the step is that of "
        r"DDPM, $\sigma^2 = \tilde\beta_t$.",
        source="Song, Meng and Ermon (2021), lemma 1 and equations 12 and 16, "
        "https://arxiv.org/abs/2010.02502",
        checks=(
            Check(
                "quadrature",
                "mean and variance after long and short steps, eta 0, 0.4 and 1",
                _marginals_of_ddim,
                1e-12,
            ),
            Check("enumeration", "the step of DDPM, and the last step", _ancestral_step, 1e-12),
        ),
    ),
    Proof(
        id="diffusion.ddim_quantiles",
        title="In one dimension deterministic DDIM carries quantiles to quantiles",
        statement=r"""\eta = 0,\ T \to \infty: \qquad
            F_s(x_s) = F_t(x_t), \qquad F_t(x) = \Pr[x_t \le x]""",
        assumptions=r"One dimension, exact $\mathbb E[\epsilon \mid x_t]$, infinitely many steps "
        r"between $t$ and $s$.",
        source="Song, Meng and Ermon (2021), section 4.3, https://arxiv.org/abs/2010.02502; "
        "Song et al. (2021), section 4.3, https://arxiv.org/abs/2011.13456",
        checks=(
            Check(
                "quadrature",
                "nine points, 16 to 512 steps extrapolated to infinitely many",
                _quantiles,
                1e-6,
            ),
        ),
    ),
    Proof(
        id="diffusion.reverse_equations",
        title="The reverse equation and the probability flow pass through the same laws",
        statement=r"""\begin{aligned}
            dx &= \left[ f - \tfrac{1 + \lambda^2}{2}\, g^2\, \nabla \log p_t \right] dt
            + \lambda g\, d\bar w, \\
            \partial_t p_t &= -\nabla \cdot \left( \left[ f - \tfrac{1 + \lambda^2}{2}\, g^2\,
            \nabla \log p_t \right] p_t \right) - \tfrac{\lambda^2}{2}\, g^2\, \Delta p_t
            \quad \text{for every } \lambda \ge 0
            \end{aligned}""",
        assumptions=r"Time runs backwards; $f = -\tfrac12 \beta x$ and $g^2 = \beta$. With "
        r"$\lambda = 1$ this is the reverse stochastic equation, with $\lambda = 0$ the "
        "probability-flow equation.",
        source="Anderson (1982), https://doi.org/10.1016/0304-4149(82)90051-5; "
        "Song et al. (2021), equations 6 and 13, https://arxiv.org/abs/2011.13456",
        checks=(
            Check(
                "autograd",
                "both sides for three points with noise, lambda 0, 0.5 and 1",
                lambda: max(_fokker_planck(noise) for noise in (0.0, 0.5, None)),
                1e-10,
            ),
        ),
    ),
    Proof(
        id="diffusion.guidance",
        title="Guidance sharpens the posterior, but not the law that is sampled",
        statement=r"""\begin{aligned}
            (1 + w) \nabla \log p(x \mid y) - w \nabla \log p(x)
            &= \nabla \log \left[ p(x)\, p(y \mid x)^{1 + w} \right], \\
            p(x) = \mathcal N(0, 1),\ p(x \mid y) = \mathcal N(0, \tfrac12),\ w = 2,\
            \bar\alpha_t = \tfrac12: \quad
            \nabla \log p_t^{(w)}(x) &= -\tfrac85 x \ne -2x
            \end{aligned}""",
        assumptions=r"The first line holds at each noise level by itself. In the second, "
        r"$p_t^{(w)}$ is the sharpened law with noise added and $-2x$ the guided score: they agree "
        "only without noise.",
        source="Ho and Salimans (2022), https://arxiv.org/abs/2207.12598; "
        "Bradley and Nakkiran (2024), https://arxiv.org/abs/2408.09000",
        checks=(
            Check("autograd", "a class among three, w 0, 0.5 and 3", _sharpened_posterior, 1e-10),
            Check("SymPy identity", "both slopes of the example", _guidance_in_symbols, 0),
            Check(
                "quadrature",
                "the sharpened law with noise added, on a grid",
                _guidance_under_noise,
                1e-10,
            ),
        ),
    ),
    Proof(
        id="diffusion.flow_matching",
        title="Straight paths teach the velocity that carries noise to the data",
        statement=r"""\begin{aligned}
            u_t(x) &= \mathbb E[x_1 - x_0 \mid x_t = x], \qquad
            \partial_t p_t = -\nabla \cdot (u_t\, p_t), \qquad x_t = (1 - t) x_0 + t x_1, \\
            \nabla_\theta\, \mathbb E \lVert v_\theta(x_t) - u_t(x_t) \rVert^2
            &= \nabla_\theta\, \mathbb E \lVert v_\theta(x_t) - (x_1 - x_0) \rVert^2
            \end{aligned}""",
        assumptions=r"$x_0 \sim \mathcal N(0, I)$, $x_1$ from the data, independent; $t < 1$. "
        r"Time 0 is noise.",
        source="Lipman et al. (2023), theorems 1 and 2, https://arxiv.org/abs/2210.02747; "
        "Liu, Gong and Liu (2023), https://arxiv.org/abs/2209.03003",
        checks=(
            Check("quadrature", "moments and slopes of the paths", _straight_paths, 1e-12),
            Check("enumeration", "mean over the paths through a point", _velocity_of_images, 1e-10),
            Check("autograd", "the continuity equation at three times", _continuity, 1e-10),
            Check("quadrature", "gradients and gap of both losses", _same_gradient, 1e-10),
        ),
    ),
    Proof(
        id="diffusion.solver_order",
        title="Euler's step follows the slope, Heun's step also the curve",
        statement=r"""\begin{aligned}
            x(t + h) &= x + h v + \tfrac{h^2}{2} \left( \partial_x v \cdot v
            + \partial_t v \right) + O(h^3), \\
            \text{Euler:}\ x + h v &\quad \text{misses the } h^2 \text{ term}, \qquad
            \text{Heun:}\ x + \tfrac h2 \left( v + v(x + h v, t + h) \right)
            \quad \text{has it}
            \end{aligned}""",
        assumptions=r"$x' = v(x, t)$ with a smooth $v$. After a fixed time the errors are $O(h)$ "
        r"and $O(h^2)$.",
        source="Karras et al. (2022), section 3, https://arxiv.org/abs/2206.00364",
        checks=(
            Check(
                "autograd",
                "derivatives of one Euler step for its length",
                lambda: _order(samplers.euler_step, 1),
                1e-12,
            ),
            Check(
                "autograd",
                "derivatives of one Heun step for its length",
                lambda: _order(samplers.heun_step, 2),
                1e-12,
            ),
        ),
    ),
)

ROWS = {
    "D48": ("diffusion.ddim", "diffusion.ddim_quantiles"),
    "D49": ("diffusion.guidance",),
    "D50": ("diffusion.flow_matching",),
    "D51": ("diffusion.reverse_equations",),
}
