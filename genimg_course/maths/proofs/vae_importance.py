"""The proof that importance sampling with more codes gives a tighter bound on the evidence."""

from __future__ import annotations

import itertools
import math
from functools import cache

import torch
from torch import Tensor
from torch.distributions import MultivariateNormal

from genimg_course.maths import estimators, gaussians, likelihoods
from genimg_course.maths.proofs import numerics as n
from genimg_course.maths.proofs.engine import Check, Proof

__all__ = ["PROOFS", "ROWS"]

ESTIMATES = 20_000
"""Estimates of the Monte-Carlo check."""

SIGMA = 0.7
"""Standard deviation of a pixel in a linear Gaussian model with one latent."""


@cache
def _linear_model() -> tuple[Tensor, Tensor, float, float, float]:
    """Return decoder, image, mean and log variance of the posterior, and ``log p(x)``."""
    decoder, x = n.float64([1.0, 0.5]), n.float64([1.2, -0.4])
    precision = 1 + (decoder @ decoder).item() / SIGMA**2
    mean = (decoder @ x).item() / SIGMA**2 / precision
    covariance = decoder.outer(decoder) + SIGMA**2 * torch.eye(2, dtype=torch.float64)
    evidence = (
        MultivariateNormal(torch.zeros(2, dtype=torch.float64), covariance).log_prob(x).item()
    )
    return decoder, x, mean, -math.log(precision), evidence


def _log_laws(eps: Tensor, mu: float, logvar: float) -> tuple[Tensor, Tensor]:
    """Return ``log p(x, z)`` and ``log q(z | x)`` at ``z = mu + sigma * eps``."""
    decoder, x, *_ = _linear_model()
    flat = eps.reshape(-1, 1)
    z, zero = mu + math.exp(logvar / 2) * flat, torch.zeros_like(flat)
    likelihood = -likelihoods.gaussian_nll(z * decoder, x.expand(len(z), 2), sigma=SIGMA)
    log_joint = likelihood + gaussians.gaussian_log_density(z, zero, zero)
    log_q = gaussians.gaussian_log_density(z, zero + mu, zero + logvar)
    return log_joint.reshape(eps.shape), log_q.reshape(eps.shape)


MU, LOGVAR = 0.2, 0.3
"""An encoder that is not the posterior."""


def _bound(samples: int) -> float:
    """Return the mean of the estimate from so many samples, by quadrature over all of them."""
    nodes, weight = n.gauss_hermite(24, samples)
    return (weight @ estimators.importance_log_likelihood(*_log_laws(nodes.T, MU, LOGVAR))).item()


def _one_sample_is_the_elbo() -> float:
    decoder, x, *_ = _linear_model()
    variance = math.exp(LOGVAR)
    error = (x - decoder * MU).square().sum() + variance * decoder.square().sum()
    reconstruction = -error / (2 * SIGMA**2) - math.log(2 * math.pi * SIGMA**2)
    rate = gaussians.gaussian_kl(n.float64([[MU]]), n.float64([[LOGVAR]]))
    return abs((reconstruction - rate).item() - _bound(1))


def _more_samples_are_tighter() -> float:
    ladder = [*(_bound(samples) for samples in (1, 2, 3)), _linear_model()[-1]]
    return max(0.0, *(low - high for low, high in itertools.pairwise(ladder)))


def _the_posterior_is_exact() -> float:
    *_, mean, logvar, evidence = _linear_model()
    estimate = estimators.importance_log_likelihood(*_log_laws(n.normal(6, 5, 40), mean, logvar))
    return n.gap(estimate, torch.full((40,), evidence, dtype=torch.float64))


def _the_likelihood_is_unbiased() -> float:
    samples = 5
    eps = n.normal(7, samples, ESTIMATES)
    estimate = estimators.importance_log_likelihood(*_log_laws(eps, MU, LOGVAR)).exp()
    nodes, weight = n.gauss_hermite(60)
    log_joint, log_q = _log_laws(nodes[:, 0], MU, LOGVAR)
    evidence = math.exp(_linear_model()[-1])
    variance = (weight @ (2 * (log_joint - log_q)).exp()).item() - evidence**2
    return n.standard_errors(estimate, evidence, math.sqrt(variance / samples))


