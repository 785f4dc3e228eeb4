"""Proofs about the classical generators: mixtures, autoregressive models and flows."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor

from genimg_course.maths import autoregressive, flows, gaussians, likelihoods, mixtures
from genimg_course.maths.proofs import numerics as n
from genimg_course.maths.proofs.engine import Check, Proof

__all__ = ["PROOFS", "ROWS"]


def _mixture() -> tuple[Tensor, Tensor, Tensor]:
    """Return weights, means and covariances of three Gaussians in the plane."""
    root = 0.4 * n.normal(1, 3, 2, 2) + torch.diag(n.float64([0.9, 0.6]))
    return n.law(2, 3), n.normal(3, 3, 2), root @ root.mT


def _density_by_formula() -> float:
    x = 2 * n.normal(4, 7, 3)
    root = n.normal(5, 2, 3, 3)
    means, covariances = n.normal(6, 2, 3), root @ root.mT + 0.1 * torch.eye(3).double()
    offset = x[:, None] - means  # (7, 2, 3)
    distance = torch.einsum("bki,kij,bkj->bk", offset, covariances.inverse(), offset)
    scale = ((2 * math.pi) ** 3 * torch.linalg.det(covariances)).sqrt()
    density = torch.exp(-distance / 2) / scale
    weights = n.float64([0.3, 0.7])
    each = mixtures.component_log_density(x, means, covariances)
    both = mixtures.mixture_log_density(x, weights, means, covariances)
    return max(n.gap(each, density.log()), n.gap(both, (density @ weights).log()))


def _blame_is_a_derivative() -> float:
    weights, means, covariances = _mixture()
    x = n.normal(7, 5, 2)
    log_weights = weights.log().requires_grad_()
    total = mixtures.mixture_log_density(x, log_weights.exp(), means, covariances)
    rows = [torch.autograd.grad(v, log_weights, retain_graph=True)[0] for v in total]
    share = mixtures.responsibilities(
        mixtures.component_log_density(x, means, covariances), weights
    )
    return max(
        n.gap(share, torch.stack(rows)), n.gap(share.sum(dim=1), torch.ones(5, dtype=torch.float64))
    )


def _moments_after_a_step() -> float:
    x = n.normal(8, 30, 2) @ n.float64([[1.2, 0.5], [0.0, 0.7]]) + n.float64([0.4, -1.0])
    offset = x - x.mean(dim=0)
    mean, covariance = mixtures.mixture_moments(*mixtures.em_step(x, *_mixture()))
    return max(n.gap(mean, x.mean(dim=0)), n.gap(covariance, offset.T @ offset / 30))


def _likelihood_rises() -> float:
    """Return the largest fall of the likelihood in twelve steps; all must rise at first."""
    x, model = n.normal(9, 40, 2), _mixture()
    path = []
    for _ in range(12):
        path.append(mixtures.mixture_log_density(x, *model).mean().item())
        model = mixtures.em_step(x, *model)
    rises = [b - a for a, b in pairwise(path)]
    return max(0.0, -min(rises)) if rises[0] > 1e-3 else math.inf


def _step_is_stationary() -> float:
    """Return the slope of the expected log-likelihood of points and components after a step."""
    x, old = n.normal(10, 25, 2), _mixture()
    share = mixtures.responsibilities(mixtures.component_log_density(x, *old[1:]), old[0])
    weights, means, covariances = mixtures.em_step(x, *old)
    free = [v.clone().requires_grad_() for v in (weights.log(), means, covariances)]
    log_weights = torch.log_softmax(free[0], dim=0)
    expected = (share * (mixtures.component_log_density(x, *free[1:]) + log_weights)).sum()
    slopes = torch.autograd.grad(expected, free)
    symmetric = (slopes[2] + slopes[2].mT) / 2
    return max(v.abs().max().item() for v in (*slopes[:2], symmetric))


def _mixture_moments_by_draws() -> float:
    weights, means, covariances = _mixture()
    rng = torch.Generator().manual_seed(11)
    x = mixtures.mixture_samples(60_000, weights, means, covariances, rng=rng)
    mean, covariance = mixtures.mixture_moments(weights, means, covariances)
    products = torch.stack([(x - mean)[:, i] * (x - mean)[:, j] for i, j in _PAIRS], dim=1)
    values = torch.cat([x, products], dim=1)
    expected = torch.cat([mean, torch.stack([covariance[i, j] for i, j in _PAIRS])])
    return max(
        n.standard_errors(column, value.item(), column.std().item())
        for column, value in zip(values.T, expected, strict=True)
    )


_PAIRS = ((0, 0), (0, 1), (1, 1))


def _masked_logits(x: Tensor, *, strict: bool = True) -> Tensor:
    """Return log odds ``(B, 6)`` of a small masked network with one hidden layer."""
    places, hidden = torch.arange(6), torch.tensor([4, 0, 2, 3, 1, 2, 0, 4, 1, 3])
    first = n.normal(12, 10, 6) * autoregressive.autoregressive_mask(places, hidden)
    last = n.normal(13, 6, 10) * autoregressive.autoregressive_mask(hidden, places, strict=strict)
    return torch.tanh(x @ first.T + n.normal(14, 10)) @ last.T + n.normal(15, 6)


def _probabilities(strict: bool = True) -> Tensor:
    """Return what the network says of all 64 images of six pixels."""
    images = n.tuples(2, 6).double()
    return likelihoods.bernoulli_nll(_masked_logits(images, strict=strict), images).neg().exp()


def _chain_has_mass_one() -> float:
    seeing = _probabilities(strict=False).sum().item()
    total = _probabilities().sum().item()
    return abs(total - 1) if abs(seeing - 1) > 0.01 else math.inf


def _chain_of_conditionals() -> float:
    """Compare each guess with the conditional law that the sum over all images defines."""
    images, p = n.tuples(2, 6), _probabilities()
    ink = torch.sigmoid(_masked_logits(images.double()))
    worst = 0.0
    for row, guess in zip(images, ink, strict=True):
        for i in range(6):
            same = (images[:, :i] == row[:i]).all(dim=1)
            given = p[same & (images[:, i] == 1)].sum() / p[same].sum()
            worst = max(worst, abs((guess[i] - given).item()))
    return worst


def _dependence() -> float:
    """Compare the Jacobian of the network with the order: each guess uses all before it."""
    slope = torch.autograd.functional.jacobian(
        lambda x: _masked_logits(x[None])[0], n.normal(16, 6)
    )
    before = torch.ones(6, 6).tril(-1).bool()
    return slope[~before].abs().max().item() if bool((slope[before] != 0).all()) else math.inf


def _draws_follow_the_law() -> float:
    rng = torch.Generator().manual_seed(17)
    start = torch.full((40_000, 6), 0.3, dtype=torch.float64)
    return _standard_errors_of(
        autoregressive.ancestral_samples(_masked_logits, start, rng=rng), _probabilities()
    )


def _completions_follow_the_law() -> float:
    rng = torch.Generator().manual_seed(18)
    start = n.float64([[1.0, 0.0, 0.3, 0.3, 0.3, 0.3]]).expand(40_000, 6)
    drawn = autoregressive.ancestral_samples(_masked_logits, start, rng=rng, begin=2)
    images, p = n.tuples(2, 6), _probabilities()
    fits = (images[:, 0] == 1) & (images[:, 1] == 0)
    return _standard_errors_of(drawn, torch.where(fits, p, 0) / p[fits].sum())


def _standard_errors_of(images: Tensor, law: Tensor) -> float:
    """Return the largest distance of a frequency from its probability, in standard errors."""
    index = (images @ n.float64([32, 16, 8, 4, 2, 1])).long()
    frequency = torch.bincount(index, minlength=64) / len(images)
    if bool((frequency[law == 0] > 0).any()):
        return math.inf
    error = (law * (1 - law) / len(images)).sqrt()
    return ((frequency - law).abs() / error)[law > 0].max().item()


def _amounts(kept: Tensor) -> tuple[Tensor, Tensor]:
    """Return log scale and shift for the moved columns, smooth functions of the kept ones."""
    return 0.7 * torch.sin(kept @ n.normal(19, 2, 3)), torch.cos(kept @ n.normal(20, 2, 3))


def _coupling(x: Tensor) -> dict[str, Tensor]:
    return flows.coupling_forward(x, *_amounts(x[:, :2]))


def _log_det_by_jacobian() -> float:
    x = n.normal(21, 4, 5)
    z = _coupling(x)["z"]
    back = flows.coupling_inverse(z, *_amounts(z[:, :2]))
    worst = 0.0
    for i in range(4):
        jacobian = torch.autograd.functional.jacobian(
            lambda row: _coupling(row[None])["z"][0],  # called at once
            x[i],
        )
        logdet = torch.linalg.slogdet(jacobian)[1]
        found = torch.stack([_coupling(x)["log_det"][i], -back["log_det"][i]])
        worst = max(worst, n.gap(found, logdet.expand(2)))
    return worst


def _round_trip() -> float:
    x = n.normal(22, 6, 5)
    z = _coupling(x)["z"]
    by_hand = torch.cat([x[:, :2], x[:, 2:] * _amounts(x[:, :2])[0].exp()], dim=1)
    by_hand[:, 2:] += _amounts(x[:, :2])[1]
    back = flows.coupling_inverse(z, *_amounts(z[:, :2]))["x"]
    return max(n.gap(back, x), n.gap(z, by_hand))


def _layers(x: Tensor) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Return scale and shift of two layers for their first columns, each ``(B, 1)``."""
    return (0.5 * torch.tanh(x), torch.sin(x)), (-0.4 * torch.sin(x), 0.8 * torch.tanh(x))


