"""How large weights must begin so that a signal passes many layers unchanged in size."""

from __future__ import annotations

import math

__all__ = ["he_std", "signal_gain"]


def signal_gain(std: float, fan_in: int, *, negative_slope: float = 0.0) -> float:
    r"""Return the factor by which one layer multiplies the mean square of its input.

    .. math:: \frac{\mathbb E\, a_l^2}{\mathbb E\, a_{l-1}^2} = \frac{1 + s^2}{2}\, n\, \sigma^2,
        \qquad a_l = w^\top \phi(a_{l-1})

    Args:
        std: standard deviation of the weights, whose law is symmetric about zero.
        fan_in: number ``n`` of inputs of a neuron; channels times kernel area in a convolution.
        negative_slope: slope ``s`` of the activation below zero: 0 for ReLU, 1 for none.

    Returns:
        A factor, at least zero; 1 keeps the size.

    Raises:
        ValueError: if ``std`` is negative or ``fan_in`` below 1.

    Source:
        He et al. (2015), section 2.2, https://arxiv.org/abs/1502.01852
    """
    if not std >= 0:
        raise ValueError(f"std is {std}: expected at least zero")
    _check_fan(fan_in)
    return (1 + negative_slope**2) / 2 * fan_in * std**2


def he_std(fan_in: int, *, negative_slope: float = 0.0) -> float:
    r"""Return the standard deviation of weights that keep the mean square of a signal.

    .. math:: \sigma = \sqrt{\frac{2}{(1 + s^2)\, n}}

    Args:
        fan_in: number ``n`` of inputs of a neuron; channels times kernel area in a convolution.
        negative_slope: slope ``s`` of the activation below zero: 0 for ReLU, 1 for none.

    Returns:
        A standard deviation; the variance is its square.

    Raises:
        ValueError: if ``fan_in`` is below 1.

    Source:
        He et al. (2015), section 2.2, https://arxiv.org/abs/1502.01852

    >>> he_std(8)
    0.5
    """
    _check_fan(fan_in)
    return math.sqrt(2 / ((1 + negative_slope**2) * fan_in))


def _check_fan(fan_in: int) -> None:
    if fan_in < 1:
        raise ValueError(f"fan_in is {fan_in}: expected at least one input")
