"""Ways from one code to another: the straight line and the great circle."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from genimg_course._checks import check_finite, check_matrix, check_same_shape

__all__ = ["lerp", "slerp"]


def lerp(a: Tensor, b: Tensor, t: float) -> Tensor:
    r"""Return the point at ``t`` on the straight line from ``a`` to ``b``.

    .. math:: (1 - t)\, a + t\, b

    Args:
        a: codes at ``t = 0``, ``(B, Z)``.
        b: codes at ``t = 1``, ``(B, Z)``.
        t: position, usually in [0, 1].

    Returns:
        Codes, ``(B, Z)``; between independent Gaussian codes they are too short.

    Raises:
        ValueError: if the shapes differ or a value is not finite.

    Source:
        White (2016), https://arxiv.org/abs/1609.04468
    """
    _check_pair(a, b)
    return (1 - t) * a + t * b


def slerp(a: Tensor, b: Tensor, t: float) -> Tensor:
    r"""Return the point at ``t`` on the great circle from ``a`` to ``b``.

    .. math:: \frac{\sin((1 - t)\Omega)}{\sin\Omega}\, a + \frac{\sin(t\,\Omega)}{\sin\Omega}\, b

    ``Omega`` is the angle between the two codes. Where they point the same way the sine vanishes
    and the straight line is the limit.

    Args:
        a: codes at ``t = 0``, no zero vector, ``(B, Z)``.
        b: codes at ``t = 1``, ``(B, Z)``.
        t: position, usually in [0, 1].

    Returns:
        Codes, ``(B, Z)``; as long as ``a`` and ``b`` if these are equally long.

    Raises:
        ValueError: if the shapes differ, a value is not finite, a code is zero, or two codes are
            opposite, so that every direction is as good as another.

    Source:
        Shoemake (1985), https://doi.org/10.1145/325334.325242;
        White (2016), https://arxiv.org/abs/1609.04468
    """
    _check_pair(a, b)
    omega = _angle(a, b) / math.pi  # torch.sinc takes half turns
    # t sinc(t x) / sinc(x) is sin(t x) / sin(x), and t where x is zero
    from_a = (1 - t) * torch.sinc((1 - t) * omega) / torch.sinc(omega)
    from_b = t * torch.sinc(t * omega) / torch.sinc(omega)
    return from_a * a + from_b * b


def _angle(a: Tensor, b: Tensor) -> Tensor:
    """Return the angle between codes in radians, ``(B, 1)``, exact for small and large angles."""
    length_a, length_b = (torch.linalg.vector_norm(v, dim=1, keepdim=True) for v in (a, b))
    if not ((length_a > 0) & (length_b > 0)).all():
        raise ValueError("a code is zero: it has no direction; use lerp")
    u, v = a / length_a, b / length_b
    apart, along = (torch.linalg.vector_norm(w, dim=1, keepdim=True) for w in (u - v, u + v))
    if (along < 100 * torch.finfo(a.dtype).eps).any():
        raise ValueError("two codes are opposite: no direction leads from one to the other")
    return 2 * torch.atan2(apart, along)


def _check_pair(a: Tensor, b: Tensor) -> None:
    check_same_shape(a=a, b=b)
    check_matrix(a=a)
    check_finite(a=a, b=b)
