"""How many bits a picture costs at a given error: the limit for Gaussians, and a quantiser."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

__all__ = ["RateDistortion", "quantiser_cost", "reverse_water_filling"]


class RateDistortion(NamedTuple):
    """A point of a rate-distortion curve.

    Args:
        rate: bits, a scalar.
        distortion: mean squared error of each component, ``(D,)``; or of the one source, a scalar.
    """

    rate: Tensor
    distortion: Tensor


def reverse_water_filling(spectrum: Tensor, distortion: float) -> RateDistortion:
    r"""Return the least bits for independent Gaussians at a total squared error.

    .. math:: R(D) = \sum_i \tfrac12 \log_2 \frac{\lambda_i}{\min(\theta, \lambda_i)},
        \qquad \sum_i \min(\theta, \lambda_i) = D

    Components below the water level ``theta`` get no bits and keep all of their variance as error;
    the others share one error.

    Args:
        spectrum: variances of the components, positive, in any order, ``(D,)``.
        distortion: total squared error, above 0 and at most the sum of the variances.

    Returns:
        The rate in bits per example, and the error of each component, ``(D,)``.

    Raises:
        ValueError: if a variance is not positive and finite or the error is out of reach.

    Source:
        Cover and Thomas (2006), theorem 10.3.3, https://doi.org/10.1002/047174882X
    """
    if spectrum.ndim != 1 or not (spectrum.isfinite() & (spectrum > 0)).all():
        raise ValueError(f"spectrum is {spectrum.tolist()}: expected positive variances (D,)")
    if not 0 < distortion <= float(spectrum.sum()) * (1 + 1e-6):
        raise ValueError(
            f"distortion is {distortion}: expected above 0 and at most {float(spectrum.sum()):g}"
        )
    small = spectrum.sort().values
    drowned = torch.cumsum(small, dim=0) - small  # variance of all smaller components
    still = torch.arange(len(small), 0, -1, device=small.device)  # components from here on
    # every choice of what drowns gives at most the level, and the right choice gives the level
    level = ((distortion - drowned) / still).max()
    errors = spectrum.clamp_max(level)
    return RateDistortion(0.5 * torch.log2(spectrum / errors).sum(), errors)


def quantiser_cost(sigma: float, step: float) -> RateDistortion:
    r"""Return what a uniform quantiser costs on a centred Gaussian after ideal entropy coding.

    A value is rounded to the nearest multiple of ``step``. The rate is the entropy of the multiples

    .. math:: R = -\sum_k p_k \log_2 p_k, \qquad
        p_k = \Phi\!\left(\tfrac{(k + 1/2)\Delta}{\sigma}\right)
        - \Phi\!\left(\tfrac{(k - 1/2)\Delta}{\sigma}\right)

    Args:
        sigma: standard deviation of the values, positive.
        step: distance ``Delta`` of neighbouring levels, positive.

    Returns:
        Bits per value and mean squared error, float64 scalars.

    Raises:
        ValueError: if ``sigma`` or ``step`` is not positive.

    Source:
        Gish and Pierce (1968), https://doi.org/10.1109/TIT.1968.1054193
    """
    if not (sigma > 0 and step > 0):
        raise ValueError(f"sigma is {sigma}, step is {step}: expected positive numbers")
    # beyond 12 standard deviations lies less than 1e-32 of the law
    k = torch.arange(1, math.ceil(12 * sigma / step) + 2, dtype=torch.float64)
    low, high = (k - 0.5) * step / sigma, (k + 0.5) * step / sigma
    mass = torch.special.ndtr(-low) - torch.special.ndtr(-high)  # each again at -k
    middle = 1 - 2 * torch.special.ndtr(-low[0])
    entropy = torch.special.entr(middle) + 2 * torch.special.entr(mass).sum()
    level, moment = k * step, sigma * (_density(low) - _density(high))  # mean of x over each cell
    saved = 2 * (2 * level * moment - level.square() * mass).sum()
    return RateDistortion(entropy / math.log(2), sigma**2 - saved)


def _density(x: Tensor) -> Tensor:
    return (-0.5 * x.square()).exp() / math.sqrt(2 * math.pi)
