"""Proofs about the linear VAE: its terms, its optimum in every direction, and factor analysis."""

from __future__ import annotations

import math

import sympy
import torch
from torch import Tensor
from torch.distributions import MultivariateNormal

from genimg_course.maths import gaussians, likelihoods, linear_vae
from genimg_course.maths.proofs import numerics as n
from genimg_course.maths.proofs.engine import Check, Proof

__all__ = ["PROOFS", "ROWS"]

VARIANCES = (3.0, 1.4, 0.5, 0.2)
"""Variances of the data along four directions."""


def _covariance() -> tuple[Tensor, Tensor]:
    """Return the variances and a covariance that has them along turned axes."""
    axes, _ = torch.linalg.qr(n.normal(1, 4, 4))
    variances = n.float64(VARIANCES)
    return variances, axes @ variances.diag() @ axes.T


def _terms_by_quadrature() -> float:
    noise, side, latents = 0.7, 3, 2
    root, decoder = n.normal(2, side, side), n.normal(3, side, latents)
    encoder, logvar = n.normal(4, latents, side), n.normal(5, latents)
    nodes, weight = n.gauss_hermite(3, side + latents)
    x = nodes[:, :side] @ root.T
    mu = x @ encoder.T
    z = mu + (0.5 * logvar).exp() * nodes[:, side:]
    nll = likelihoods.gaussian_nll(z @ decoder.T, x, sigma=noise**0.5)
    each = 0.5 * (mu.square() + logvar.exp() - 1 - logvar)
    found = linear_vae.linear_vae_terms(decoder, encoder, logvar, root @ root.T, noise=noise)
    rate = weight @ gaussians.gaussian_kl(mu, logvar.expand_as(mu))
    return max(
        n.gap(found[0], weight @ nll), n.gap(found[1], weight @ each), n.gap(found[1].sum(), rate)
    )


def _optimum(beta: float, noise: float, latents: int) -> float:
    variances, covariance = _covariance()
    split = (4 * latents, 4 * latents, latents)

    def terms(v: Tensor) -> tuple[Tensor, Tensor]:
        decoder, encoder, logvar = v.split(split)
        shaped = decoder.reshape(4, latents), encoder.reshape(latents, 4)
        return linear_vae.linear_vae_terms(*shaped, logvar, covariance, noise=noise)

    def loss(v: Tensor) -> Tensor:
        distortion, rate = terms(v)
        return distortion + beta * rate.sum()

    found = n.minimise(loss, 0.4 * n.normal(6, sum(split)))
    best = linear_vae.optimal_linear_vae(variances, beta=beta, noise=noise)
    decoder, _, logvar = found.split(split)
    distortion, rate = terms(found)
    weights = torch.linalg.svdvals(decoder.reshape(4, latents)).square()
    return max(
        n.gap(weights, best["weight_squared"][:latents]),
        n.gap(logvar.exp().sort().values, best["spread"][:latents]),
        n.gap(rate.sort(descending=True).values, best["rate"][:latents]),
        n.gap(distortion, best["distortion"].sum()),
        n.gap(loss(found), best["loss"].sum()),
    )


def _loss_of_one_direction() -> float:
    """Compare the loss of one direction, before and after v and s are eliminated, by package."""
    beta, noise, variance = 1.7, 0.4, 2.3
    constant = 0.5 * math.log(2 * math.pi * noise)

    def loss(w: Tensor, v: Tensor, logvar: Tensor) -> Tensor:
        cov = n.float64([[variance]])
        distortion, rate = linear_vae.linear_vae_terms(
            w.reshape(1, 1), v.reshape(1, 1), logvar.reshape(1), cov, noise=noise
        )
        return distortion + beta * rate.sum() - constant

    worst, c = 0.0, n.float64(beta * noise)
    for w, v, logvar in n.normal(13, 5, 3):
        s = logvar.exp()
        by_hand = ((1 - w * v) ** 2 * variance + w**2 * s) / (2 * noise)
        by_hand = by_hand + beta * (v**2 * variance + s - 1 - logvar) / 2
        u = w**2 + c
        short = beta / 2 * (variance / u + (u / c).log())

        def loss_of_encoder(encoder: Tensor, w: Tensor = w) -> Tensor:
            return loss(w, encoder[0], encoder[1])

        best = n.minimise(loss_of_encoder, torch.zeros(2, dtype=torch.float64))
        found = torch.stack([best[0], best[1].exp(), loss(w, best[0], best[1])])
        worst = max(
            worst,
            n.gap(loss(w, v, logvar), by_hand),
            n.gap(found, torch.stack([w / u, c / u, short])),
        )
    return worst


