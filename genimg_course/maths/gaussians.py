"""Diagonal Gaussians: density, divergence from the standard normal, differentiable samples."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from genimg_course._checks import check_matrix, check_same_shape

__all__ = ["gaussian_kl", "gaussian_log_density", "reparameterise"]


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