def _unbiased_by_quadrature() -> float:
    """Average the package's estimate of ``p(x)`` itself over all draws, for 1 and 2 samples."""
    worst = 0.0
    for samples in (1, 2):
        nodes, weight = n.gauss_hermite(60, samples)
        estimate = estimators.importance_log_likelihood(*_log_laws(nodes.T, MU, LOGVAR)).exp()
        worst = max(worst, abs((weight @ estimate).item() - math.exp(_linear_model()[-1])))
    return worst


def _shares_of_the_gradient() -> float:
    log_joint, log_q = (n.normal(seed, 4, 3).requires_grad_() for seed in (8, 9))
    bound = estimators.importance_log_likelihood(log_joint, log_q)
    slopes = torch.autograd.grad(bound.sum(), (log_joint, log_q))
    shares = estimators.importance_weights(log_joint, log_q).detach()
    weights = (log_joint - log_q).detach().exp()
    by_hand = weights / weights.sum(dim=0, keepdim=True)
    return max(n.gap(slopes[0], shares), n.gap(slopes[1], -shares), n.gap(shares, by_hand))


PROOFS = (
    Proof(
        id="vae.importance_bound",
        title="More samples give a tighter bound",
        statement=r"""\mathcal L_K
            = \mathbb E \log \frac1K \sum_{k=1}^K w_k, \quad
            w_k = \frac{p(x, z_k)}{q(z_k \mid x)}, \quad
            \mathbb E\, \frac1K \sum_{k=1}^K w_k = p(x), \qquad
            \mathrm{ELBO} = \mathcal L_1 \le \mathcal L_K \le \mathcal L_{K+1} \le \log p(x)""",
        assumptions=r"$z_1, \dots, z_K$ are independent draws of $q(z \mid x)$, which is positive "
        r"wherever $p(x, z)$ is. By the law of large numbers $\frac1K \sum_k w_k$ comes close to "
        r"$p(x)$ for large $K$, and so its logarithm to $\log p(x)$.",
        source="Burda, Grosse and Salakhutdinov (2016), theorem 1, "
        "https://arxiv.org/abs/1509.00519",
        checks=(
            Check(
                "quadrature",
                "one sample of a linear Gaussian model gives its ELBO",
                _one_sample_is_the_elbo,
                1e-12,
            ),
            Check(
                "quadrature",
                "1, 2 and 3 samples and the evidence stand in this order",
                _more_samples_are_tighter,
                1e-12,
            ),
            Check(
                "quadrature",
                "with the posterior as encoder every sample gives the evidence",
                _the_posterior_is_exact,
                1e-12,
            ),
            Check(
                "quadrature",
                "the mean estimate of p(x) from 1 and 2 samples is p(x)",
                _unbiased_by_quadrature,
                1e-9,
            ),
            Check(
                "Monte-Carlo",
                "20,000 estimates of p(x) from 5 samples are unbiased; standard error 0.27 %",
                _the_likelihood_is_unbiased,
                6,
            ),
        ),
    ),
    Proof(
        id="vae.importance_gradient",
        title="In the gradient, a sample counts by its weight",
        statement=r"""\nabla \log \frac1K \sum_{k=1}^K w_k
            = \sum_{k=1}^K \tilde w_k\, \nabla \log w_k, \qquad
            \tilde w_k = \frac{w_k}{\sum_{l=1}^K w_l}, \qquad
            w_k = \frac{p(x, z_k)}{q(z_k \mid x)}""",
        assumptions=r"The codes $z_k$ are given by the noise, $z_k = \mu + \sigma \odot "
        r"\epsilon_k$, so that the gradient passes through the weights.",
        source="Burda, Grosse and Salakhutdinov (2016), section 3, "
        "https://arxiv.org/abs/1509.00519",
        checks=(
            Check(
                "autograd",
                "the gradient of the package's bound is the package's shares",
                _shares_of_the_gradient,
                1e-12,
            ),
        ),
    ),
)

ROWS = {"D16": ("vae.importance_bound", "vae.importance_gradient")}
"""Rows of the list of derivations and the proofs that cover them."""
