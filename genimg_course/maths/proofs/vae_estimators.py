"""Proofs about gradients through a random code: where they come from and how noisy they are."""

from __future__ import annotations

import math

import sympy
import torch
from torch import Tensor

from genimg_course.maths import estimators, gaussians
from genimg_course.maths.proofs import numerics as n
from genimg_course.maths.proofs.engine import Check, Proof

__all__ = ["PROOFS", "ROWS"]

DRAWS = 100_000
"""Draws of a Monte-Carlo check."""


def _rng(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _path_gradient() -> float:
    mu, logvar = (v.requires_grad_() for v in n.normal(1, 2, 50, 3))
    z = gaussians.reparameterise(mu, logvar, rng=_rng(2))
    slopes = torch.autograd.grad(z.sum(), (mu, logvar), materialize_grads=True)
    return n.gap(torch.stack(slopes), torch.stack([torch.ones_like(mu), (z - mu) / 2]).detach())


def _moments_of_samples() -> float:
    mu, logvar = n.float64([0.5, -1.0]), n.float64([1.0, -2.0])
    shape = (DRAWS, 2)
    z = gaussians.reparameterise(mu.expand(shape), logvar.expand(shape), rng=_rng(3))
    unit = (z - mu) / (0.5 * logvar).exp()
    samples = [*unit.T, *unit.T.square(), unit.prod(dim=1), unit[1:, 0] * unit[:-1, 0]]
    truths = [(0.0, 1.0)] * 2 + [(1.0, math.sqrt(2))] * 2 + [(0.0, 1.0)] * 2
    return max(n.standard_errors(s, *truth) for s, truth in zip(samples, truths, strict=True))


def _gradient_of_a_mean() -> float:
    mu = torch.full((DRAWS, 1), 0.7, dtype=torch.float64).requires_grad_()
    logvar = torch.full((DRAWS, 1), -0.4, dtype=torch.float64).requires_grad_()
    z = gaussians.reparameterise(mu, logvar, rng=_rng(4))
    d_mu, d_logvar = torch.autograd.grad(z.square().sum(), (mu, logvar))
    variance = math.exp(-0.4)
    return max(
        n.standard_errors(d_mu, 2 * 0.7, 2 * variance**0.5),
        n.standard_errors(d_logvar, variance, math.sqrt(0.49 * variance + 2 * variance**2)),
    )


def _variances_in_symbols() -> float:
    mu, eps, b = sympy.symbols("mu epsilon b", real=True)
    z = mu + eps

    def moments(estimate: sympy.Expr) -> tuple[sympy.Expr, sympy.Expr]:
        mean = n.expectation(estimate, eps)
        return mean, n.expectation(estimate**2, eps) - mean**2

    path_mean, path = moments(2 * z)
    score_mean, score = moments((z**2 - b) * eps)
    best = sympy.solve(sympy.diff(score, b), b)[0]
    return n.exact(
        path_mean - 2 * mu,
        score_mean - 2 * mu,
        path - 4,
        score.subs(b, 0) - (mu**4 + 14 * mu**2 + 15),
        best - (mu**2 + 3),
        score.subs(b, best) - (8 * mu**2 + 6),
    )


def _estimates(z: Tensor, mu: float) -> list[tuple[Tensor, float]]:
    """Return the estimates of each kind at ``z`` with the variance that theory gives them."""
    return [
        (estimators.pathwise_gradient(z), 4.0),
        (estimators.score_function_gradient(z, mu), mu**4 + 14 * mu**2 + 15),
        (estimators.score_function_gradient(z, mu, baseline=mu**2 + 3), 8 * mu**2 + 6),
    ]


def _variances_by_quadrature() -> float:
    nodes, weight = n.gauss_hermite(8)
    worst = 0.0
    for mu in (-1.5, 0.0, 2.0):
        for estimate, variance in _estimates(nodes[:, 0] + mu, mu):
            found = torch.stack([weight @ estimate, weight @ (estimate - 2 * mu).square()])
            worst = max(worst, n.gap(found, n.float64([2 * mu, variance])))
    return worst


def _variances_by_sampling() -> float:
    mu = 1.2
    start, zero = (
        torch.full((DRAWS, 1), mu, dtype=torch.float64),
        torch.zeros(DRAWS, 1, dtype=torch.float64),
    )
    z = gaussians.reparameterise(start, zero, rng=_rng(5))
    errors = [n.standard_errors(e, 2 * mu, v**0.5) for e, v in _estimates(z, mu)]
    for estimate, variance in _estimates(z, mu):
        square = (estimate - 2 * mu).square()
        errors.append(n.standard_errors(square, variance, square.std().item()))
    return max(errors)


PROOFS = (
    Proof(
        id="vae.reparameterisation",
        title="A sample written as a function of its parameters has their gradient",
        statement=r"""z = \mu + e^{\ell/2} \epsilon, \quad \epsilon \sim \mathcal N(0, 1)
            \;\Rightarrow\; z \sim \mathcal N(\mu, e^\ell), \quad
            \frac{\partial z}{\partial \mu} = 1, \quad
            \frac{\partial z}{\partial \ell} = \frac{z - \mu}{2}, \quad
            \nabla\, \mathbb E[f(z)] = \mathbb E[\nabla f(z)]""",
        assumptions=r"$\ell = \log \sigma^2$; $f$ is differentiable and its gradient integrable.",
        source="Kingma and Welling (2014), section 2.4, https://arxiv.org/abs/1312.6114",
        checks=(
            Check("autograd", "derivatives of the package's sample", _path_gradient, 1e-12),
            Check(
                "Monte-Carlo",
                "100,000 draws: means, variances, independence; standard error 0.003 to 0.005",
                _moments_of_samples,
                6,
            ),
            Check(
                "Monte-Carlo",
                "100,000 gradients of z^2 against 2 mu and sigma^2; standard error 0.004 to 0.005",
                _gradient_of_a_mean,
                6,
            ),
        ),
    ),
    Proof(
        id="vae.gradient_variance",
        title="The pathwise gradient is far less noisy than the score-function gradient",
        statement=r"""\begin{aligned}
            \nabla_\mu\, \mathbb E_{\mathcal N(\mu, 1)}[z^2] &= 2\mu, &
            \mathrm{Var}[2z] &= 4, \\
            \mathrm{Var}[z^2 (z - \mu)] &= \mu^4 + 14\mu^2 + 15, &
            \min_b \mathrm{Var}[(z^2 - b)(z - \mu)] &= 8\mu^2 + 6
            \end{aligned}""",
        assumptions=r"One sample $z \sim \mathcal N(\mu, 1)$; the best $b$ is $\mu^2 + 3$.",
        source="Williams (1992), https://doi.org/10.1007/BF00992696; "
        "Mohamed, Rosca, Figurnov and Mnih (2020), sections 4 and 5, "
        "https://arxiv.org/abs/1906.10652",
        checks=(
            Check("SymPy identity", "means, variances, best baseline", _variances_in_symbols, 0),
            Check(
                "quadrature",
                "mean and variance of the package's estimators at three means",
                _variances_by_quadrature,
                1e-10,
            ),
            Check(
                "Monte-Carlo",
                "100,000 draws at mu = 1.2; standard error 0.006 to 0.019 of the means",
                _variances_by_sampling,
                6,
            ),
        ),
    ),
)

ROWS = {"D13": ("vae.reparameterisation", "vae.gradient_variance")}
"""Rows of the list of derivations and the proofs that cover them."""
