"""Proofs about the reconstruction term: which likelihood a loss is, and what a mean does to it."""

from __future__ import annotations

import math

import sympy
import torch
import torch.nn.functional as F
from torch import Tensor

from genimg_course import losses
from genimg_course.maths import gaussians, likelihoods
from genimg_course.maths.proofs import numerics as n
from genimg_course.maths.proofs.engine import Check, Proof

__all__ = ["PROOFS"]


def _probabilities_of_all_binary_images() -> float:
    images = n.tuples(2, 6).double()  # (64, 6)
    logits = 2 * n.normal(1, 1, 6)
    ink = torch.sigmoid(logits)
    probability = torch.where(images == 1, ink, 1 - ink).prod(dim=1)
    nll = likelihoods.bernoulli_nll(logits.expand(64, 6), images)
    return max(n.gap(nll, -probability.log()), abs(nll.neg().exp().sum().item() - 1))


def _sure_pixels() -> float:
    logits, ink = n.float64([[-800.0], [-800.0], [800.0], [800.0]]), n.float64([[0, 1, 0, 1]]).T
    return n.gap(likelihoods.bernoulli_nll(logits, ink), n.float64([0.0, 800.0, 800.0, 0.0]))


def _normaliser_in_symbols() -> float:
    a, t = sympy.symbols("a t", positive=True)  # a < 0 follows from t -> 1 - t
    ink = 1 / (1 + sympy.exp(-a))
    integral = sympy.integrate((1 - ink) * sympy.exp(a * t), (t, 0, 1))
    constant = 2 * sympy.atanh(1 - 2 * ink) / (1 - 2 * ink)
    return n.exact((integral * constant - 1).rewrite(sympy.log))


def _normaliser_of_the_loss() -> float:
    grey, weight = n.gauss_legendre(20)
    worst = 0.0
    for a in (-3.0, -0.4, 1.0, 2.5):
        nll = likelihoods.bernoulli_nll(torch.full((20, 1), a, dtype=torch.float64), grey[:, None])
        x = 1 - 2 * torch.sigmoid(n.float64(a))
        worst = max(worst, abs((weight @ nll.neg().exp() * 2 * x.atanh() / x).item() - 1))
    return worst


def _gaussian_law() -> float:
    mean, sigma = 0.7, 0.6
    x, weight = n.gauss_legendre(60)
    x = 20 * sigma * (x - 0.5) + mean
    mass = weight * 20 * sigma
    nll = likelihoods.gaussian_nll(
        torch.full((60, 1), mean, dtype=torch.float64), x[:, None], sigma=sigma
    )
    moments = torch.stack([mass @ (nll.neg().exp() * (x - mean) ** k) for k in range(3)])
    return n.gap(moments, n.float64([1.0, 0.0, sigma**2]))


def _gaussian_density_of_pictures() -> float:
    x, x_hat, sigma = n.normal(8, 4, 5), n.normal(9, 4, 5), 0.6
    spread = torch.full_like(x, sigma)
    law = torch.distributions.Independent(torch.distributions.Normal(x_hat, spread), 1)
    by_hand = (x - x_hat).square().sum(dim=1) / (2 * sigma**2)
    by_hand = by_hand + 5 * math.log(sigma) + 2.5 * math.log(2 * math.pi)
    nll = likelihoods.gaussian_nll(x_hat, x, sigma=sigma)
    return max(n.gap(nll, -law.log_prob(x)), n.gap(nll, by_hand))


def _gaussian_gradient() -> float:
    x, x_hat, sigma = n.normal(2, 5, 8), n.normal(3, 5, 8).requires_grad_(), 0.3
    nll = likelihoods.gaussian_nll(x_hat, x, sigma=sigma).mean()
    (slope,) = torch.autograd.grad(nll, x_hat)
    (half,) = torch.autograd.grad(losses.squared_error(x_hat, x) / (2 * sigma**2), x_hat)
    return n.gap(slope, half)


