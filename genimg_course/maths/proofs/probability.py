"""Proofs about likelihoods: what they measure, in which direction, in which unit."""

from __future__ import annotations

import math

import sympy
import torch
from torch import Tensor

from genimg_course.maths import divergences, fits, information, likelihoods
from genimg_course.maths.proofs import numerics as n
from genimg_course.maths.proofs.engine import Check, Proof

__all__ = ["PROOFS", "ROWS"]


def _laws() -> tuple[Tensor, Tensor]:
    """Return three pairs of laws on five points; the first law of each has a zero."""
    p, q = n.law(1, 3, 5), n.law(2, 3, 5)
    p[:, 2] = 0
    return p / p.sum(dim=1, keepdim=True), q


def _entropies_by_hand() -> float:
    p, q = _laws()
    rows = [[(a, b) for a, b in zip(x, y, strict=True) if a > 0] for x, y in zip(p, q, strict=True)]
    plain = n.float64([-math.fsum(a * math.log(a) for a, _ in row) for row in rows])
    crossed = n.float64([-math.fsum(a * math.log(b) for a, b in row) for row in rows])
    return max(
        n.gap(information.entropy(p), plain), n.gap(information.cross_entropy(p, q), crossed)
    )


def _difference_is_the_divergence() -> float:
    p, q = _laws()
    difference = information.cross_entropy(p, q) - information.entropy(p)
    return n.gap(difference, divergences.kl_divergence(p, q))


def _divergence_by_hand() -> float:
    """Compare the package's divergence with the plain sum; it is infinite at a zero of ``q``."""
    p, q = _laws()
    plain = [
        math.fsum(a * math.log(a / b) for a, b in zip(x, y, strict=True) if a > 0)
        for x, y in zip(p.tolist(), q.tolist(), strict=True)
    ]
    endless = divergences.kl_divergence(q, p)  # each p has a zero where q has none
    wrong = n.gap(divergences.kl_divergence(p, q), n.float64(plain))
    return wrong if min(plain) > 0 and bool(endless.isinf().all()) else math.inf


def _same_gradient() -> float:
    p = n.law(3, 4, 6)
    theta = n.normal(4, 4, 6).requires_grad_()
    q = torch.softmax(theta, dim=1)
    (of_kl,) = torch.autograd.grad(divergences.kl_divergence(p, q).sum(), theta, retain_graph=True)
    (of_log,) = torch.autograd.grad((p * q.log()).sum(), theta)
    return max(n.gap(of_kl, -of_log), n.gap(of_kl, q.detach() - p))


def _frequencies_are_most_likely() -> float:
    draws = torch.tensor([0, 2, 2, 3, 1, 2, 0, 3, 2, 0, 2])
    start = torch.zeros(4, dtype=torch.float64)
    best = n.minimise(lambda theta: -torch.log_softmax(theta, dim=0)[draws].mean(), start)
    p = n.float64([3, 1, 5, 2]) / 11
    nll = -torch.log_softmax(best, dim=0)[draws].mean()
    prices = torch.stack([information.entropy(p), information.cross_entropy(p, best.softmax(0))])
    return max(n.gap(best.softmax(dim=0), p), n.gap(nll.expand(2), prices))


SHARES, PLACES, SPREADS = (0.35, 0.65), (-3.0, 2.5), (0.6, 0.8)
"""A law with two separate modes."""


def _log_density(x: Tensor) -> Tensor:
    """Return the log density of the law with two modes, of the shape of ``x``."""
    share, place, spread = (n.float64(v) for v in (SHARES, PLACES, SPREADS))
    terms = -0.5 * ((x[..., None] - place) / spread) ** 2 - spread.log()
    return torch.logsumexp(terms + share.log(), dim=-1) - 0.5 * math.log(2 * math.pi)


def _grid() -> tuple[Tensor, Tensor]:
    x = torch.linspace(-24, 24, 4801, dtype=torch.float64)  # log p bends sharply: a fine grid
    return x, torch.softmax(_log_density(x), dim=0)


def _under(mean: Tensor, std: Tensor) -> tuple[Tensor, Tensor]:
    """Return points ``(..., 6001)`` and weights for means under Gaussians (trapezoid rule)."""
    u = torch.linspace(-9, 9, 6001, dtype=torch.float64)
    return mean[..., None] + std[..., None] * u, torch.softmax(-0.5 * u.square(), dim=0)


def _fit(start: tuple[float, float], *, reverse: bool) -> tuple[Tensor, Tensor]:
    """Return mean and standard deviation of the nearest Gaussian, and the divergence there."""
    x, p = _grid()

    def loss(v: Tensor) -> Tensor:
        return fits.fit_divergence(x, p, v[:1], v[1:].exp(), reverse=reverse).sum()

    best = n.minimise(loss, n.float64(start))
    return torch.stack([best[0], best[1].exp()]), loss(best)


