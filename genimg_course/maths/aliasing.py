"""What sampling does to frequencies: where a wave folds to, and how much energy is in danger."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from genimg_course._checks import check_finite

__all__ = ["alias_frequency", "energy_above", "folded_spectrum", "frequency_response"]


def alias_frequency(frequency: Tensor, *, rate: float = 1.0) -> Tensor:
    r"""Return the frequency that a sampled cosine seems to have.

    .. math:: f_{\text{seen}} = \left\lvert f - r \left\lfloor \frac fr \right\rceil \right\rvert
        \in \left[ 0, \frac r2 \right]

    Here the brackets round to the nearest whole number.

    Args:
        frequency: true frequencies ``f``, any shape; in cycles per pixel, for one.
        rate: samples ``r`` per unit of length, positive.

    Returns:
        The shape of ``frequency``; what lies below ``rate / 2`` is unchanged.

    Raises:
        ValueError: if ``rate`` is not positive.

    Source:
        Shannon (1949), section II, https://doi.org/10.1109/JRPROC.1949.232969
    """
    if not rate > 0:
        raise ValueError(f"rate is {rate}: expected a positive number of samples")
    return (frequency - rate * (frequency / rate).round()).abs()


def folded_spectrum(spectrum: Tensor, factor: int) -> Tensor:
    r"""Return the Fourier transform of every ``factor``-th sample.

    .. math:: Y_k = \frac1s \sum_{m=0}^{s-1} X_{k + m N / s}, \qquad k = 0 \dots N / s - 1

    Args:
        spectrum: discrete Fourier transform ``X`` of all samples, ``(..., N)``.
        factor: the step ``s``; it divides ``N``.

    Returns:
        ``(..., N / s)``.

    Raises:
        ValueError: if ``factor`` does not divide the length.

    Source:
        Oppenheim and Schafer (2010), Discrete-Time Signal Processing, section 4.6
    """
    _check_factor(spectrum.shape[-1], factor)
    return spectrum.unflatten(-1, (factor, -1)).mean(dim=-2)


def _check_factor(length: int, factor: int) -> None:
    if factor < 1 or length % factor:
        raise ValueError(f"factor is {factor}: expected a divisor of the length {length}")


def frequency_response(kernel: Tensor, frequency: Tensor) -> Tensor:
    r"""Return what a symmetric filter makes of waves: their gain, which may be negative.

    .. math:: H(f) = \sum_k h_k \cos\left( 2 \pi f \left( k - \frac{K - 1}{2} \right) \right)

    Args:
        kernel: the weights ``h``, ``(K,)``, symmetric about their middle.
        frequency: in cycles per pixel, ``(F,)``.

    Returns:
        One gain for each frequency, ``(F,)``; the sum of the weights at frequency 0.

    Raises:
        ValueError: if the kernel is not symmetric.

    Source:
        Oppenheim and Schafer (2010), Discrete-Time Signal Processing, section 5.7
    """
    if not torch.allclose(kernel, kernel.flip(0)):
        raise ValueError("the kernel is not symmetric: its gain would be a complex number")
    count = len(kernel)
    places = torch.arange(1 - count, count, 2, dtype=kernel.dtype) / 2  # from the middle
    return (2 * math.pi * frequency[:, None] * places).cos() @ kernel


def energy_above(x: Tensor, cutoff: float) -> Tensor:
    r"""Return the share of an image's energy at frequencies of ``cutoff`` and above.

    The mean of the image does not count. A wave is above where its frequency along one axis is:

    .. math:: \frac{\sum_{\max(|f_x|, |f_y|) \ge c} |X_f|^2}{\sum_{f \ne 0} |X_f|^2}

    Args:
        x: images, ``(B, C, H, W)``, each with some contrast.
        cutoff: ``c`` in cycles per pixel; ``1 / (2 * s)`` is the Nyquist limit of every s-th pixel.

    Returns:
        One share in [0, 1] for each image, ``(B,)``.

    Raises:
        ValueError: if ``x`` is not a batch of images or holds values that are not finite.
    """
    if x.ndim != 4:
        raise ValueError(f"x has shape {tuple(x.shape)}: expected images (B, C, H, W)")
    check_finite(x=x)
    energy = torch.fft.fft2(x).abs().square()
    energy[..., 0, 0] = 0  # the mean
    # Fourier's frequencies are rounded: a wave that lies on the limit must not fall below it
    rows, columns = (torch.fft.fftfreq(n, dtype=torch.float64).abs() for n in x.shape[2:])
    above = rows[:, None].maximum(columns) >= cutoff - 1e-9  # (H, W)
    return (energy * above).sum(dim=(1, 2, 3)) / energy.sum(dim=(1, 2, 3))
