"""Noise schedules: how much of an image is left after each step of diffusion."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from genimg_course._checks import check_range

__all__ = ["alpha_bars", "cosine_betas", "linear_betas"]


def _check_steps(steps: int) -> None:
    if steps < 1:
        raise ValueError(f"steps is {steps}: expected at least 1")


def linear_betas(steps: int, *, first: float = 1e-4, last: float = 0.02) -> Tensor:
    """Return noise variances that grow evenly from ``first`` to ``last``.

    The usual values belong to 1000 steps; with fewer steps ``last`` must be larger, or the image
    is still visible at the end.

    Args:
        steps: number of steps ``T``.
        first: variance of the first step, in ``(0, 1)``.
        last: variance of the last step, in ``(0, 1)``.

    Returns:
        The betas of steps 1 to ``T``, ``(T,)``, in float64.

    Raises:
        ValueError: if ``steps`` is below 1 or a variance lies outside ``(0, 1)``.

    Source:
        Ho, Jain and Abbeel (2020), section 4, https://arxiv.org/abs/2006.11239
    """
    _check_steps(steps)
    if not (0 < first < 1 and 0 < last < 1):
        raise ValueError(f"betas run from {first} to {last}: expected variances inside (0, 1)")
    return torch.linspace(first, last, steps, dtype=torch.float64)


def cosine_betas(steps: int, *, offset: float = 0.008, most: float = 0.999) -> Tensor:
    r"""Return noise variances under which the image fades along a squared cosine.

    .. math:: \beta_t = \min\left( 1 - \frac{f(t)}{f(t - 1)},\ \beta_{max} \right), \qquad
        f(t) = \cos^2\left( \frac{t / T + s}{1 + s} \cdot \frac\pi2 \right)

    Args:
        steps: number of steps ``T``; the schedule has the same form for every ``T``.
        offset: ``s``; keeps the first steps from being too small.
        most: largest variance; without it the last step would erase everything at once.

    Returns:
        The betas of steps 1 to ``T``, ``(T,)``, in float64.

    Raises:
        ValueError: if ``steps`` is below 1, ``offset`` negative or ``most`` outside ``(0, 1)``.

    Source:
        Nichol and Dhariwal (2021), equation 17, https://arxiv.org/abs/2102.09672
    """
    _check_steps(steps)
    if not (offset >= 0 and 0 < most < 1):
        raise ValueError(f"offset {offset} and most {most}: expected offset >= 0, most in (0, 1)")
    share = torch.arange(steps + 1, dtype=torch.float64) / steps
    f = ((share + offset) / (1 + offset) * math.pi / 2).cos().square()
    return (1 - f[1:] / f[:-1]).clamp_max(most)


def alpha_bars(betas: Tensor) -> Tensor:
    r"""Return the share of the image's variance that is left after each step, from step 0 on.

    .. math:: \bar\alpha_0 = 1, \qquad \bar\alpha_t = \prod_{s=1}^t (1 - \beta_s)

    Args:
        betas: noise variances of steps 1 to ``T``, inside ``(0, 1)``, ``(T,)``.

    Returns:
        ``(T + 1,)``: entry ``t`` belongs to step ``t``, so that no index needs a correction.

    Raises:
        ValueError: if ``betas`` is not one-dimensional, or a value lies outside ``(0, 1)``.

    Source:
        Ho, Jain and Abbeel (2020), equation 4, https://arxiv.org/abs/2006.11239

    >>> alpha_bars(torch.tensor([0.5, 0.5]))
    tensor([1.0000, 0.5000, 0.2500])
    """
    if betas.ndim != 1 or len(betas) == 0:
        raise ValueError(f"betas has shape {tuple(betas.shape)}: expected (T,)")
    check_range("betas", betas, 0.0, 1.0)
    if ((betas == 0) | (betas == 1)).any():
        raise ValueError("betas holds a 0 or a 1: expected variances inside (0, 1)")
    return torch.cat([betas.new_ones(1), (1 - betas).cumprod(dim=0)])
