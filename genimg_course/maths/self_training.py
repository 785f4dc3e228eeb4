"""Models that are trained on the samples of the models before them."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from genimg_course._checks import check_matrix

__all__ = ["next_generation", "recursive_log_variance", "recursive_variance"]


def _check_chain(variance: float, samples: int, generations: int) -> None:
    if not variance > 0:
        raise ValueError(f"variance is {variance}: expected a positive number")
    if samples < 2:
        raise ValueError(f"samples is {samples}: a variance needs at least 2")
    if generations < 0:
        raise ValueError(f"generations is {generations}: expected at least 0")


def next_generation(mean: Tensor, variance: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
    r"""Draw samples from a Gaussian and fit the next Gaussian to them by maximum likelihood.

    .. math:: x_n = \mu + \sigma \epsilon_n, \qquad \mu' = \frac1N \sum_n x_n, \qquad
        \sigma'^2 = \frac1N \sum_n (x_n - \mu')^2

    Args:
        mean: :math:`\mu` of each chain, ``(B,)``.
        variance: :math:`\sigma^2` of each chain, non-negative, ``(B,)``.
        noise: standard normal draws, ``(B, N)``.

    Returns:
        The next mean and the next variance, ``(B,)`` each.

    Raises:
        ValueError: if the shapes do not fit.

    Source:
        Shumailov et al. (2023), https://arxiv.org/abs/2305.17493
    """
    check_matrix(noise=noise)
    if mean.shape != noise.shape[:1] or variance.shape != noise.shape[:1]:
        raise ValueError(
            f"shapes do not fit: mean {tuple(mean.shape)}, variance {tuple(variance.shape)}, "
            f"noise {tuple(noise.shape)}"
        )
    samples = mean[:, None] + variance.sqrt()[:, None] * noise  # (B, N)
    return samples.mean(dim=1), samples.var(dim=1, correction=0)


def recursive_variance(variance: float, *, samples: int, generations: int) -> float:
    r"""Return the expected variance after generations of Gaussians, each fitted to the last.

    .. math:: \mathbb E\, \sigma_k^2 = \left( 1 - \frac1N \right)^k \sigma^2

    Args:
        variance: :math:`\sigma^2` of the data, positive.
        samples: samples ``N`` that each generation is fitted to.
        generations: number ``k`` of fits.

    Returns:
        The mean over many chains. Most chains end far lower: see `recursive_log_variance`.

    Raises:
        ValueError: if a number is too small.

    Source:
        Shumailov et al. (2023), https://arxiv.org/abs/2305.17493
    """
    _check_chain(variance, samples, generations)
    return (1 - 1 / samples) ** generations * variance


def recursive_log_variance(variance: float, *, samples: int, generations: int) -> float:
    r"""Return the expected logarithm of the variance after generations of fitted Gaussians.

    .. math:: \mathbb E \log \sigma_k^2 = \log \sigma^2
        + k \left( \psi\left( \tfrac{N - 1}{2} \right) + \log \tfrac2N \right)

    Its exponential is what a typical chain ends with.

    Args:
        variance: :math:`\sigma^2` of the data, positive.
        samples: samples ``N`` that each generation is fitted to.
        generations: number ``k`` of fits.

    Returns:
        A logarithm in nats; :math:`\psi` is the digamma function.

    Raises:
        ValueError: if a number is too small.
    """
    _check_chain(variance, samples, generations)
    digamma = torch.digamma(torch.tensor((samples - 1) / 2, dtype=torch.float64)).item()
    return math.log(variance) + generations * (digamma + math.log(2 / samples))
