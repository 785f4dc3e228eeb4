"""Losses as negative log-likelihoods: their units, their normalisers, and what a mean does."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from genimg_course._checks import check_batch, check_range, check_same_shape

__all__ = [
    "bernoulli_nll",
    "bits_per_dimension",
    "continuous_bernoulli_log_normaliser",
    "dequantise",
    "effective_beta",
    "gaussian_nll",
]


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
    # log(1 + e^a) = (a + |a|) / 2 - log sigmoid(|a|), where the last logarithm is of a number
    # between 1/2 and 1: exact enough, and seven times as fast as torch's log1p on a CPU
    size = logits.abs()
    nll = (size + logits) / 2 - logits * target - size.sigmoid().log()
    return nll.reshape(len(nll), -1).sum(dim=1)


def continuous_bernoulli_log_normaliser(logits: Tensor) -> Tensor:
    r"""Return what makes the Bernoulli formula a density on grey values, summed over pixels.

    The law on :math:`[0, 1]` with density :math:`C(\lambda)\, \lambda^t (1 - \lambda)^{1 - t}` has

    .. math:: C(\lambda) = \frac{2\,\mathrm{artanh}(1 - 2\lambda)}{1 - 2\lambda}
        = \frac{a}{\tanh(a / 2)}, \qquad \lambda = \frac{1}{1 + e^{-a}}

    and :math:`C = 2` at :math:`a = 0`. Subtract the result from :func:`bernoulli_nll`.

    Args:
        logits: log odds ``a``, ``(B, ...)``, any real number.

    Returns:
        The sum of ``log C`` over pixels, ``(B,)``, in nats; at least ``log 2`` for each pixel.

    Raises:
        ValueError: if there is no example.

    Source:
        Loaiza-Ganem and Cunningham (2019), https://arxiv.org/abs/1907.06845
    """
    check_batch(logits=logits)
    small = logits.abs() < 0.02
    a = torch.where(small, torch.ones_like(logits), logits)
    square = logits.square()
    series = math.log(2) + square / 12 - 7 * square.square() / 1440  # 0 / 0 at the origin
    log_c = torch.where(small, series, (a / torch.tanh(a / 2)).log())
    return log_c.reshape(len(log_c), -1).sum(dim=1)


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


def bits_per_dimension(nll: Tensor, dims: int, *, bin_width: float = 1.0) -> Tensor:
    r"""Return a negative log-likelihood in bits for each dimension of a stored picture.

    .. math:: \frac{1}{\log 2} \left( \frac{\mathrm{nll}}{D} - \log\delta \right)

    A density is a probability per unit of length. Stored values are bins of a width
    :math:`\delta` on the axis of the density, and a bin has a probability.

    Args:
        nll: in nats, any shape; of a density, averaged over dequantisation noise, or of a
            probability.
        dims: number of values of a picture, ``C * H * W``.
        bin_width: width of one stored level on the axis of the density; ``2 / 256`` for bytes in
            ``[-1, 1]``. Leave it at 1 for probabilities.

    Returns:
        Bits per dimension, the shape of ``nll``.

    Raises:
        ValueError: if ``dims`` or ``bin_width`` is not positive.

    Source:
        Theis, van den Oord and Bethge (2016), section 3.1, https://arxiv.org/abs/1511.01844
    """
    if dims < 1 or not bin_width > 0:
        raise ValueError(f"expected positive numbers, got {dims} dimensions of bins {bin_width}")
    return (nll / dims - math.log(bin_width)) / math.log(2)


def dequantise(levels: Tensor, *, count: int = 256, rng: torch.Generator) -> Tensor:
    r"""Spread stored levels evenly over their bins: :math:`x = 2 (k + u) / L - 1`.

    Args:
        levels: whole numbers ``k`` from 0 to ``count - 1``, any shape.
        count: number of levels ``L``.
        rng: source of ``u``, uniform on ``[0, 1)``.

    Returns:
        Values in ``[-1, 1)``, float64; each bin has the width ``2 / count``.

    Raises:
        ValueError: if a level is out of range.

    Source:
        Uria, Murray and Larochelle (2013), https://arxiv.org/abs/1306.0186
    """
    check_range("levels", levels, 0, count - 1)
    noise = torch.rand(levels.shape, generator=rng, dtype=torch.float64)
    return 2 * (levels + noise) / count - 1
