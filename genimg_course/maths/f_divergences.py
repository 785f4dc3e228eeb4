"""Divergences that compare two laws through a convex function of their ratio, after Csiszár."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from genimg_course._checks import check_range, check_same_shape

__all__ = [
    "F_DIVERGENCES",
    "convex_generator",
    "density_ratio_score",
    "f_conjugate",
    "f_divergence",
    "fenchel_conjugate",
    "output_activation",
    "variational_bound",
]

Function = Callable[[Tensor], Tensor]


class _Family(NamedTuple):
    """What belongs to one divergence; ``upper`` ends the domain of the conjugate, not included."""

    generator: Function
    slope: Function
    conjugate: Function
    upper: float
    activation: Function


_FAMILIES = {
    "kl": _Family(
        generator=lambda u: torch.xlogy(u, u),
        slope=lambda u: u.log() + 1,
        conjugate=lambda t: (t - 1).exp(),
        upper=math.inf,
        activation=lambda v: v,
    ),
    "reverse_kl": _Family(
        generator=lambda u: -u.log(),
        slope=lambda u: -u.reciprocal(),
        conjugate=lambda t: -(-t).log() - 1,
        upper=0.0,
        activation=lambda v: -(-v).exp(),
    ),
    "pearson": _Family(
        generator=lambda u: (u - 1).square(),
        slope=lambda u: 2 * (u - 1),
        conjugate=lambda t: t.square() / 4 + t,
        upper=math.inf,
        activation=lambda v: v,
    ),
    "squared_hellinger": _Family(
        generator=lambda u: (u.sqrt() - 1).square(),
        slope=lambda u: 1 - u.rsqrt(),
        conjugate=lambda t: t / (1 - t),
        upper=1.0,
        activation=lambda v: 1 - (-v).exp(),
    ),
    "gan": _Family(
        generator=lambda u: torch.xlogy(u, u) - torch.xlogy(u + 1, u + 1),
        slope=lambda u: u.log() - u.log1p(),
        # expm1 keeps the logarithm finite where t is so close to 0 that exp(t) rounds to 1
        conjugate=lambda t: -(-torch.expm1(t)).log(),
        upper=0.0,
        activation=F.logsigmoid,
    ),
}

F_DIVERGENCES: tuple[str, ...] = tuple(_FAMILIES)
"""Names of the divergences."""


def _family(divergence: str) -> _Family:
    if divergence not in _FAMILIES:
        known = ", ".join(F_DIVERGENCES)
        raise ValueError(f"divergence is {divergence!r}: expected one of {known}")
    return _FAMILIES[divergence]


def convex_generator(u: Tensor, divergence: str) -> Tensor:
    r"""Return :math:`f(u)`, the convex function that defines a divergence.

    ``"gan"`` has :math:`f(1) = -\log 4`; all others have :math:`f(1) = 0`.

    Args:
        u: ratios ``p / q``, positive, any shape.
        divergence: one of `F_DIVERGENCES`.

    Returns:
        Values of the shape of ``u``.

    Raises:
        ValueError: if there is no such divergence.

    Source:
        Nowozin, Cseke and Tomioka (2016), table 1, https://arxiv.org/abs/1606.00709
    """
    return _family(divergence).generator(u)


def density_ratio_score(u: Tensor, divergence: str) -> Tensor:
    r"""Return :math:`T^* = f'(u)`, the score at which the variational bound is tight.

    Args:
        u: ratios ``p / q``, positive, any shape.
        divergence: one of `F_DIVERGENCES`.

    Returns:
        Values in the domain of the conjugate, of the shape of ``u``.

    Raises:
        ValueError: if there is no such divergence.

    Source:
        Nguyen, Wainwright and Jordan (2010), https://doi.org/10.1109/TIT.2010.2068870
    """
    return _family(divergence).slope(u)


def f_conjugate(t: Tensor, divergence: str) -> Tensor:
    r"""Return the convex conjugate :math:`f^*(t) = \sup_u\, ut - f(u)`.

    Args:
        t: scores, any shape.
        divergence: one of `F_DIVERGENCES`.

    Returns:
        Values of the shape of ``t``; infinite outside the domain, which ends at 0 for ``"gan"`` and
        ``"reverse_kl"`` and at 1 for ``"squared_hellinger"``.

    Raises:
        ValueError: if there is no such divergence.

    Source:
        Nowozin, Cseke and Tomioka (2016), table 2, https://arxiv.org/abs/1606.00709
    """
    family = _family(divergence)
    # beyond its end a formula may return finite nonsense: t / (1 - t) is negative there
    return torch.where(t < family.upper, family.conjugate(t), math.inf)


def output_activation(v: Tensor, divergence: str) -> Tensor:
    r"""Return :math:`g_f(v)`: map what a network says into the domain of the conjugate.

    Args:
        v: outputs of the network, any real numbers, any shape.
        divergence: one of `F_DIVERGENCES`.

    Returns:
        Scores of the shape of ``v``, rising with ``v``.

    Raises:
        ValueError: if there is no such divergence.

    Source:
        Nowozin, Cseke and Tomioka (2016), table 2, https://arxiv.org/abs/1606.00709
    """
    return _family(divergence).activation(v)


def fenchel_conjugate(t: Tensor, u: Tensor, f: Tensor) -> Tensor:
    r"""Return the conjugate of a function that is known at points: the largest ``u t - f(u)``.

    Args:
        t: slopes, ``(N,)``.
        u: points, ``(K,)``.
        f: values at the points, ``(K,)``; infinite outside the domain of the function.

    Returns:
        One value for each slope, ``(N,)``; a lower bound of the conjugate between the points.

    Raises:
        ValueError: if ``u`` and ``f`` have different shapes.
    """
    check_same_shape(u=u, f=f)
    return (t[:, None] * u - f).amax(dim=1)


def f_divergence(p: Tensor, q: Tensor, divergence: str) -> Tensor:
    r"""Return :math:`D_f(p\Vert q) = \sum_i q_i\, f(p_i / q_i)`, in nats for the logarithms.

    Args:
        p: positive probabilities, ``(..., K)``.
        q: positive probabilities, ``(..., K)``.
        divergence: one of `F_DIVERGENCES`.

    Returns:
        One value per pair of laws, ``(...)``.

    Raises:
        ValueError: if the shapes differ, a probability is not positive or there is no such
            divergence.

    Source:
        Nowozin, Cseke and Tomioka (2016), section 2.1, https://arxiv.org/abs/1606.00709
    """
    check_same_shape(p=p, q=q)
    for name, law in (("p", p), ("q", q)):
        check_range(name, law, torch.finfo(law.dtype).tiny, 1.0)
    return (q * convex_generator(p / q, divergence)).sum(dim=-1)


def variational_bound(p: Tensor, q: Tensor, t: Tensor, divergence: str) -> Tensor:
    r"""Return :math:`\mathbb E_p[T] - \mathbb E_q[f^*(T)]`, a lower bound of the divergence.

    Args:
        p: probabilities, ``(..., K)``.
        q: probabilities, ``(..., K)``.
        t: score at each point, in the domain of the conjugate, ``(..., K)``.
        divergence: one of `F_DIVERGENCES`.

    Returns:
        One value per pair of laws, ``(...)``.

    Raises:
        ValueError: if the shapes differ or there is no such divergence.

    Source:
        Nguyen, Wainwright and Jordan (2010), https://doi.org/10.1109/TIT.2010.2068870;
        Nowozin, Cseke and Tomioka (2016), section 2.2, https://arxiv.org/abs/1606.00709
    """
    check_same_shape(p=p, q=q, t=t)
    return (p * t - q * f_conjugate(t, divergence)).sum(dim=-1)
