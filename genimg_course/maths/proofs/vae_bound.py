"""Proofs about the evidence lower bound: what it misses, how it splits, and its KL term."""

from __future__ import annotations

import math
from functools import cache

import sympy
import torch
from torch import Tensor
from torch.distributions import MultivariateNormal, kl_divergence

from genimg_course import losses
from genimg_course.maths import divergences, elbo, gaussians, likelihoods
from genimg_course.maths.proofs import numerics as n
from genimg_course.maths.proofs.engine import Check, Proof

__all__ = ["PROOFS", "ROWS"]

SIGMA = 0.8
"""Standard deviation of a pixel of the linear Gaussian model below."""


@cache
def _model() -> tuple[Tensor, Tensor, MultivariateNormal, MultivariateNormal]:
    """Return decoder, image, ``p(x)`` and ``p(z | x)`` of a linear Gaussian model."""
    decoder, x = n.normal(1, 3, 2), n.normal(2, 3)
    marginal = MultivariateNormal(
        torch.zeros(3, dtype=torch.float64), decoder @ decoder.T + SIGMA**2 * _eye(3)
    )
    precision = _eye(2) + decoder.T @ decoder / SIGMA**2
    mean = torch.linalg.solve(precision, decoder.T @ x / SIGMA**2)
    return decoder, x, marginal, MultivariateNormal(mean, precision_matrix=precision)


def _eye(side: int) -> Tensor:
    return torch.eye(side, dtype=torch.float64)


def _encoder() -> tuple[Tensor, Tensor]:
    return n.normal(3, 1, 2), 0.5 * n.normal(4, 1, 2) - 0.5


def _elbo(mu: Tensor, logvar: Tensor) -> Tensor:
    """Return the bound of the linear Gaussian model, exact by quadrature."""
    decoder, x, _, _ = _model()
    nodes, weight = n.gauss_hermite(3, 2)
    z = mu + (0.5 * logvar).exp() * nodes
    nll = likelihoods.gaussian_nll(z @ decoder.T, x.expand(len(z), 3), sigma=SIGMA)
    return -weight @ nll - gaussians.gaussian_kl(mu, logvar)[0]


def _identity() -> float:
    _, x, marginal, posterior = _model()
    mu, logvar = _encoder()
    q = MultivariateNormal(mu[0], torch.diag(logvar[0].exp()))
    evidence = _elbo(mu, logvar) + kl_divergence(q, posterior)
    return n.gap(evidence, marginal.log_prob(x))


def _identity_of_log_ratios() -> float:
    """Average both log ratios of the identity over codes of the encoder."""
    decoder, x, marginal, posterior = _model()
    mu, logvar = _encoder()
    nodes, weight = n.gauss_hermite(3, 2)
    z = mu + (0.5 * logvar).exp() * nodes
    zero = torch.zeros_like(z)
    log_joint = gaussians.gaussian_log_density(z, zero, zero)
    log_joint -= likelihoods.gaussian_nll(z @ decoder.T, x.expand(len(z), 3), sigma=SIGMA)
    log_q = gaussians.gaussian_log_density(z, mu.expand_as(z), logvar.expand_as(z))
    bound, error = weight @ (log_joint - log_q), weight @ (log_q - posterior.log_prob(z))
    q = MultivariateNormal(mu[0], torch.diag(logvar[0].exp()))
    return max(
        n.gap(bound, _elbo(mu, logvar)),
        n.gap(error, kl_divergence(q, posterior)),
        n.gap(bound + error, marginal.log_prob(x)),
        -error.item(),
    )


def _best_encoder() -> float:
    posterior = _model()[3]
    best = n.minimise(
        lambda v: -_elbo(v[None, :2], v[None, 2:]), torch.zeros(4, dtype=torch.float64)
    )
    # the nearest diagonal Gaussian has the posterior's mean and the diagonal of its precision
    expected = torch.cat([posterior.mean, -posterior.precision_matrix.diagonal().log()])
    return n.gap(best, expected)


