"""Mixtures of Gaussians: density, who is responsible for a point, and one step of EM."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from genimg_course._checks import check_matrix

__all__ = [
    "component_log_density",
    "em_step",
    "mixture_log_density",
    "mixture_moments",
    "mixture_samples",
    "responsibilities",
]


def component_log_density(x: Tensor, means: Tensor, covariances: Tensor) -> Tensor:
    r"""Return the log density of each Gaussian at each point, in nats.

    .. math:: -\tfrac12 \left( D \log 2\pi + \log\det\Sigma_k
        + (x - \mu_k)^\top \Sigma_k^{-1} (x - \mu_k) \right)

    Args:
        x: points, ``(B, D)``.
        means: ``(K, D)``.
        covariances: symmetric and positive definite, ``(K, D, D)``.

    Returns:
        One value per point and component, ``(B, K)``.

    Raises:
        ValueError: if the shapes do not fit.
    """
    check_matrix(x=x, means=means)
    count, dims = means.shape
    if x.shape[1] != dims or covariances.shape != (count, dims, dims):
        raise ValueError(
            f"points {tuple(x.shape)}, means {tuple(means.shape)} and covariances "
            f"{tuple(covariances.shape)} do not fit: expected (B, D), (K, D) and (K, D, D)"
        )
    root = torch.linalg.cholesky(covariances)  # (K, D, D), lower triangular
    offset = (x[:, None] - means).permute(1, 2, 0)  # (K, D, B)
    distance = torch.linalg.solve_triangular(root, offset, upper=False).square().sum(dim=1)
    logdet = 2 * root.diagonal(dim1=1, dim2=2).log().sum(dim=1)  # (K,)
    return -0.5 * (dims * math.log(2 * math.pi) + logdet + distance.T)


def mixture_log_density(x: Tensor, weights: Tensor, means: Tensor, covariances: Tensor) -> Tensor:
    r"""Return :math:`\log \sum_k \pi_k N(x; \mu_k, \Sigma_k)`, in nats.

    Args:
        x: points, ``(B, D)``.
        weights: shares of the components, ``(K,)``, summing to one.
        means: ``(K, D)``.
        covariances: ``(K, D, D)``.

    Returns:
        One value per point, ``(B,)``.

    Raises:
        ValueError: if the shapes do not fit.
    """
    joint = component_log_density(x, means, covariances) + weights.log()
    return torch.logsumexp(joint, dim=1)


def responsibilities(log_density: Tensor, weights: Tensor) -> Tensor:
    r"""Return the probability that each component made each point, by Bayes' rule.

    .. math:: r_k(x) = \frac{\pi_k\, p_k(x)}{\sum_j \pi_j\, p_j(x)}

    Args:
        log_density: log density of each component at each point, ``(B, K)``, in nats.
        weights: shares of the components, ``(K,)``, summing to one.

    Returns:
        Probabilities, ``(B, K)``; each row sums to one.

    Raises:
        ValueError: if the numbers of components differ.

    Source:
        Dempster, Laird and Rubin (1977), section 4.3,
        https://doi.org/10.1111/j.2517-6161.1977.tb01600.x
    """
    check_matrix(log_density=log_density)
    if weights.shape != log_density.shape[1:]:
        raise ValueError(
            f"{tuple(weights.shape)} weights for densities {tuple(log_density.shape)}: "
            "expected (K,) for (B, K)"
        )
    return torch.softmax(log_density + weights.log(), dim=1)


def em_step(
    x: Tensor, weights: Tensor, means: Tensor, covariances: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Ask who is responsible for each point, then refit every Gaussian to its share of them.

    The likelihood of the points never falls, and after one step the mixture as a whole has their
    mean and their covariance.

    Args:
        x: points, ``(B, D)``.
        weights: shares of the components, ``(K,)``.
        means: ``(K, D)``.
        covariances: ``(K, D, D)``.

    Returns:
        New ``weights``, ``means`` and ``covariances``.

    Raises:
        ValueError: if the shapes do not fit.

    Source:
        Dempster, Laird and Rubin (1977), section 4.3,
        https://doi.org/10.1111/j.2517-6161.1977.tb01600.x
    """
    share = responsibilities(component_log_density(x, means, covariances), weights)  # (B, K)
    total = share.sum(dim=0)  # (K,), points that belong to each component
    new_means = share.T @ x / total[:, None]
    offset = x[:, None] - new_means  # (B, K, D)
    scatter = torch.einsum("bk,bki,bkj->kij", share, offset, offset)
    return total / len(x), new_means, scatter / total[:, None, None]


def mixture_moments(weights: Tensor, means: Tensor, covariances: Tensor) -> tuple[Tensor, Tensor]:
    r"""Return mean and covariance of a mixture as a whole.

    .. math:: m = \sum_k \pi_k \mu_k, \qquad
        C = \sum_k \pi_k \left( \Sigma_k + (\mu_k - m)(\mu_k - m)^\top \right)

    Args:
        weights: shares of the components, ``(K,)``.
        means: ``(K, D)``.
        covariances: ``(K, D, D)``.

    Returns:
        The mean ``(D,)`` and the covariance ``(D, D)``.
    """
    mean = weights @ means
    offset = means - mean
    between = torch.einsum("k,ki,kj->ij", weights, offset, offset)
    return mean, torch.einsum("k,kij->ij", weights, covariances) + between


def mixture_samples(
    count: int, weights: Tensor, means: Tensor, covariances: Tensor, *, rng: torch.Generator
) -> Tensor:
    """Draw points: choose a component by its weight, then a point of it.

    Args:
        count: number of points.
        weights: shares of the components, ``(K,)``.
        means: ``(K, D)``.
        covariances: ``(K, D, D)``.
        rng: the source of all randomness.

    Returns:
        Points, ``(count, D)``.
    """
    chosen = torch.multinomial(weights, count, replacement=True, generator=rng)
    root = torch.linalg.cholesky(covariances)[chosen]  # (count, D, D)
    eps = torch.randn(count, means.shape[1], generator=rng, dtype=means.dtype)
    return means[chosen] + torch.einsum("nij,nj->ni", root, eps)
