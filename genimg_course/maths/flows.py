"""Affine coupling: a map that bends space, can be undone, and knows how it changes volume."""

from __future__ import annotations

import torch
from torch import Tensor

from genimg_course._checks import check_matrix, check_same_shape

__all__ = ["coupling_forward", "coupling_inverse"]


def coupling_forward(x: Tensor, log_scale: Tensor, shift: Tensor) -> dict[str, Tensor]:
    r"""Stretch and shift the last columns; the first stay as they are.

    With :math:`x = (x_a, x_b)`, and :math:`s`, :math:`t` computed from :math:`x_a` alone,

    .. math:: z = (x_a,\; x_b\, e^{s} + t), \qquad
        \log\left|\det\frac{\partial z}{\partial x}\right| = \sum_j s_j

    Args:
        x: points, ``(B, D)``.
        log_scale: ``s``, ``(B, D_b)`` for the last ``D_b < D`` columns.
        shift: ``t``, same shape as ``s``.

    Returns:
        ``"z"``, ``(B, D)``, and ``"log_det"`` of this map, ``(B,)``.

    Raises:
        ValueError: if the shapes do not fit or no column would stay.

    Source:
        Dinh, Sohl-Dickstein and Bengio (2017), section 3.2, https://arxiv.org/abs/1605.08803
    """
    kept, moved = _split(x, log_scale, shift)
    z = torch.cat([kept, moved * log_scale.exp() + shift], dim=1)
    return {"z": z, "log_det": log_scale.sum(dim=1)}


def coupling_inverse(z: Tensor, log_scale: Tensor, shift: Tensor) -> dict[str, Tensor]:
    r"""Undo :func:`coupling_forward` with the same ``log_scale`` and ``shift``.

    .. math:: x = (z_a,\; (z_b - t)\, e^{-s}), \qquad
        \log\left|\det\frac{\partial x}{\partial z}\right| = -\sum_j s_j

    Args:
        z: points, ``(B, D)``.
        log_scale: ``s``, ``(B, D_b)`` for the last ``D_b < D`` columns.
        shift: ``t``, same shape as ``s``.

    Returns:
        ``"x"``, ``(B, D)``, and ``"log_det"`` of this map, ``(B,)``.

    Raises:
        ValueError: if the shapes do not fit or no column would stay.

    Source:
        Dinh, Sohl-Dickstein and Bengio (2017), section 3.3, https://arxiv.org/abs/1605.08803
    """
    kept, moved = _split(z, log_scale, shift)
    x = torch.cat([kept, (moved - shift) * (-log_scale).exp()], dim=1)
    return {"x": x, "log_det": -log_scale.sum(dim=1)}


def _split(points: Tensor, log_scale: Tensor, shift: Tensor) -> tuple[Tensor, Tensor]:
    check_matrix(points=points, log_scale=log_scale)
    check_same_shape(log_scale=log_scale, shift=shift)
    kept = points.shape[1] - log_scale.shape[1]
    if kept < 1 or len(points) != len(log_scale):
        raise ValueError(
            f"points {tuple(points.shape)} with scales {tuple(log_scale.shape)}: expected as many "
            "rows and fewer columns of scales"
        )
    return points[:, :kept], points[:, kept:]
