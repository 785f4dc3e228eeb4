"""Reconstruction terms as negative log-likelihoods, and what a mean over pixels does to them."""

from __future__ import annotations

import math

import torch.nn.functional as F
from torch import Tensor

from genimg_course._checks import check_batch, check_range, check_same_shape

__all__ = ["bernoulli_nll", "effective_beta", "gaussian_nll"]


def bernoulli_nll(logits: Tensor, target: Tensor) -> Tensor:
    r"""Return the negative Bernoulli log-likelihood from logits, summed over pixels, in nats.

    .. math:: \sum_i \left( \log(1 + e^{a_i}) - a_i t_i \right)

    On binary targets this is a log-probability. On grey values it is the usual VAE objective but
    lacks the normaliser of the continuous Bernoulli law (Loaiza-Ganem and Cunningham, 2019).

    Args:
        logits: log odds ``a`` of ink, ``(B, ...)``, any real number.
        target: ink ``t`` in ``[0, 1]``, same shape.

    Returns:
        One value per example, ``(B,)``.

    Raises:
        ValueError: if the shapes differ or a target lies outside ``[0, 1]``.

    Source:
        Kingma and Welling (2014), appendix C.1, https://arxiv.org/abs/1312.6114;
        Loaiza-Ganem and Cunningham (2019), https://arxiv.org/abs/1907.06845
    """
    check_same_shape(logits=logits, target=target)
    check_batch(logits=logits)
    check_range("target", target, 0.0, 1.0)
    nll = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    return nll.reshape(len(nll), -1).sum(dim=1)


def gaussian_nll(x_hat: Tensor, x: Tensor, *, sigma: float) -> Tensor:
    r"""Return the negative log-density of ``N(x_hat, sigma^2 I)`` at ``x``, in nats.

    .. math:: \sum_i \left( \frac{(x_i - \hat x_i)^2}{2\sigma^2} + \log\sigma
        + \tfrac12\log 2\pi \right)

    Args:
        x_hat: means, ``(B, ...)``.
        x: observations, same shape.
        sigma: standard deviation of a pixel, positive.

    Returns:
        One value per example, ``(B,)``.

    Raises:
        ValueError: if the shapes differ or ``sigma`` is not positive.
    """
    check_same_shape(x_hat=x_hat, x=x)
    check_batch(x=x)
    if not sigma > 0:
        raise ValueError(f"sigma is {sigma}: expected a positive standard deviation")
    constant = math.log(sigma) + 0.5 * math.log(2 * math.pi)
    nll = (x - x_hat).square() / (2 * sigma**2) + constant
    return nll.reshape(len(nll), -1).sum(dim=1)


def effective_beta(
    beta: float,
    pixels: int,
    latent_dim: int,
    *,
    pixel_mean: bool = False,
    latent_mean: bool = False,
) -> float:
    r"""Return the weight of the KL term that a loss with means instead of sums really uses.

    A loss that averages over :math:`D` pixels is, up to a factor, the sum over pixels with
    :math:`\beta D` in front of the KL; a mean over the :math:`Z` latents divides by :math:`Z`
    again.

    Args:
        beta: the weight written in the code.
        pixels: number of pixel values of an image, ``C * H * W``.
        latent_dim: number of latents.
        pixel_mean: the reconstruction is averaged over pixels.
        latent_mean: the KL is averaged over latents.

    Returns:
        The beta of the same loss written with sums.

    Raises:
        ValueError: if a number of dimensions is not positive.

    >>> effective_beta(1.0, 784, 20, pixel_mean=True)
    784.0
    """
    if pixels < 1 or latent_dim < 1:
        raise ValueError(f"expected positive counts, got {pixels} pixels and {latent_dim} latents")
    return beta * (pixels if pixel_mean else 1) / (latent_dim if latent_mean else 1)