def _plane(side: float) -> tuple[Tensor, Tensor]:
    """Return points of a fine grid over the plane, and the area of each."""
    line = torch.linspace(-side, side, int(20 * side) + 1, dtype=torch.float64)
    return torch.cartesian_prod(line, line), (line[1] - line[0]) ** 2


def _flow_log_density(x: Tensor) -> Tensor:
    """Return the log density of two coupling layers, by the change of variables."""
    first = flows.coupling_forward(x, *_layers(x[:, :1])[0])
    y = first["z"].flip(1)
    second = flows.coupling_forward(y, *_layers(y[:, :1])[1])
    zero = torch.zeros_like(x)
    base = gaussians.gaussian_log_density(second["z"], zero, zero)
    return base + first["log_det"] + second["log_det"]


def _density_of_a_flow() -> float:
    """Integrate the density of two coupling layers over the plane."""
    x, area = _plane(16)
    return abs((_flow_log_density(x).exp().sum() * area).item() - 1)


def _means_under_a_flow() -> float:
    """Compare means under the density with means over noise that went back through the flow."""

    def features(x: Tensor) -> Tensor:
        a, b = x.T
        return torch.stack([a, b, a * b, torch.cos(a - 0.3 * b), torch.cos(2 * b), a.square()])

    x, area = _plane(16)
    by_density = features(x) @ _flow_log_density(x).exp() * area
    z, area = _plane(9)
    zero = torch.zeros_like(z)
    y = flows.coupling_inverse(z, *_layers(z[:, :1])[1])["x"].flip(1)
    back = flows.coupling_inverse(y, *_layers(y[:, :1])[0])["x"]
    by_noise = features(back) @ gaussians.gaussian_log_density(z, zero, zero).exp() * area
    return n.gap(by_density, by_noise)