def _forms() -> float:
    mu, logvar = _encoder()
    nodes, weight = n.gauss_hermite(6, 2)
    z = mu + (0.5 * logvar).exp() * nodes  # (36, 2)
    logits = torch.tanh(z @ n.normal(5, 2, 4)) * 3
    x = n.float64([[1.0, -1.0, 1.0, 1.0]])
    log_ink = torch.where(x == 1, torch.sigmoid(logits), torch.sigmoid(-logits)).log()
    log_joint = log_ink.sum(dim=1) - 0.5 * (z.square() + math.log(2 * math.pi)).sum(dim=1)
    log_q = gaussians.gaussian_log_density(z, mu.expand_as(z), logvar.expand_as(z))
    first = -sum(
        w * losses.negative_elbo(x, a, mu, logvar)
        for w, a in zip(weight, logits[:, None], strict=True)
    )
    entropy = 0.5 * (1 + math.log(2 * math.pi) + logvar).sum()
    forms = torch.stack([weight @ log_joint + entropy, weight @ (log_joint - log_q)])
    return n.gap(forms, first.expand(2))


def _forms_from_samples() -> float:
    decoder, x, *_ = _model()
    mu, logvar = _encoder()
    nodes, _ = n.gauss_hermite(2, 2)  # four codes of equal weight, exact for quadratic logs
    z = mu + (0.5 * logvar).exp() * nodes
    zero = torch.zeros_like(z)
    log_likelihood = -likelihoods.gaussian_nll(z @ decoder.T, x.expand(4, 3), sigma=SIGMA)
    log_prior = gaussians.gaussian_log_density(z, zero, zero)
    log_q = gaussians.gaussian_log_density(z, mu.expand(4, 2), logvar.expand(4, 2))
    spread = logvar + n.float64([[0.0, 0.0], [0.4, -0.9], [-1.0, 0.2]])
    shift = 0.3 * n.float64([[0.0], [1.0], [2.0]])  # three images; only the first is the model's
    forms = elbo.elbo_forms(
        log_likelihood[:, None] - shift.T,
        log_prior[:, None].expand(4, 3),
        log_q[:, None].expand(4, 3),
        gaussians.gaussian_kl(mu, logvar).expand(3),
        gaussians.gaussian_entropy(spread),
    )
    law = MultivariateNormal(mu[0], torch.diag(logvar[0].exp()))
    exact = _elbo(mu, logvar) - shift[:, 0]
    excess = 0.5 * n.float64([0.0, -0.5, -0.8])  # what the other spreads add to the entropy
    joint = exact + excess
    entropies = n.gap(gaussians.gaussian_entropy(spread), law.entropy() + excess)
    expected = {"split": exact, "joint": joint, "ratio": exact}
    return max(entropies, *(n.gap(forms[key], value) for key, value in expected.items()))


def _surgery() -> float:
    encoder, prior = n.law(6, 6, 5), n.law(7, 5)
    aggregate = encoder.mean(dim=0)
    entropy = -(aggregate * aggregate.log()).sum()
    information = entropy + (encoder * encoder.log()).sum(dim=1).mean()
    rate = divergences.kl_divergence(encoder, prior.expand(6, 5)).mean()
    return n.gap(rate, information + divergences.kl_divergence(aggregate, prior))


def _kl_in_symbols() -> float:
    mu, eps = sympy.symbols("mu epsilon", real=True)
    sigma = sympy.Symbol("sigma", positive=True)
    z = mu + sigma * eps
    log_ratio = -(eps**2) / 2 - sympy.log(sigma) + z**2 / 2
    closed = (mu**2 + sigma**2 - 1 - sympy.log(sigma**2)) / 2
    return n.exact(sympy.expand_log(n.expectation(log_ratio, eps) - closed))