def _loss_with_means(latent_mean: bool) -> float:
    x = n.law(4, 3, 1, 4, 5)
    x = 2 * x / x.amax() - 1
    inputs = [v.requires_grad_() for v in (n.normal(5, 3, 1, 4, 5), *n.normal(6, 2, 3, 4))]
    logits, mu, logvar = inputs
    pixels, latent_dim, beta = 20, 4, 1.5
    kl = 0.5 * (mu**2 + logvar.exp() - 1 - logvar)  # (3, 4)
    rate = kl.mean() if latent_mean else kl.sum(dim=1).mean()
    means = F.binary_cross_entropy_with_logits(logits, (x + 1) / 2) + beta * rate
    real_beta = likelihoods.effective_beta(
        beta, pixels, latent_dim, pixel_mean=True, latent_mean=latent_mean
    )
    sums = losses.negative_elbo(x, logits, mu, logvar, beta=real_beta) / pixels
    slopes = (torch.autograd.grad(loss, inputs) for loss in (means, sums))
    return max(n.gap(a, b) for a, b in zip(*slopes, strict=True))


def _weight_of_sums() -> float:
    """With sums over pixels the weight is what was written, or its share of a latent."""
    sums = likelihoods.effective_beta(1.5, 20, 4)
    mean = likelihoods.effective_beta(1.5, 20, 4, latent_mean=True)
    return max(abs(sums - 1.5), abs(mean - 1.5 / 4))


LAMBDA = (3.0, 1.2, 0.2)
"""Variances of the data along three directions."""


def _linear_vae(parameters: Tensor, beta: float, sigma: float) -> Tensor:
    """Return the beta-ELBO of each direction, negative, exact by quadrature, ``(3,)``."""
    decoder, encoder, logvar = parameters.reshape(3, -1)
    nodes, weight = n.gauss_hermite(3, 2)  # x and z, both Gaussian; the loss is quadratic in them
    x = nodes[:, :1] * n.float64(LAMBDA).sqrt()  # (9, 3)
    mu = encoder * x
    z = mu + (0.5 * logvar).exp() * nodes[:, 1:]
    rate = gaussians.gaussian_kl(mu.reshape(-1, 1), logvar.expand_as(mu).reshape(-1, 1))
    nll = likelihoods.gaussian_nll((decoder * z).reshape(-1, 1), x.reshape(-1, 1), sigma=sigma)
    return weight @ (nll + beta * rate).reshape_as(x)


def _collapse(beta: float) -> float:
    sigma = 0.5**0.5
    noise = beta * sigma**2
    best = n.minimise(
        lambda v: _linear_vae(v, beta, sigma).sum(), torch.full((9,), 0.3, dtype=torch.float64)
    )
    lam = n.float64(LAMBDA)
    variance = torch.where(lam > noise, noise / lam, 1)
    gain = beta / 2 * (1 + (lam / noise).log())
    least = torch.where(lam > noise, gain, lam / (2 * sigma**2))
    least = least + math.log(sigma) + 0.5 * math.log(2 * math.pi)
    found = torch.cat([best[:3].square(), best[6:].exp(), _linear_vae(best, beta, sigma)])
    return n.gap(found, torch.cat([(lam - noise).clamp_min(0), variance, least]))


def _collapse_in_symbols() -> float:
    lam, noise, gain, w, v, s = sympy.symbols("lambda nu d w v s", positive=True)
    # the loss of one direction over beta, with noise = beta sigma^2 and lambda = noise + gain
    loss = ((1 - w * v) ** 2 * lam + w**2 * s) / (2 * noise)
    loss += (v**2 * lam + s - 1 - sympy.log(s)) / 2
    optimum = {w: sympy.sqrt(gain), v: sympy.sqrt(gain) / lam, s: noise / lam}
    slopes = [sympy.diff(loss, letter).subs(optimum) for letter in (w, v, s)]
    return n.exact(*(slope.subs(lam, noise + gain) for slope in slopes))