DEMPSTER = (
    "Dempster, Laird and Rubin (1977), section 4.3, "
    "https://doi.org/10.1111/j.2517-6161.1977.tb01600.x"
)
GERMAIN = "Germain et al. (2015), https://arxiv.org/abs/1502.03509"

PROOFS = (
    Proof(
        id="probability.responsibilities",
        title="Bayes' rule tells which component made a point",
        statement=r"""r_k(x) = \frac{\pi_k\, N(x; \mu_k, \Sigma_k)}{p(x)}
            = \frac{\partial \log p(x)}{\partial \log \pi_k}, \qquad
            p(x) = \sum_k \pi_k\, N(x; \mu_k, \Sigma_k), \qquad \sum_k r_k(x) = 1""",
        assumptions=r"Positive definite $\Sigma_k$, shares $\pi_k$ that sum to 1; the derivative "
        r"treats the $\pi_k$ as free.",
        source=DEMPSTER,
        checks=(
            Check(
                "linear algebra",
                "densities against inverse and determinant, in 3 dimensions",
                _density_by_formula,
                1e-10,
            ),
            Check("autograd", "slopes of log p, and the sum", _blame_is_a_derivative, 1e-13),
        ),
    ),
    Proof(
        id="probability.expectation_maximisation",
        title="A step of EM never loses likelihood, and keeps mean and covariance",
        statement=r"""\sum_n \log p_{\theta'}(x_n) \ge \sum_n \log p_{\theta}(x_n), \qquad
            \sum_k \pi_k' \mu_k' = \bar x, \qquad
            \sum_k \pi_k' \left( \Sigma_k' + (\mu_k' - \bar x)(\mu_k' - \bar x)^\top \right)
            = \frac1N \sum_n (x_n - \bar x)(x_n - \bar x)^\top""",
        assumptions=r"$\theta'$ are the weights, means and full covariances after one step from "
        r"$\theta$ on the points $x_n$, with mean $\bar x$; every component keeps some points.",
        source=DEMPSTER,
        checks=(
            Check("enumeration", "mean and covariance of 30 points", _moments_after_a_step, 1e-13),
            Check("enumeration", "twelve steps on 40 points", _likelihood_rises, 1e-12),
            Check(
                "autograd",
                "the expected log-likelihood of points and components is stationary",
                _step_is_stationary,
                1e-11,
            ),
            Check(
                "Monte-Carlo",
                "mean and covariance of 60,000 draws, in standard errors",
                _mixture_moments_by_draws,
                6,
            ),
        ),
    ),
    Proof(
        id="probability.autoregressive",
        title="A chain of guesses is a law that sums to one",
        statement=r"""p(x) = \prod_{i=1}^{D} p(x_i \mid x_1, \ldots, x_{i-1}), \qquad
            \sum_{x \in \{0, 1\}^D} p(x) = 1""",
        assumptions="The guess for a pixel depends on the pixels before it only; with a guess that "
        "sees its own pixel, the sum is another number.",
        source=f"{GERMAIN}; Van den Oord et al. (2016), https://arxiv.org/abs/1601.06759",
        checks=(
            Check(
                "enumeration",
                "64 images of a masked network; unmasked, the sum is wrong",
                _chain_has_mass_one,
                1e-12,
            ),
            Check(
                "enumeration",
                "each guess is the conditional of the joint law",
                _chain_of_conditionals,
                1e-12,
            ),
            Check("autograd", "the Jacobian is strictly triangular and full", _dependence, 1e-15),
        ),
    ),
    Proof(
        id="probability.ancestral_sampling",
        title="Drawing one value after another follows the joint law",
        statement=r"""x_i \sim p(x_i \mid x_1, \ldots, x_{i-1}) \;\; (i = b, \ldots, D)
            \quad\Longrightarrow\quad
            (x_b, \ldots, x_D) \sim p(x_b, \ldots, x_D \mid x_1, \ldots, x_{b-1})""",
        assumptions="The guess for a value depends on the values before it only; $b = 1$ draws a "
        "whole picture, a larger $b$ completes one.",
        source=GERMAIN,
        checks=(
            Check(
                "Monte-Carlo",
                "frequencies of 64 images among 40,000, in standard errors",
                _draws_follow_the_law,
                6,
            ),
            Check(
                "Monte-Carlo",
                "completions of two given pixels, in standard errors",
                _completions_follow_the_law,
                6,
            ),
        ),
    ),
    Proof(
        id="probability.coupling",
        title="A coupling layer can be undone, and its volume change is a sum",
        statement=r"""z = (x_a,\; x_b \odot e^{s(x_a)} + t(x_a)), \qquad
            x = (z_a,\; (z_b - t(z_a)) \odot e^{-s(z_a)}), \qquad
            \log \left| \det \frac{\partial z}{\partial x} \right| = \sum_j s_j(x_a)""",
        assumptions=r"$s$ and $t$ may be any functions, for example networks; they see $x_a$ only.",
        source="Dinh, Sohl-Dickstein and Bengio (2017), section 3, "
        "https://arxiv.org/abs/1605.08803",
        checks=(
            Check(
                "autograd",
                "log determinant of the Jacobian in 5 dimensions, both ways",
                _log_det_by_jacobian,
                1e-13,
            ),
            Check("enumeration", "there and back for 6 points", _round_trip, 1e-13),
        ),
    ),
    Proof(
        id="probability.change_of_variables",
        title="A flow knows the density of its points",
        statement=r"""\log p(x) = \log N\!\left(f(x);\, 0, I\right)
            + \log \left| \det \frac{\partial f(x)}{\partial x} \right|, \qquad
            \int p(x)\, dx = 1""",
        assumptions="$f$ is smooth and can be undone; the determinants of several layers multiply.",
        source="Dinh, Sohl-Dickstein and Bengio (2017), equation 2, "
        "https://arxiv.org/abs/1605.08803",
        checks=(
            Check(
                "quadrature",
                "mass of two coupling layers in the plane",
                _density_of_a_flow,
                1e-9,
            ),
            Check(
                "quadrature",
                "six means under this density against noise sent back through the layers",
                _means_under_a_flow,
                1e-9,
            ),
        ),
    ),
)

ROWS = {
    "D52": (
        "probability.autoregressive",
        "probability.ancestral_sampling",
        "probability.coupling",
        "probability.change_of_variables",
    ),
}
"""Rows of the table of derivations that these proofs cover."""