def _elimination_in_symbols() -> float:
    w, v = sympy.symbols("w v", real=True)
    s, size, noise, beta = sympy.symbols("s lambda nu beta", positive=True)
    loss = ((1 - w * v) ** 2 * size + w**2 * s) / (2 * noise)
    loss += beta * (v**2 * size + s - 1 - sympy.log(s)) / 2
    c = beta * noise
    u = w**2 + c
    best = {v: w / u, s: c / u}
    left = sympy.expand_log(loss.subs(best) - beta * (size / u + sympy.log(u / c)) / 2, force=True)
    # v and s do not mix, and both bends are positive: the stationary point is the minimum
    return n.exact(
        sympy.diff(loss, v).subs(best),
        sympy.diff(loss, s).subs(best),
        left,
        sympy.diff(loss, v, s),
        sympy.diff(loss, v, 2) - size * u / noise,
        sympy.diff(loss, s, 2) - beta / (2 * s**2),
    )


def _statement() -> float:
    variances, beta, noise = n.float64([3.0, 1.4, 0.5, 0.2]), 4.0, 0.125
    best = linear_vae.optimal_linear_vae(variances, beta=beta, noise=noise)
    constant = 0.5 * math.log(2 * math.pi * noise)
    alive = beta / 2 * (1 + (variances[:2] / 0.5).log())
    empty = variances[2:] / (2 * noise)
    # the third lies on the threshold, and its code is empty
    active = linear_vae.active_units(variances, beta=beta, noise=noise)
    plain = linear_vae.active_units(variances, noise=0.4)
    default = linear_vae.optimal_linear_vae(variances, noise=0.4)
    return max(
        n.gap(best["loss"], torch.cat([alive, empty]) + constant),
        abs(active - 2),
        abs(plain - 3),
        n.gap(default["loss"], default["distortion"] + default["rate"]),
        n.gap(default["spread"], n.float64([0.4 / 3, 0.4 / 1.4, 0.8, 1.0])),
    )


def _only_the_product_counts() -> float:
    variances = n.float64(VARIANCES)
    one = linear_vae.optimal_linear_vae(variances, beta=3.0, noise=0.2)
    other = linear_vae.optimal_linear_vae(variances, noise=0.6)
    return max(n.gap(one[key], other[key]) for key in ("weight_squared", "spread", "rate"))


def _beta_is_noise() -> float:
    beta, sigma = 2.5, 0.4
    inputs = [n.normal(7 + k, 3, side).requires_grad_() for k, side in enumerate((4, 2, 2))]
    x_hat, mu, logvar = inputs
    x, rate = n.normal(10, 3, 4), gaussians.gaussian_kl(mu, logvar)
    weighted = likelihoods.gaussian_nll(x_hat, x, sigma=sigma) + beta * rate
    wide = likelihoods.gaussian_nll(x_hat, x, sigma=sigma * beta**0.5) + rate
    slopes = (
        torch.autograd.grad(f.sum(), inputs, retain_graph=True) for f in (weighted, beta * wide)
    )
    return max(n.gap(a, b) for a, b in zip(*slopes, strict=True))