def _moments() -> Tensor:
    share, place, spread = (n.float64(v) for v in (SHARES, PLACES, SPREADS))
    mean = share @ place
    return torch.stack([mean, (share @ (spread**2 + place**2) - mean**2).sqrt()])


def _forward_fit() -> float:
    best, _ = _fit((0.3, 0.2), reverse=False)
    return n.gap(best, _moments())


def _divergences_by_quadrature() -> float:
    """Compare both directions with integrals over the line, for Gaussians of several shapes."""
    x, p = _grid()
    mu, sigma = n.float64([0.4, -2.8, 2.0]), n.float64([2.1, 0.7, 0.9])
    at, weight = _under(mu, sigma)
    backward = -0.5 * (1 + math.log(2 * math.pi)) - sigma.log() - _log_density(at) @ weight
    entropy = -(p * _log_density(x)).sum()
    squares = ((_moments()[0] - mu) ** 2 + _moments()[1] ** 2) / sigma**2
    forward = 0.5 * squares + sigma.log() + 0.5 * math.log(2 * math.pi) - entropy
    found = [fits.fit_divergence(x, p, mu, sigma, reverse=reverse) for reverse in (False, True)]
    return max(n.gap(found[0], forward), n.gap(found[1], backward))


def _stationary_reverse_fit() -> float:
    """Compare slope and curvature of log p, averaged over each fit, with what they must be."""
    worst = 0.0
    for start in ((-2.0, -0.2), (2.0, -0.2)):
        (mean, std), _ = _fit(start, reverse=True)
        x, weight = _under(mean, std)
        x = x.requires_grad_()
        (slope,) = torch.autograd.grad(_log_density(x).sum(), x, create_graph=True)
        (bend,) = torch.autograd.grad(slope.sum(), x)
        error = torch.stack([weight @ slope.detach(), weight @ bend * std**2 + 1])
        worst = max(worst, error.abs().max().item())
    return worst


def _price_of_one_mode() -> float:
    """Return 0 if each mode costs at most what leaving the other one out costs."""
    prices = [_fit(start, reverse=True)[1].item() for start in ((-2.0, -0.2), (2.0, -0.2))]
    x, p = _grid()
    middle = fits.fit_divergence(x, p, *_moments()[:, None], reverse=True).item()
    bounds = [-math.log(share) for share in SHARES]
    kept = all(price <= bound for price, bound in zip(prices, bounds, strict=True))
    return 0.0 if kept and max(prices) < middle else math.inf


def _zero_is_forbidden() -> float:
    """Where the law is zero, forward asks nothing and reverse is infinite."""
    x = torch.arange(5, dtype=torch.float64)
    p = n.float64([0.0, 0.25, 0.5, 0.25, 0.0])
    mu, sigma = n.float64([2.0]), n.float64([0.8])
    q = torch.softmax(-0.5 * ((x - 2) / 0.8) ** 2, dim=0)
    inside = sum(a * math.log(a / b) for a, b in zip(p.tolist(), q.tolist(), strict=True) if a)
    forward = fits.fit_divergence(x, p, mu, sigma)
    reverse = fits.fit_divergence(x, p, mu, sigma, reverse=True)
    return abs(forward.item() - inside) if reverse.item() == math.inf else math.inf


LOGITS = (-6.0, -1.3, -0.03, -0.019, 0.004, 0.019, 0.021, 0.7, 4.0)
"""Log odds on both sides of the place where the formula is replaced by its series."""


def _grey_values_have_mass_one() -> float:
    grey, weight = n.gauss_legendre(30)
    logits = n.float64(LOGITS)[:, None].expand(-1, 30).reshape(-1, 1)
    nll = likelihoods.bernoulli_nll(logits, grey.repeat(len(LOGITS))[:, None])
    density = (likelihoods.continuous_bernoulli_log_normaliser(logits) - nll).exp()
    mass = density.reshape(-1, 30) @ weight
    return n.gap(mass, torch.ones_like(mass))


def _normaliser_of_several_pixels() -> float:
    logits = 2 * n.normal(5, 3, 1, 2, 4)
    ink = torch.sigmoid(logits)
    each = (2 * torch.atanh(1 - 2 * ink) / (1 - 2 * ink)).log()
    found = likelihoods.continuous_bernoulli_log_normaliser(logits)
    at_half = likelihoods.continuous_bernoulli_log_normaliser(torch.zeros(1, 3).double())
    expected = torch.cat([each.sum(dim=(1, 2, 3)), n.float64([math.log(8)])])
    return n.gap(torch.cat([found, at_half]), expected)