def _kl_by_quadrature() -> float:
    mu, logvar = n.normal(8, 7, 1), 2 * n.normal(9, 7, 1)
    nodes, weight = n.gauss_hermite(3)
    z = (mu + (0.5 * logvar).exp() * nodes.T).reshape(-1, 1)  # (21, 1)
    repeated = [v.repeat_interleave(3, dim=0) for v in (mu, logvar)]
    log_q = gaussians.gaussian_log_density(z, *repeated)
    log_p = gaussians.gaussian_log_density(z, torch.zeros_like(z), torch.zeros_like(z))
    expected = (log_q - log_p).reshape(7, 3) @ weight
    return n.gap(gaussians.gaussian_kl(mu, logvar), expected)


def _kl_gradient() -> float:
    mu, logvar = (v.requires_grad_() for v in n.normal(10, 2, 4, 3))
    slopes = torch.autograd.grad(gaussians.gaussian_kl(mu, logvar).sum(), (mu, logvar))
    return n.gap(torch.stack(slopes), torch.stack([mu, (logvar.exp() - 1) / 2]))


def _full_laws() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    roots = [n.normal(seed, 3, 3) for seed in (11, 12)]
    covariances = [root @ root.T + 0.3 * torch.eye(3, dtype=torch.float64) for root in roots]
    return n.normal(13, 3), covariances[0], n.normal(14, 3), covariances[1]


def _full_kl_by_quadrature() -> float:
    mu, covariance, prior_mu, prior_covariance = _full_laws()
    nodes, weight = n.gauss_hermite(3, 3)
    z = mu + nodes @ torch.linalg.cholesky(covariance).T
    first, second = (
        MultivariateNormal(mean, c) for mean, c in ((mu, covariance), (prior_mu, prior_covariance))
    )
    expected = weight @ (first.log_prob(z) - second.log_prob(z))
    return n.gap(gaussians.gaussian_kl_full(*_full_laws()), expected)


def _full_kl_of_a_diagonal_law() -> float:
    mu, logvar = n.normal(15, 1, 4), n.normal(16, 1, 4)
    origin = torch.zeros(4, dtype=torch.float64), torch.eye(4, dtype=torch.float64)
    full = gaussians.gaussian_kl_full(mu[0], torch.diag(logvar[0].exp()), *origin)
    return n.gap(full, gaussians.gaussian_kl(mu, logvar)[0])