def _evidence(decoder: Tensor, covariance: Tensor, noise: float) -> Tensor:
    """Return the mean log density of the data under ``N(0, W W' + noise I)``."""
    eye = torch.eye(len(covariance), dtype=torch.float64)
    law = MultivariateNormal(torch.zeros_like(covariance[0]), decoder @ decoder.T + noise * eye)
    root = torch.linalg.cholesky(covariance)
    # the mean of a quadratic form: points at the columns of the root, the constant counted once
    points = law.log_prob(root.T)
    return points.sum() - (len(points) - 1) * law.log_prob(torch.zeros_like(covariance[0]))


def _factor_analysis() -> float:
    noise = 0.35
    variances, covariance = _covariance()
    found = n.minimise(
        lambda v: -_evidence(v.reshape(4, 3), covariance, noise), 0.5 * n.normal(11, 12)
    ).reshape(4, 3)
    best = linear_vae.optimal_linear_vae(variances, noise=noise)
    return max(
        n.gap(_evidence(found, covariance, noise), -best["loss"].sum()),
        n.gap(torch.linalg.svdvals(found).square(), best["weight_squared"][:3]),
    )


def _best_noise_of_factor_analysis() -> float:
    variances, covariance = _covariance()

    def loss(v: Tensor) -> Tensor:
        noise = v[-1].exp()
        eye = torch.eye(4, dtype=torch.float64)
        model = v[:-1].reshape(4, 2) @ v[:-1].reshape(4, 2).T + noise * eye
        return 0.5 * (torch.logdet(model) + torch.linalg.solve(model, covariance).trace())

    found = n.minimise(loss, torch.cat([0.5 * n.normal(12, 8), n.float64([0.0])]))
    dropped = variances[2:].mean()
    best = linear_vae.optimal_linear_vae(variances, noise=dropped.item())
    weights = torch.linalg.svdvals(found[:-1].reshape(4, 2)).square()
    return max(n.gap(found[-1].exp(), dropped), n.gap(weights, best["weight_squared"][:2]))


