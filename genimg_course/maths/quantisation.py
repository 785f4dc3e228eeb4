"""Numbers in few bits: what rounding costs, and how weights are stored as small integers."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from genimg_course._checks import check_finite, check_range

__all__ = ["quantisation_snr", "quantise_uniform", "quantise_weights"]


def _check_bits(bits: int, least: int) -> None:
    if bits < least:
        raise ValueError(f"bits is {bits}: expected at least {least}")


def quantise_uniform(x: Tensor, *, bits: int, low: float = 0.0, high: float = 1.0) -> Tensor:
    r"""Replace each value by the middle of its cell; the cells divide the range evenly.

    .. math:: Q(x) = l + \Delta \left( \left\lfloor \frac{x - l}{\Delta} \right\rfloor
        + \tfrac12 \right), \qquad \Delta = \frac{h - l}{2^b}

    Args:
        x: values in ``[low, high]``, any shape; ``high`` itself belongs to the last cell.
        bits: number ``b`` of bits, so that there are ``2 ** b`` cells.
        low: lower end ``l`` of the range.
        high: upper end ``h`` of the range.

    Returns:
        The shape of ``x``.

    Raises:
        ValueError: if ``bits`` is below 1, the range is empty or a value lies outside it.

    Source:
        Gersho and Gray (1992), https://doi.org/10.1007/978-1-4615-3626-0
    """
    _check_bits(bits, 1)
    if not low < high:
        raise ValueError(f"the range [{low}, {high}] is empty: expected low < high")
    check_range("x", x, low, high)
    width = (high - low) / 2**bits
    cell = ((x - low) / width).floor().clamp_max(2**bits - 1)
    return low + width * (cell + 0.5)


def quantisation_snr(bits: int) -> float:
    r"""Return the signal-to-noise ratio of `quantise_uniform` on a uniform source, in decibels.

    .. math:: 10 \log_{10} \frac{\mathrm{Var}\,x}{\mathbb E (x - Q(x))^2}
        = 20\, b \log_{10} 2 \approx 6.02\, b

    Args:
        bits: number of bits, at least 1.

    Returns:
        Decibels: each bit adds 6.02.

    Raises:
        ValueError: if ``bits`` is below 1.

    Source:
        Gersho and Gray (1992), https://doi.org/10.1007/978-1-4615-3626-0
    """
    _check_bits(bits, 1)
    return 20 * bits * math.log10(2)


def quantise_weights(weight: Tensor, *, bits: int = 8) -> tuple[Tensor, Tensor]:
    r"""Round weights to small whole numbers and one scale; the product is near the weights.

    .. math:: q = \mathrm{round}(w / s), \qquad
        s = \frac{\max \lvert w \rvert}{2^{b - 1} - 1}, \qquad
        \lvert w - s q \rvert \le \tfrac s2

    Args:
        weight: weights, any shape, not all zero.
        bits: number ``b`` of bits, 2 to 8.

    Returns:
        The integers as ``int8`` in the shape of ``weight``, and the scale, a scalar tensor.

    Raises:
        ValueError: if ``bits`` is not in 2 .. 8, or ``weight`` is empty, zero or not finite.

    Source:
        Jacob et al. (2018), section 2.1, https://arxiv.org/abs/1712.05877
    """
    if not 2 <= bits <= 8:
        raise ValueError(f"bits is {bits}: expected 2 to 8")
    check_finite(weight=weight)
    if not (weight.numel() and weight.any()):
        raise ValueError(f"weight {tuple(weight.shape)} holds no value other than zero")
    scale = weight.abs().max() / (2 ** (bits - 1) - 1)
    return (weight / scale).round().to(torch.int8), scale