def _normaliser_in_symbols() -> float:
    a = sympy.Symbol("a", positive=True)  # a < 0 follows from the symmetry of both sides
    ink = 1 / (1 + sympy.exp(-a))
    constant = 2 * sympy.atanh(1 - 2 * ink) / (1 - 2 * ink)
    limit = sympy.limit(a / sympy.tanh(a / 2), a, 0)
    form = (constant - a / sympy.tanh(a / 2)).rewrite(sympy.exp).rewrite(sympy.log)
    return n.exact(form, limit - 2)


def _bound_by_quadrature() -> float:
    """Compare the noisy density with the mass of a bin, for a density that is not flat there."""
    count, width = 4, 0.5
    u, weight = n.gauss_legendre(20)
    edges = 2 * torch.arange(count).double() / count - 1
    x = edges[:, None] + width * u  # (4, 20)

    def log_density(x: Tensor) -> Tensor:
        return 0.9 * x - math.log(2 * math.sinh(0.9) / 0.9)

    mass = width * (log_density(x).exp() @ weight)
    exact = (torch.exp(0.9 * (edges + width)) - torch.exp(0.9 * edges)) / (2 * math.sinh(0.9))
    noisy = likelihoods.bits_per_dimension(-(log_density(x) @ weight), 1, bin_width=width)
    true = likelihoods.bits_per_dimension(-exact.log(), 1)
    # the loss is the same in every bin: the density is exponential, and its mean is at the middle
    loss = math.log2(math.sinh(0.225) / 0.225)
    return max(n.gap(mass, exact), n.gap(true, -exact.log2()), n.gap(noisy - true, true * 0 + loss))


def _flat_density_in_bits() -> float:
    nll = n.float64([[6 * math.log(2.0), 6 * math.log(2.0) + 3.0]])
    found = likelihoods.bits_per_dimension(nll, 6, bin_width=2 / 256)
    return n.gap(found, n.float64([[8.0, 8.0 + 0.5 / math.log(2)]]))


def _noise_fills_the_bins() -> float:
    rng = torch.Generator().manual_seed(6)
    levels = torch.randint(0, 7, (40_000,), generator=rng)
    x = likelihoods.dequantise(levels, count=7, rng=rng)
    u = (x + 1) * 7 / 2 - levels
    if not bool(((u >= 0) & (u < 1)).all()):
        return math.inf
    byte = likelihoods.dequantise(levels, rng=rng)
    if not bool((((byte + 1) * 128).floor() == levels).all()):
        return math.inf
    return max(
        n.standard_errors(u, 0.5, 12**-0.5),
        n.standard_errors((u - 0.5) ** 2, 1 / 12, 180**-0.5),
        n.standard_errors((u - 0.5) * (levels - 3), 0.0, (4 / 12) ** 0.5),
    )


THEIS = "Theis, van den Oord and Bethge (2016), section 3.1, https://arxiv.org/abs/1511.01844"
GOODFELLOW = "Goodfellow (2016), https://arxiv.org/abs/1701.00160"