PROOFS = (
    Proof(
        id="vae.linear_terms",
        title="Rate and distortion of a linear VAE need the covariance only",
        statement=r"""\begin{aligned}
            D &= \frac{\mathrm{tr}\left((I - WV)\,\Sigma\,(I - WV)^\top
            + W\,\mathrm{diag}(s)\,W^\top\right)}{2\sigma^2} + \frac d2 \log 2\pi\sigma^2, \\
            R_j &= \frac12 \left( (V \Sigma V^\top)_{jj} + s_j - 1 - \log s_j \right)
            \end{aligned}""",
        assumptions=r"Centred data of $d$ pixels with covariance $\Sigma$, decoder "
        r"$\mathcal N(Wz, \sigma^2 I)$, encoder $\mathcal N(Vx, \mathrm{diag}(s))$.",
        source="Lucas et al. (2019), https://arxiv.org/abs/1911.02469",
        checks=(
            Check(
                "quadrature",
                "means of the package's likelihood and KL over pictures and codes",
                _terms_by_quadrature,
                1e-11,
            ),
        ),
    ),
    Proof(
        id="vae.linear_optimum",
        title="The best linear VAE, direction by direction",
        statement=r"""\begin{aligned}
            F &= D + \beta R - \tfrac12 \log 2\pi\sigma^2
            = \frac{(1 - wv)^2 \lambda + w^2 s}{2\sigma^2}
            + \beta\, \tfrac12 \left( v^2 \lambda + s - 1 - \log s \right), \\
            \min_{v, s} F &= \frac\beta2 \left( \frac\lambda u + \log \frac uc \right)
            \;\text{ at } v = \frac wu,\; s = \frac cu, \qquad
            c = \beta\sigma^2,\; u = w^2 + c \ge c, \\
            F_i &= \min_{w_i, v_i, s_i} F = \begin{cases}
            \dfrac\beta2 \left( 1 + \log \dfrac{\lambda_i}{\beta\sigma^2} \right)
            & \lambda_i > \beta\sigma^2, \\
            \dfrac{\lambda_i}{2\sigma^2} & \text{otherwise,} \end{cases}
            \quad w_i^2 = \max(\lambda_i - \beta\sigma^2, 0),
            \quad s_i = \min\left(1, \frac{\beta\sigma^2}{\lambda_i}\right)
            \end{aligned}""",
        assumptions=r"Fixed $\sigma^2$; the data have variances $\lambda_i$ along their principal "
        r"directions, and there are at least as many latents as active directions. The loss of "
        r"each direction leaves out its constant $\frac12 \log 2\pi\sigma^2$.",
        source="Tipping and Bishop (1999), section 3, https://doi.org/10.1111/1467-9868.00196; "
        "Lucas et al. (2019), https://arxiv.org/abs/1911.02469; "
        "Dai et al. (2018), https://arxiv.org/abs/1706.05148",
        checks=(
            Check(
                "SymPy identity",
                "slopes in v and s at their best values, what is left, both bends",
                _elimination_in_symbols,
                0,
            ),
            Check(
                "optimisation",
                "the package's terms of one direction, five decoders: best v, s and loss",
                _loss_of_one_direction,
                1e-10,
            ),
            Check(
                "optimisation",
                "full matrices on turned axes, beta 0.7 and 4: singular values, spreads, terms",
                lambda: max(_optimum(0.7, 0.5, 3), _optimum(4.0, 0.2, 3)),
                1e-8,
            ),
            Check(
                "enumeration",
                "the package's losses and active units, one direction on the threshold",
                _statement,
                1e-12,
            ),
        ),
    ),
    Proof(
        id="vae.beta_is_noise",
        title="Beta is a noise variance in disguise",
        statement=r"""\frac{\lVert x - \hat x \rVert^2}{2\sigma^2} + \beta\,\mathrm{KL}
            = \beta \left( \frac{\lVert x - \hat x \rVert^2}{2 \beta\sigma^2}
            + \mathrm{KL} \right)""",
        assumptions=r"A Gaussian decoder with fixed $\sigma$. Weights and spreads then depend on "
        r"$\beta$ and $\sigma^2$ through their product only.",
        source="Rybkin, Daniilidis and Levine (2021), https://arxiv.org/abs/2006.13202",
        checks=(
            Check(
                "autograd",
                "gradients for beta and sigma against beta times those for 1 and sqrt(beta) sigma",
                _beta_is_noise,
                1e-12,
            ),
            Check(
                "enumeration",
                "the optimum of the linear VAE for (3, 0.2) and (1, 0.6)",
                _only_the_product_counts,
                1e-12,
            ),
        ),
    ),
    Proof(
        id="vae.factor_analysis",
        title="At beta = 1 the linear VAE is probabilistic principal component analysis",
        statement=r"""\max_W \mathbb E_x \log \mathcal N(x;\, 0, W W^\top + \sigma^2 I)
            = - \min_{W, V, s} \left( D + R \right), \qquad
            \sigma^{2*} = \frac{1}{d - Z} \sum_{i > Z} \lambda_i""",
        assumptions=r"$Z$ latents, all active; for the posterior of a linear decoder with "
        r"orthogonal columns a diagonal encoder is exact, so the bound has no gap.",
        source="Tipping and Bishop (1999), section 3, https://doi.org/10.1111/1467-9868.00196; "
        "Lucas et al. (2019), https://arxiv.org/abs/1911.02469",
        checks=(
            Check(
                "optimisation",
                "the largest likelihood over the decoder alone, fixed noise",
                _factor_analysis,
                1e-8,
            ),
            Check(
                "optimisation",
                "the best noise is the mean of the dropped variances",
                _best_noise_of_factor_analysis,
                1e-8,
            ),
        ),
    ),
)

ROWS = {
    "D15": (
        "vae.collapse_threshold",
        "vae.linear_terms",
        "vae.linear_optimum",
        "vae.factor_analysis",
    )
}
"""Rows of the list of derivations and the proofs that cover them."""
