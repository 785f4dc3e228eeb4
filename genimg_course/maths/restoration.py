"""Restoring what was lost: best guesses under a loss, Gaussian posteriors, exact upsampling."""

from __future__ import annotations

import torch
from torch import Tensor

from genimg_course._checks import check_same_shape

__all__ = [
    "conditional_gaussian",
    "mean_guess",
    "median_guess",
    "posterior_variance",
    "subpixel_kernel",
    "wiener_gain",
]


def mean_guess(values: Tensor, weights: Tensor) -> Tensor:
    r"""Return the guess with the least mean squared error, the mean.

    Where several sharp pictures fit one input, their mean is blurred.

    Args:
        values: what the truth may be, ``(N,)``.
        weights: the probability of each, ``(N,)``, with sum 1.

    Returns:
        A scalar; it need not be one of the values.

    Raises:
        ValueError: if the shapes differ.

    Source:
        Isola et al. (2017), section 3.2, https://arxiv.org/abs/1611.07004
    """
    check_same_shape(values=values, weights=weights)
    return (weights * values).sum()


def median_guess(values: Tensor, weights: Tensor) -> Tensor:
    r"""Return the guess with the least mean absolute error, a median.

    Args:
        values: what the truth may be, ``(N,)``, in any order.
        weights: the probability of each, ``(N,)``, with sum 1.

    Returns:
        A scalar, the smallest value at which at least half of the probability is reached.

    Raises:
        ValueError: if the shapes differ.

    Source:
        Isola et al. (2017), section 3.2, https://arxiv.org/abs/1611.07004
    """
    check_same_shape(values=values, weights=weights)
    order = values.argsort()
    reached = weights[order].cumsum(dim=0) >= 0.5
    return values[order][reached][0]


def wiener_gain(signal_variance: Tensor, noise_variance: Tensor) -> Tensor:
    r"""Return the factor by which the best linear denoiser multiplies a centred noisy value.

    .. math:: \frac{\sigma_x^2}{\sigma_x^2 + \sigma_n^2}

    For a Gaussian signal it is the best denoiser of all.

    Args:
        signal_variance: :math:`\sigma_x^2`, any shape.
        noise_variance: :math:`\sigma_n^2` of independent noise, a shape that broadcasts.

    Returns:
        Factors between 0 and 1.

    Source:
        Bishop (2006), section 2.3.3,
        https://www.microsoft.com/en-us/research/uploads/prod/2006/01/Bishop-Pattern-Recognition-and-Machine-Learning-2006.pdf
    """
    return signal_variance / (signal_variance + noise_variance)


def posterior_variance(signal_variance: Tensor, noise_variance: Tensor) -> Tensor:
    r"""Return what stays unknown of a Gaussian value after a noisy look at it.

    .. math:: \left(\sigma_x^{-2} + \sigma_n^{-2}\right)^{-1}

    It is the least mean squared error that an estimate can have; a draw from the posterior has
    exactly twice that, which is 3.01 dB.

    Args:
        signal_variance: :math:`\sigma_x^2`, positive, any shape.
        noise_variance: :math:`\sigma_n^2`, positive, a shape that broadcasts.

    Returns:
        Variances, smaller than both.

    Source:
        Blau and Michaeli (2018), https://arxiv.org/abs/1711.06077
    """
    return 1 / (1 / signal_variance + 1 / noise_variance)


def conditional_gaussian(
    mean: Tensor, covariance: Tensor, observed: Tensor, values: Tensor
) -> tuple[Tensor, Tensor]:
    r"""Return the law of the missing pixels of a Gaussian image, given the others.

    .. math:: \mu_m + \Sigma_{mo} \Sigma_{oo}^{-1} (x_o - \mu_o), \qquad
        \Sigma_{mm} - \Sigma_{mo} \Sigma_{oo}^{-1} \Sigma_{om}

    Args:
        mean: :math:`\mu`, ``(D,)``.
        covariance: :math:`\Sigma`, positive definite, ``(D, D)``.
        observed: which pixels are known, bool, ``(D,)``.
        values: the known pixels :math:`x_o` in order, one for each true entry of ``observed``.

    Returns:
        Mean and covariance of the missing pixels in order, ``(M,)`` and ``(M, M)``.

    Raises:
        ValueError: if there is not one value for each observed pixel.

    Source:
        Bishop (2006), equations 2.81 and 2.82,
        https://www.microsoft.com/en-us/research/uploads/prod/2006/01/Bishop-Pattern-Recognition-and-Machine-Learning-2006.pdf
    """
    if len(values) != int(observed.sum()):
        raise ValueError(f"{len(values)} values for {int(observed.sum())} observed pixels")
    missing = ~observed
    gain = torch.linalg.solve(covariance[observed][:, observed], covariance[observed][:, missing])
    guess = mean[missing] + (values - mean[observed]) @ gain
    return guess, covariance[missing][:, missing] - covariance[missing][:, observed] @ gain


def subpixel_kernel(weight: Tensor) -> Tensor:
    r"""Return the kernel of the convolution that, with pixel shuffle, is a transposed convolution.

    A transposed convolution with kernel 4, stride 2 and padding 1 is a convolution with kernel 3
    and padding 1 that makes four times the channels, followed by ``torch.pixel_shuffle(., 2)``.

    Args:
        weight: kernel of the transposed convolution, ``(C_in, C_out, 4, 4)``.

    Returns:
        Kernel of the convolution, ``(4 * C_out, C_in, 3, 3)``.

    Raises:
        ValueError: if the kernel is not 4 by 4.

    Source:
        Shi et al. (2016), https://arxiv.org/abs/1609.07009
    """
    if weight.ndim != 4 or weight.shape[2:] != (4, 4):
        raise ValueError(f"weight is {tuple(weight.shape)}: expected (C_in, C_out, 4, 4)")
    inside, outside = weight.shape[:2]
    kernel = weight.new_zeros(outside, 2, 2, inside, 3, 3)
    flipped = weight.flip(2, 3).transpose(0, 1)  # (C_out, C_in, 4, 4)
    for row in (0, 1):
        for column in (0, 1):
            # an output pixel of this parity meets every second entry of the kernel
            rows, columns = slice(row, row + 2), slice(column, column + 2)
            part = flipped[:, :, row::2, column::2]
            kernel[:, row, column, :, rows, columns] = part
    return kernel.reshape(4 * outside, inside, 3, 3)
