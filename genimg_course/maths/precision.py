"""Numbers with few bits: what a format can hold, and how a gradient survives in it."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

__all__ = ["FloatFormat", "float_format", "unscale_and_clip"]


class FloatFormat(NamedTuple):
    """What a binary floating-point format can hold.

    Args:
        largest: its largest finite number.
        normal: its smallest positive number with all digits.
        smallest: its smallest positive number; half of it rounds to zero.
        epsilon: gap between 1 and the next number.
    """

    largest: float
    normal: float
    smallest: float
    epsilon: float


def float_format(exponent_bits: int, fraction_bits: int) -> FloatFormat:
    r"""Return the range and the digits of a binary format with ``e`` and ``f`` bits.

    .. math:: \left(2 - 2^{-f}\right) 2^{b}, \quad 2^{1 - b}, \quad 2^{1 - b - f}, \quad 2^{-f},
        \qquad b = 2^{e - 1} - 1

    Args:
        exponent_bits: bits ``e`` of the exponent: they set the range.
        fraction_bits: bits ``f`` behind the leading one: they set the digits.

    Returns:
        The largest, the smallest normal and the smallest number, and the gap above 1.

    Raises:
        ValueError: if the exponent has less than two bits or the fraction none, or a double
            cannot hold the numbers.

    Source:
        Goldberg (1991), https://doi.org/10.1145/103162.103163

    >>> float_format(5, 10).largest
    65504.0
    """
    if not 2 <= exponent_bits <= 10 or fraction_bits < 1:
        raise ValueError(
            f"got {exponent_bits} bits of exponent and {fraction_bits} of fraction: "
            "expected 2 to 10 and at least 1"
        )
    bias = 2 ** (exponent_bits - 1) - 1
    epsilon = 2.0**-fraction_bits
    normal = 2.0 ** (1 - bias)
    return FloatFormat((2 - epsilon) * 2.0**bias, normal, normal * epsilon, epsilon)


def unscale_and_clip(gradient: Tensor, scale: float, *, max_norm: float) -> Tensor:
    r"""Return the gradient for the optimiser from that of a scaled loss, its norm bounded.

    .. math:: g = \frac1s \nabla(sL), \qquad g\,\min\left(1, \frac{c}{\lVert g \rVert}\right)

    The gradient of ``s * L`` is ``s`` times that of ``L``; the bound is meant for the latter, so
    the scale goes first.

    Args:
        gradient: gradient of the scaled loss, any shape, possibly float16.
        scale: factor ``s`` of the loss.
        max_norm: bound ``c`` of the norm.

    Returns:
        The clipped gradient in float32, same shape; all zero if a value is not finite, because
        then the scale was too large and the step must be skipped.

    Raises:
        ValueError: if ``scale`` or ``max_norm`` is not positive.

    Source:
        Micikevicius et al. (2018), section 3.2, https://arxiv.org/abs/1710.03740
    """
    if not scale > 0 or not max_norm > 0:
        raise ValueError(f"scale is {scale} and max_norm {max_norm}: expected positive numbers")
    true = gradient.float() / scale  # in float16 the division would lose what the scale has saved
    if not bool(true.isfinite().all()):
        return torch.zeros_like(true)
    return true * (max_norm / true.norm()).clamp(max=1.0)
