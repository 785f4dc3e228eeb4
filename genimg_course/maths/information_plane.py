"""Rate and distortion: the best noise of a decoder, and what a code can know about a picture."""

from __future__ import annotations

from torch import Tensor

from genimg_course._checks import check_batch, check_finite, check_same_shape

__all__ = ["information_bounds", "optimal_noise"]


def optimal_noise(x_hat: Tensor, x: Tensor) -> Tensor:
    r"""Return the noise variance of a Gaussian decoder that makes the data most probable.

    .. math:: \sigma^{2*} = \frac{1}{BD} \sum_{b,i} (x_{bi} - \hat x_{bi})^2

    Args:
        x_hat: means of the decoder, ``(B, ...)``.
        x: observations, same shape.

    Returns:
        One variance for all pixels, a scalar: the mean squared error per pixel.

    Raises:
        ValueError: if the shapes differ.

    Source:
        Rybkin, Daniilidis and Levine (2021), https://arxiv.org/abs/2006.13202
    """
    check_same_shape(x_hat=x_hat, x=x)
    check_batch(x=x)
    return (x - x_hat).square().mean()


def information_bounds(rate: Tensor, distortion: Tensor, *, entropy: float) -> dict[str, Tensor]:
    r"""Read points of the rate-distortion plane: what the code must know, and may know at most.

    .. math:: H - D \le I_q(x; z) \le R

    Args:
        rate: :math:`R`, mean KL of the code from the prior, in nats, ``(N,)``.
        distortion: :math:`D`, mean negative log-likelihood of the decoder, in nats, ``(N,)``.
        entropy: :math:`H` of the data in nats.

    Returns:
        Per point, ``(N,)``, in nats: ``negative_elbo``, the sum of both; ``at_least`` and
        ``at_most``, the bounds of the information between picture and code, of which the lower one
        is never below zero; ``excess``, how far the negative bound lies above the entropy, which
        no model can undercut.

    Raises:
        ValueError: if the shapes differ or a value is not finite.

    Source:
        Alemi et al. (2018), https://arxiv.org/abs/1711.00464
    """
    check_same_shape(rate=rate, distortion=distortion)
    check_finite(rate=rate, distortion=distortion)
    return {
        "negative_elbo": distortion + rate,
        "at_least": (entropy - distortion).clamp_min(0),
        "at_most": rate,
        "excess": distortion + rate - entropy,
    }