PROOFS = (
    Proof(
        id="vae.elbo_identity",
        title="The evidence is the bound plus the error of the encoder",
        statement=r"""\begin{aligned} \log p(x)
            &= \underbrace{\mathbb E_q\!\left[ \log \frac{p(x, z)}{q(z \mid x)}
            \right]}_{\mathcal L(x)}
            + \underbrace{\mathbb E_q\!\left[ \log \frac{q(z \mid x)}{p(z \mid x)}
            \right]}_{\mathrm{KL}(q(z \mid x) \Vert p(z \mid x))\ \ge\ 0}, \\
            \mathcal L(x) &= \mathbb E_q[\log p(x \mid z)]
            - \mathrm{KL}\left(q(z \mid x) \Vert p(z)\right) \end{aligned}""",
        assumptions=r"$q(z \mid x)$ is zero wherever $p(x, z)$ is; the expectation exists.",
        source="Kingma and Welling (2014), equations 1 and 3, https://arxiv.org/abs/1312.6114",
        checks=(
            Check(
                "quadrature",
                "a linear Gaussian model, whose evidence and posterior are known",
                _identity,
                1e-12,
            ),
            Check(
                "quadrature",
                "the means of both log ratios on this model, and their sum",
                _identity_of_log_ratios,
                1e-12,
            ),
            Check(
                "optimisation",
                "the encoder of the largest bound is the diagonal Gaussian nearest the posterior",
                _best_encoder,
                1e-9,
            ),
        ),
    ),
    Proof(
        id="vae.elbo_forms",
        title="Three ways to write the evidence lower bound",
        statement=r"""\begin{aligned}
            \mathcal L
            &= \mathbb E_q[\log p(x \mid z)] - \mathrm{KL}\left(q(z \mid x) \Vert p(z)\right) \\
            &= \mathbb E_q[\log p(x, z)] + H\left(q(z \mid x)\right) \\
            &= \mathbb E_q[\log p(x, z) - \log q(z \mid x)]
            \end{aligned}""",
        assumptions=r"The expectations exist; $H$ is the differential entropy.",
        source="Kingma and Welling (2014), equations 2 and 3, https://arxiv.org/abs/1312.6114",
        checks=(
            Check(
                "quadrature",
                "the package's loss on a nonlinear Bernoulli decoder against the other two forms",
                _forms,
                1e-12,
            ),
            Check(
                "quadrature",
                "the three sample means on a linear Gaussian model, closed entropy and KL",
                _forms_from_samples,
                1e-12,
            ),
        ),
    ),
    Proof(
        id="vae.elbo_surgery",
        title="The KL term pays for information and for a wrong aggregate",
        statement=r"""\mathbb E_x\, \mathrm{KL}\left(q(z \mid x) \Vert p(z)\right)
            = I_q(x; z) + \mathrm{KL}\left(q(z) \Vert p(z)\right),
            \qquad q(z) = \mathbb E_x\, q(z \mid x)""",
        assumptions="The information is that between a random training image and its code.",
        source="Hoffman and Johnson (2016), "
        "http://approximateinference.org/2016/accepted/HoffmanJohnson2016.pdf",
        checks=(
            Check("enumeration", "6 images and 5 codes; information by entropies", _surgery, 1e-12),
        ),
    ),
    Proof(
        id="vae.gaussian_kl",
        title="The KL divergence of a diagonal Gaussian from the standard normal",
        statement=r"""\mathrm{KL}\left(\mathcal N(\mu, \mathrm{diag}(\sigma^2)) \Vert
            \mathcal N(0, I)\right)
            = \frac12 \sum_j \left( \mu_j^2 + \sigma_j^2 - 1 - \log \sigma_j^2 \right)""",
        assumptions=r"$\sigma_j > 0$; the code holds $\log \sigma_j^2$, not $\log \sigma_j$.",
        source="Kingma and Welling (2014), appendix B, https://arxiv.org/abs/1312.6114",
        checks=(
            Check("SymPy identity", "the integral of one latent", _kl_in_symbols, 0),
            Check(
                "quadrature",
                "the mean of log q - log p under q against the package",
                _kl_by_quadrature,
                1e-12,
            ),
            Check(
                "autograd",
                "gradients are mu and (sigma^2 - 1) / 2",
                _kl_gradient,
                1e-12,
            ),
        ),
    ),
    Proof(
        id="vae.gaussian_kl_full",
        title="The KL divergence between two Gaussians with full covariances",
        statement=r"""\mathrm{KL}\left(\mathcal N(\mu_1, \Sigma_1) \Vert
            \mathcal N(\mu_0, \Sigma_0)\right)
            = \frac12 \left( \mathrm{tr}\,\Sigma_0^{-1} \Sigma_1
            + (\mu_1 - \mu_0)^\top \Sigma_0^{-1} (\mu_1 - \mu_0) - Z
            + \log \frac{\lvert \Sigma_0 \rvert}{\lvert \Sigma_1 \rvert} \right)""",
        assumptions=r"$\Sigma_0$ and $\Sigma_1$ are positive definite, of size $Z$ by $Z$.",
        source="Kingma and Welling (2014), appendix B, for the diagonal case, "
        "https://arxiv.org/abs/1312.6114",
        checks=(
            Check(
                "quadrature",
                "the mean log ratio of the densities of torch.distributions",
                _full_kl_by_quadrature,
                1e-10,
            ),
            Check(
                "linear algebra",
                "a diagonal law against the standard normal gives the sum over latents",
                _full_kl_of_a_diagonal_law,
                1e-12,
            ),
        ),
    ),
)

ROWS = {
    "D11": ("vae.elbo_identity", "vae.elbo_forms"),
    "D11b": ("vae.elbo_surgery",),
    "D12": ("vae.gaussian_kl", "vae.gaussian_kl_full"),
}
"""Rows of the list of derivations and the proofs that cover them."""
