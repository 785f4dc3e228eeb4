"""What a perfect discriminator says when it is trained with another loss than cross-entropy."""

from __future__ import annotations

import torch
from torch import Tensor

from genimg_course._checks import check_range, check_same_shape

__all__ = ["hinge_critic", "least_squares_critic", "penalised_slope"]


def least_squares_critic(
    p: Tensor, q: Tensor, *, real_target: float = 1.0, fake_target: float = 0.0
) -> Tensor:
    r"""Return the best output for the least-squares loss: the mean target of those who land there.

    .. math:: D^*(x) = \frac{b\,p(x) + a\,q(x)}{p(x) + q(x)}

    Args:
        p: density or probability of the data at each point, positive, any shape.
        q: the same for the generator.
        real_target: ``b``.
        fake_target: ``a``.

    Returns:
        Values between the targets, the shape of ``p``.

    Raises:
        ValueError: if the shapes differ or a density is not positive.

    Source:
        Mao et al. (2017), equation 5, https://arxiv.org/abs/1611.04076
    """
    _check_densities(p, q)
    return (real_target * p + fake_target * q) / (p + q)


def hinge_critic(p: Tensor, q: Tensor) -> Tensor:
    r"""Return the best output for the hinge loss: one on the side of the denser law.

    .. math:: D^*(x) = \mathrm{sign}(p(x) - q(x))

    Args:
        p: density or probability of the data at each point, positive, any shape.
        q: the same for the generator.

    Returns:
        -1 or 1, the shape of ``p``; 0 where the densities agree and every output between serves.

    Raises:
        ValueError: if the shapes differ or a density is not positive.

    Source:
        Lim and Ye (2017), https://arxiv.org/abs/1705.02894
    """
    _check_densities(p, q)
    return (p - q).sign()


def penalised_slope(distance: float, *, weight: float) -> float:
    r"""Return the slope at which a linear critic of two shifted laws stops under the penalty.

    .. math:: c^* = 1 + \frac{W_1}{2\lambda}

    The gradient penalty is a price, not a wall: the critic exceeds slope one, and the difference of
    its mean scores exceeds the distance by the same factor.

    Args:
        distance: by how much the laws are shifted, ``W_1``.
        weight: weight ``lambda`` of the penalty, positive.

    Returns:
        The slope, at least one.

    Raises:
        ValueError: if ``distance`` is negative or ``weight`` is not positive.
    """
    if not distance >= 0 or not weight > 0:
        raise ValueError(
            f"distance is {distance} and weight is {weight}: expected a distance of at least zero "
            "and a positive weight"
        )
    return 1 + distance / (2 * weight)


def _check_densities(p: Tensor, q: Tensor) -> None:
    check_same_shape(p=p, q=q)
    for name, density in (("p", p), ("q", q)):
        check_range(name, density, torch.finfo(density.dtype).tiny, float("inf"))