PROOFS = (
    Proof(
        id="probability.cross_entropy",
        title="Maximum likelihood minimises a KL divergence",
        statement=r"""\begin{aligned} \mathrm{KL}(p \Vert q) &= H(p, q) - H(p)
            = \sum_i p_i \log \frac{p_i}{q_i}, \qquad
            \nabla_\theta\, \mathrm{KL}(p \Vert p_\theta)
            = -\nabla_\theta\, \mathbb E_{p} \log p_\theta(x), \\
            \arg\min_\theta\, \mathrm{KL}(p \Vert p_\theta)
            &= \arg\max_\theta\, \mathbb E_{p} \log p_\theta(x) \end{aligned}""",
        assumptions=r"Finite entropy $H(p)$, and $q > 0$ wherever $p > 0$; $q$ may be any such "
        r"law, also $p_\theta$. On a data set, $p$ is the law that gives each example the same "
        r"share.",
        source="Shannon (1948), sections 6 and 7, "
        f"https://doi.org/10.1002/j.1538-7305.1948.tb01338.x; {GOODFELLOW}",
        checks=(
            Check("enumeration", "both entropies against plain sums", _entropies_by_hand, 1e-14),
            Check(
                "enumeration",
                "their difference against the divergence, laws with a zero included",
                _difference_is_the_divergence,
                1e-14,
            ),
            Check(
                "enumeration",
                "the divergence against a plain sum; infinite for a law with a zero",
                _divergence_by_hand,
                1e-14,
            ),
            Check("autograd", "gradients for 4 laws on 6 points", _same_gradient, 1e-14),
            Check(
                "optimisation",
                "the most likely law of 11 draws is their frequencies, and costs their entropy",
                _frequencies_are_most_likely,
                1e-12,
            ),
        ),
    ),
    Proof(
        id="probability.moment_match",
        title="The forward KL divergence matches mean and variance",
        statement=r"""\arg\min_{\mu, \sigma}\,
            \mathrm{KL}\!\left(p \,\Vert\, N(\mu, \sigma^2)\right)
            = \left( \mathbb E_p[x],\; \sqrt{\mathrm{Var}_p[x]} \right)""",
        assumptions=r"The law $p$ has a density and a finite variance; it need not be Gaussian.",
        source=f"{GOODFELLOW}; Minka (2001), https://arxiv.org/abs/1301.2294",
        checks=(
            Check(
                "optimisation",
                "Newton's method on the package's divergence, for a law with two modes",
                _forward_fit,
                1e-11,
            ),
            Check(
                "quadrature",
                "both directions on the grid against integrals over the line",
                _divergences_by_quadrature,
                1e-11,
            ),
        ),
    ),
    Proof(
        id="probability.reverse_kl",
        title="The reverse KL divergence settles on one mode",
        statement=r"""\mathbb E_q\!\left[\tfrac{d}{dx} \log p\right] = 0, \qquad
            -\,\mathbb E_q\!\left[\tfrac{d^2}{dx^2} \log p\right] = \frac{1}{\sigma^2}, \qquad
            \min_q\, \mathrm{KL}\!\left(q \Vert \textstyle\sum_k \pi_k p_k\right)
            \le -\log \max_k \pi_k""",
        assumptions=r"$q = N(\mu, \sigma^2)$; the two equations hold at each local minimum of "
        r"$\mathrm{KL}(q \Vert p)$ over $\mu$ and $\sigma$, the bound for a mixture of Gaussians "
        r"$p_k$ with shares $\pi_k$. If the modes lie far apart, each has a minimum of its own.",
        source="Opper and Archambeau (2009), https://doi.org/10.1162/neco.2008.08-07-592; "
        f"{GOODFELLOW}",
        checks=(
            Check(
                "optimisation",
                "slope and curvature of log p, averaged over the fits at two modes",
                _stationary_reverse_fit,
                1e-11,
            ),
            Check(
                "optimisation",
                "each mode costs at most -log of its share, and less than the fit between them",
                _price_of_one_mode,
                1e-11,
            ),
            Check(
                "enumeration",
                "where the law is zero, forward asks nothing and reverse is infinite",
                _zero_is_forbidden,
                1e-14,
            ),
        ),
    ),
    Proof(
        id="probability.continuous_bernoulli",
        title="The Bernoulli formula needs a factor on grey values",
        statement=r"""\int_0^1 C(\lambda)\, \lambda^t (1 - \lambda)^{1 - t}\, dt = 1, \qquad
            C(\lambda) = \frac{2\,\mathrm{artanh}(1 - 2\lambda)}{1 - 2\lambda}
            = \frac{a}{\tanh(a / 2)}, \qquad C(\tfrac12) = 2""",
        assumptions=r"$\lambda = 1 / (1 + e^{-a})$ with any real log odds $a$; "
        r"the value at $\lambda = \frac12$ is the limit.",
        source="Loaiza-Ganem and Cunningham (2019), section 3, https://arxiv.org/abs/1907.06845",
        checks=(
            Check(
                "quadrature",
                "mass of the density for 9 log odds, tiny ones included",
                _grey_values_have_mass_one,
                1e-13,
            ),
            Check(
                "enumeration",
                "the sum over pixels against the formula in lambda",
                _normaliser_of_several_pixels,
                1e-10,
            ),
            Check("SymPy identity", "the two forms, and the limit", _normaliser_in_symbols, 0),
        ),
    ),
    Proof(
        id="probability.dequantisation",
        title="Noise turns a density into a bound on bits",
        statement=r"""-\log_2 P(k) = -\log_2 \int_{\text{bin } k} p(x)\, dx
            \;\le\; \mathbb E_u\!\left[ -\log_2 p(x_k + \delta u) \right] - D \log_2 \delta""",
        assumptions=r"$D$ stored values in bins of width $\delta$ that begin at $x_k$; the noise "
        r"$u$ is uniform on $[0, 1)^D$. Equal only where $p$ is flat over the bin.",
        source=f"Uria, Murray and Larochelle (2013), https://arxiv.org/abs/1306.0186; {THEIS}",
        checks=(
            Check(
                "quadrature",
                "4 bins of an exponential density, where the loss is known",
                _bound_by_quadrature,
                1e-12,
            ),
            Check(
                "enumeration", "a flat density costs 8 bits a byte", _flat_density_in_bits, 1e-14
            ),
            Check(
                "Monte-Carlo",
                "mean, variance and independence of the noise, in standard errors",
                _noise_fills_the_bins,
                6,
            ),
        ),
    ),
)

ROWS = {
    "D01": ("probability.cross_entropy",),
    "D02": ("probability.moment_match", "probability.reverse_kl"),
    "D06": ("vae.gaussian_nll", "vae.bernoulli_nll", "probability.continuous_bernoulli"),
}
"""Rows of the table of derivations that these proofs cover."""
