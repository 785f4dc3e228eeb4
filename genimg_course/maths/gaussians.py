"""Gaussians: density, divergence, entropy, differentiable samples; all diagonal but one."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from genimg_course._checks import check_matrix, check_same_shape

__all__ = [
    "gaussian_entropy",
    "gaussian_kl",
    "gaussian_kl_full",
    "gaussian_log_density",
    "reparameterise",
]


def gaussian_log_density(z: Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
    r"""Return the log density of ``N(mu, diag(exp(logvar)))`` at ``z``, in nats.

    .. math:: -\tfrac12 \sum_j \left( \log 2\pi + \ell_j + (z_j - \mu_j)^2 e^{-\ell_j} \right)

    Args:
        z: points, ``(B, Z)``.
        mu: means, ``(B, Z)``.
        logvar: log *variances*, ``(B, Z)``.

    Returns:
        One value per example, ``(B,)``.

    Raises:
        ValueError: if the shapes differ.
    """
    check_same_shape(z=z, mu=mu, logvar=logvar)
    check_matrix(z=z)
    return -0.5 * (math.log(2 * math.pi) + logvar + (z - mu).square() * (-logvar).exp()).sum(dim=1)


def gaussian_kl(mu: Tensor, logvar: Tensor) -> Tensor:
    r"""Return the KL divergence of ``N(mu, exp(logvar))`` from ``N(0, I)``, in nats.

    .. math:: \tfrac12 \sum_j \left( \mu_j^2 + e^{\ell_j} - 1 - \ell_j \right)

    Args:
        mu: means, ``(B, Z)``.
        logvar: log *variances*, ``(B, Z)``.

    Returns:
        One value per example, ``(B,)``; zero only where both inputs are zero.

    Raises:
        ValueError: if the shapes differ; broadcasting would mix examples.

    Source:
        Kingma and Welling (2014), appendix B, https://arxiv.org/abs/1312.6114

    >>> gaussian_kl(torch.zeros(3, 2), torch.zeros(3, 2))
    tensor([0., 0., 0.])
    """
    check_same_shape(mu=mu, logvar=logvar)
    check_matrix(mu=mu)
    # expm1 keeps the result non-negative where logvar is tiny
    return 0.5 * (mu.square() + torch.expm1(logvar) - logvar).sum(dim=1)


def gaussian_kl_full(
    mu: Tensor, covariance: Tensor, prior_mu: Tensor, prior_covariance: Tensor
) -> Tensor:
    r"""Return the KL divergence between two Gaussians with full covariances, in nats.

    .. math::
        \tfrac12 \left( \mathrm{tr}\,\Sigma_0^{-1}\Sigma_1
        + \Delta^\top \Sigma_0^{-1} \Delta - Z
        + \log \frac{|\Sigma_0|}{|\Sigma_1|} \right), \qquad \Delta = \mu_1 - \mu_0

    Args:
        mu: mean :math:`\mu_1` of the first law, ``(Z,)``.
        covariance: its covariance :math:`\Sigma_1`, positive definite, ``(Z, Z)``.
        prior_mu: mean :math:`\mu_0` of the second law, ``(Z,)``.
        prior_covariance: its covariance :math:`\Sigma_0`, positive definite, ``(Z, Z)``.

    Returns:
        A scalar; zero only if the laws agree.

    Raises:
        ValueError: if the shapes do not fit.

    Source:
        Kingma and Welling (2014), appendix B, for the diagonal case,
        https://arxiv.org/abs/1312.6114
    """
    check_same_shape(mu=mu, prior_mu=prior_mu)
    check_same_shape(covariance=covariance, prior_covariance=prior_covariance)
    if covariance.shape != (*mu.shape, *mu.shape):
        raise ValueError(
            f"mu is {tuple(mu.shape)} and covariance is {tuple(covariance.shape)}: "
            "expected (Z,) and (Z, Z)"
        )
    shift = mu - prior_mu
    spread = torch.linalg.solve(prior_covariance, covariance).trace()
    distance = shift @ torch.linalg.solve(prior_covariance, shift)
    volumes = torch.logdet(prior_covariance) - torch.logdet(covariance)
    return 0.5 * (spread + distance - len(mu) + volumes)


def gaussian_entropy(logvar: Tensor) -> Tensor:
    r"""Return the entropy of a Gaussian with independent latents, in nats.

    .. math:: \tfrac12 \sum_j \left( 1 + \log 2\pi + \ell_j \right)

    Args:
        logvar: log *variances*, ``(B, Z)``.

    Returns:
        One value per example, ``(B,)``; negative for a law that is narrow enough.

    Raises:
        ValueError: if ``logvar`` is not a matrix.
    """
    check_matrix(logvar=logvar)
    return 0.5 * (1 + math.log(2 * math.pi) + logvar).sum(dim=1)


def reparameterise(mu: Tensor, logvar: Tensor, *, rng: torch.Generator | None = None) -> Tensor:
    r"""Draw ``z = mu + sigma * eps`` with ``eps ~ N(0, I)``, so that gradients reach mu and logvar.

    Args:
        mu: means, ``(B, Z)``.
        logvar: log *variances*, ``(B, Z)``; ``sigma = exp(logvar / 2)``.
        rng: source of ``eps``; ``None`` uses the global generator.

    Returns:
        One sample per example, ``(B, Z)``.

    Raises:
        ValueError: if the shapes differ.

    Source:
        Kingma and Welling (2014), section 2.4, https://arxiv.org/abs/1312.6114
    """
    check_same_shape(mu=mu, logvar=logvar)
    eps = torch.randn(mu.shape, generator=rng, dtype=mu.dtype, device=mu.device)
    return mu + (0.5 * logvar).exp() * eps