PROOFS = (
    Proof(
        id="vae.bernoulli_nll",
        title="The cross-entropy from logits is the negative Bernoulli log-likelihood",
        statement=r"""\begin{aligned}
            -\log \prod_i \sigma(a_i)^{t_i} \left(1 - \sigma(a_i)\right)^{1 - t_i}
            &= \sum_i \left( \log(1 + e^{a_i}) - a_i t_i \right), \\
            \int_0^1 \lambda^t (1 - \lambda)^{1 - t}\,dt
            &= \frac{1}{C(\lambda)}, \qquad
            C(\lambda) = \frac{2\,\mathrm{artanh}(1 - 2\lambda)}{1 - 2\lambda}
            \end{aligned}""",
        assumptions=r"Independent pixels. The first line is a likelihood for binary $t_i$; on grey "
        r"values the factor $C(\lambda)$, $\lambda = \sigma(a) \ne \frac12$, is missing.",
        source="Kingma and Welling (2014), appendix C.1, https://arxiv.org/abs/1312.6114; "
        "Loaiza-Ganem and Cunningham (2019), section 3, https://arxiv.org/abs/1907.06845",
        checks=(
            Check(
                "enumeration",
                "probabilities of all 64 binary images of 6 pixels, and their sum",
                _probabilities_of_all_binary_images,
                1e-12,
            ),
            Check(
                "enumeration",
                "a pixel of which the model is sure costs its logit if it is wrong, else nothing",
                _sure_pixels,
                1e-12,
            ),
            Check("SymPy identity", "the integral times C is 1", _normaliser_in_symbols, 0),
            Check(
                "quadrature",
                "the package's loss integrates to 1 / C over grey values",
                _normaliser_of_the_loss,
                1e-12,
            ),
        ),
    ),
    Proof(
        id="vae.gaussian_nll",
        title="The squared error is a Gaussian negative log-likelihood",
        statement=r"""-\log \mathcal N(x;\, \hat x, \sigma^2 I)
            = \frac{\lVert x - \hat x \rVert^2}{2\sigma^2}
            + D \log\sigma + \frac D2 \log 2\pi""",
        assumptions=r"A fixed standard deviation $\sigma > 0$ for all $D$ pixels.",
        source="Kingma and Welling (2014), appendix C.2, https://arxiv.org/abs/1312.6114",
        checks=(
            Check(
                "quadrature",
                "mass, mean and variance of the law whose loss it is",
                _gaussian_law,
                1e-12,
            ),
            Check(
                "enumeration",
                "4 pictures of 5 pixels: the formula and the density of torch.distributions",
                _gaussian_density_of_pictures,
                1e-12,
            ),
            Check(
                "autograd",
                "gradient equals that of the squared error over twice the variance",
                _gaussian_gradient,
                1e-12,
            ),
        ),
    ),
    Proof(
        id="vae.mean_reduction",
        title="A mean over pixels multiplies beta by their number",
        statement=r"""\frac1D \sum_{i=1}^D \ell_i + \frac{\beta}{m} \sum_{j=1}^Z k_j
            = \frac1D \left( \sum_{i=1}^D \ell_i + \beta_{\mathrm{eff}} \sum_{j=1}^Z k_j \right),
            \qquad \beta_{\mathrm{eff}} = \frac{\beta D}{m}""",
        assumptions=r"$\ell_i$ is the loss of a pixel, $k_j$ the KL term of a latent; $m = 1$ "
        r"for a sum over the $Z$ latents, $m = Z$ for a mean.",
        source="Kingma and Welling (2014), equation 10, https://arxiv.org/abs/1312.6114; "
        "Higgins et al. (2017), equation 4, https://openreview.net/forum?id=Sy2fzU9gl",
        checks=(
            Check(
                "autograd",
                "gradients for a mean over pixels, a sum over latents",
                lambda: _loss_with_means(False),
                1e-14,
            ),
            Check(
                "autograd",
                "gradients for a mean over pixels and over latents",
                lambda: _loss_with_means(True),
                1e-14,
            ),
            Check("enumeration", "sums over pixels leave the weight", _weight_of_sums, 1e-15),
        ),
    ),
    Proof(
        id="vae.collapse_threshold",
        title="A linear VAE drops the directions of small variance",
        statement=r"""w_i^2 = \max(\lambda_i - \beta\sigma^2,\, 0), \qquad
            s_i = \min\left(1,\, \frac{\beta\sigma^2}{\lambda_i}\right), \qquad
            \text{active} \iff \lambda_i > \beta\sigma^2""",
        assumptions=r"Data with uncorrelated directions of variance $\lambda_i$, decoder "
        r"$\mathcal N(w_i z_i, \sigma^2)$ with fixed $\sigma$, encoder $\mathcal N(v_i x_i, s_i)$, "
        r"KL weight $\beta$.",
        source="Tipping and Bishop (1999), section 3, https://doi.org/10.1111/1467-9868.00196; "
        "Lucas et al. (2019), https://arxiv.org/abs/1911.02469",
        checks=(
            Check(
                "optimisation",
                "weights, variances and loss of 3 directions, beta 1 and 4",
                lambda: max(_collapse(1.0), _collapse(4.0)),
                1e-8,
            ),
            Check(
                "SymPy identity", "the gradient vanishes at the solution", _collapse_in_symbols, 0
            ),
        ),
    ),
)
