"""Flow matching: straight paths from noise to images, and the velocity they have on average."""

from __future__ import annotations

import torch
from torch import Tensor

from genimg_course._checks import check_range, check_same_shape

__all__ = ["flow_interpolate", "flow_target", "ideal_velocity"]


def _beside(t: Tensor, x: Tensor) -> Tensor:
    """Return the times in the type of ``x`` and in a shape that multiplies its examples."""
    if t.ndim > 1 or (t.ndim == 1 and len(t) != len(x)):
        raise ValueError(
            f"t has shape {tuple(t.shape)} for x of shape {tuple(x.shape)}: "
            f"expected a scalar or ({len(x)},)"
        )
    check_range("t", t, 0.0, 1.0)
    return t.to(x).reshape(t.shape + (1,) * (x.ndim - 1))


def flow_interpolate(x0: Tensor, x1: Tensor, t: Tensor) -> Tensor:
    r"""Return the point at time ``t`` of the straight path from noise to an image.

    .. math:: x_t = (1 - t)\, x_0 + t\, x_1

    Args:
        x0: noise, ``(B, ...)``; here time 0 is noise, where diffusion calls the image ``x0``.
        x1: images, same shape.
        t: times in ``[0, 1]``, scalar or ``(B,)``.

    Returns:
        The shape of ``x0``.

    Raises:
        ValueError: if the shapes do not fit or a time leaves ``[0, 1]``.

    Source:
        Liu, Gong and Liu (2023), https://arxiv.org/abs/2209.03003
    """
    check_same_shape(x0=x0, x1=x1)
    time = _beside(t, x0)
    return (1 - time) * x0 + time * x1


def flow_target(x0: Tensor, x1: Tensor) -> Tensor:
    r"""Return the velocity :math:`x_1 - x_0` of the straight path from noise to an image.

    Args:
        x0: noise, ``(B, ...)``.
        x1: images, same shape.

    Returns:
        The shape of ``x0``: what a network learns to predict at every point of the path.

    Raises:
        ValueError: if the shapes differ.

    Source:
        Liu, Gong and Liu (2023), equation 1, https://arxiv.org/abs/2209.03003
    """
    check_same_shape(x0=x0, x1=x1)
    return x1 - x0


def ideal_velocity(x_t: Tensor, data: Tensor, t: Tensor) -> Tensor:
    r"""Return the mean velocity of all paths through a point, if the data were these images.

    .. math:: u_t(x) = \mathbb E[x_1 - x_0 \mid x_t = x]
        = \frac{\sum_i r_i x^{(i)} - x}{1 - t}, \qquad
        r_i \propto \exp\left( -\frac{\lVert x - t x^{(i)} \rVert^2}{2 (1 - t)^2} \right)

    Args:
        x_t: points, ``(B, ...)``.
        data: all images there are, ``(N, ...)``, each as likely as the next.
        t: times in ``[0, 1)``, scalar or ``(B,)``.

    Returns:
        The shape of ``x_t``; whoever follows it from standard normal noise arrives at the data.

    Raises:
        ValueError: if the shapes do not fit or a time leaves ``[0, 1]``.

    Source:
        Lipman et al. (2023), theorem 1, https://arxiv.org/abs/2210.02747
    """
    if x_t.shape[1:] != data.shape[1:]:
        raise ValueError(f"shapes differ: x_t {tuple(x_t.shape)}, data {tuple(data.shape)}")
    points, centres = x_t.flatten(1), data.flatten(1)
    time = _beside(t, points)
    # the squared distance without |x|^2, which is the same for all images
    nearness = time * points @ centres.T - time.square() / 2 * centres.square().sum(dim=1)
    share = torch.softmax(nearness / (1 - time).square(), dim=1)  # (B, N)
    return ((share @ centres).reshape(x_t.shape) - x_t) / (1 - _beside(t, x_t))
