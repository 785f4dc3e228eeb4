"""The best denoisers for Gaussian noise, and the score that their residual shows."""

from __future__ import annotations

import torch
from torch import Tensor

from genimg_course._checks import check_finite, check_matrix, check_same_shape
from genimg_course.maths.mixtures import component_log_density, responsibilities

__all__ = [
    "linear_denoiser",
    "mixture_denoiser",
    "mixture_score",
    "score_from_denoiser",
    "tweedie",
]


def mixture_score(
    y: Tensor, weights: Tensor, means: Tensor, covariances: Tensor, *, sigma: float
) -> Tensor:
    r"""Return the score of a noisy Gaussian mixture: the gradient of its log density.

    .. math:: \nabla_y \log p_\sigma(y)
        = \sum_k r_k(y)\, (\Sigma_k + \sigma^2 I)^{-1} (\mu_k - y)

    The responsibility ``r_k`` is the probability that the noisy point comes from component ``k``.

    Args:
        y: noisy points ``x + sigma * eps``, ``(B, D)``.
        weights: shares of the components, ``(K,)``, summing to one.
        means: ``(K, D)``.
        covariances: of the clean points, positive definite, ``(K, D, D)``.
        sigma: standard deviation of the noise, at least 0.

    Returns:
        One vector per point, ``(B, D)``; it points uphill.

    Raises:
        ValueError: if the shapes do not fit or ``sigma`` is negative.
    """
    share, pull = _pulls(y, weights, means, covariances, sigma)
    return torch.einsum("bk,bki->bi", share, pull)


def mixture_denoiser(
    y: Tensor, weights: Tensor, means: Tensor, covariances: Tensor, *, sigma: float
) -> Tensor:
    r"""Return the mean of the clean points that a noisy point may come from.

    .. math:: \mathbb E[x \mid y] = \sum_k r_k(y) \left( \mu_k
        + \Sigma_k (\Sigma_k + \sigma^2 I)^{-1} (y - \mu_k) \right), \qquad y = x + \sigma \epsilon

    No function of ``y`` has a smaller mean squared error.

    Args:
        y: noisy points, ``(B, D)``.
        weights: shares of the components, ``(K,)``, summing to one.
        means: ``(K, D)``.
        covariances: of the clean points, positive definite, ``(K, D, D)``.
        sigma: standard deviation of the noise, at least 0.

    Returns:
        Denoised points, ``(B, D)``.

    Raises:
        ValueError: if the shapes do not fit or ``sigma`` is negative.

    Source:
        Vincent (2011), https://doi.org/10.1162/NECO_a_00142
    """
    share, pull = _pulls(y, weights, means, covariances, sigma)
    guess = means - torch.einsum("kij,bkj->bki", covariances, pull)  # (B, K, D)
    return torch.einsum("bk,bki->bi", share, guess)


def tweedie(noisy: Tensor, score: Tensor, *, sigma: float) -> Tensor:
    r"""Return the best denoiser's answer from the score of the noisy points.

    .. math:: \mathbb E[x \mid \tilde x] = \tilde x + \sigma^2 \nabla \log p_\sigma(\tilde x)

    Args:
        noisy: ``x + sigma * eps``, ``(B, ...)``.
        score: gradient of the log density of the noisy points, same shape.
        sigma: standard deviation of the noise, at least 0.

    Returns:
        Denoised points, same shape.

    Raises:
        ValueError: if the shapes differ or ``sigma`` is negative.

    Source:
        Efron (2011), https://doi.org/10.1198/jasa.2011.tm11181
    """
    check_same_shape(noisy=noisy, score=score)
    _check_sigma(sigma)
    return noisy + sigma**2 * score


def score_from_denoiser(denoised: Tensor, noisy: Tensor, *, sigma: float) -> Tensor:
    r"""Return the score of the noisy points from what the best denoiser makes of them.

    .. math:: \nabla \log p_\sigma(\tilde x)
        = \frac{\mathbb E[x \mid \tilde x] - \tilde x}{\sigma^2}

    Args:
        denoised: the denoiser's answer, ``(B, ...)``.
        noisy: what it was given, same shape.
        sigma: standard deviation of the noise, positive.

    Returns:
        One gradient per point, same shape; it points from the noisy to the clean.

    Raises:
        ValueError: if the shapes differ or ``sigma`` is not positive.

    Source:
        Alain and Bengio (2014), https://arxiv.org/abs/1211.4246
    """
    check_same_shape(denoised=denoised, noisy=noisy)
    if not sigma > 0:
        raise ValueError(f"sigma is {sigma}: expected a positive standard deviation")
    return (denoised - noisy) / sigma**2


def linear_denoiser(cov: Tensor, *, sigma: float) -> Tensor:
    r"""Return the matrix that removes white noise from centred inputs with least squared error.

    .. math:: A = \Sigma (\Sigma + \sigma^2 I)^{-1}

    It shrinks a direction of variance ``lambda`` by ``lambda / (lambda + sigma^2)``: the more, the
    smaller its variance is beside the noise.

    Args:
        cov: covariance of the clean inputs, symmetric, positive semi-definite, ``(D, D)``.
        sigma: standard deviation of the noise, positive.

    Returns:
        A symmetric matrix, ``(D, D)``.

    Raises:
        ValueError: if ``cov`` is not square and finite or ``sigma`` is not positive.

    Source:
        Bishop (1995), for noise as a penalty, https://doi.org/10.1162/neco.1995.7.1.108
    """
    check_matrix(cov=cov)
    check_finite(cov=cov)
    if cov.shape[0] != cov.shape[1]:
        raise ValueError(f"cov has shape {tuple(cov.shape)}: expected a square matrix (D, D)")
    if not sigma > 0:
        raise ValueError(f"sigma is {sigma}: expected a positive standard deviation")
    return torch.linalg.solve(_with_noise(cov, sigma), cov)


def _pulls(
    y: Tensor, weights: Tensor, means: Tensor, covariances: Tensor, sigma: float
) -> tuple[Tensor, Tensor]:
    """Return responsibilities ``(B, K)`` and the score of each noisy component ``(B, K, D)``."""
    _check_sigma(sigma)
    noisy = _with_noise(covariances, sigma)
    share = responsibilities(component_log_density(y, means, noisy), weights)
    offset = means - y[:, None]  # (B, K, D)
    return share, torch.linalg.solve(noisy, offset[..., None]).squeeze(-1)


def _with_noise(cov: Tensor, sigma: float) -> Tensor:
    return cov + sigma**2 * torch.eye(cov.shape[-1], dtype=cov.dtype, device=cov.device)


def _check_sigma(sigma: float) -> None:
    if not sigma >= 0:
        raise ValueError(f"sigma is {sigma}: expected a standard deviation of at least 0")
