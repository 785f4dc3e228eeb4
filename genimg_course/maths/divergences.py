"""Divergences between discrete laws, in nats."""

from __future__ import annotations

import torch
from torch import Tensor

from genimg_course._checks import check_range, check_same_shape

__all__ = ["jensen_shannon", "kl_divergence", "total_variation"]


def _check_laws(p: Tensor, q: Tensor) -> None:
    check_same_shape(p=p, q=q)
    for name, law in (("p", p), ("q", q)):
        check_range(name, law, 0.0, 1.0)
        total = law.sum(dim=-1)
        if not torch.allclose(total, torch.ones_like(total), atol=1e-4):
            worst = total.flatten()[(total - 1).abs().argmax()].item()
            raise ValueError(f"{name} sums to {worst:g}: a law sums to 1")


def kl_divergence(p: Tensor, q: Tensor) -> Tensor:
    r"""Return :math:`\mathrm{KL}(p\Vert q) = \sum_i p_i \log(p_i / q_i)` in nats.

    Args:
        p: probabilities, ``(..., K)``; where it is zero the term is zero.
        q: probabilities, ``(..., K)``; where it is zero and ``p`` is not, the result is infinite.

    Returns:
        One value per law, ``(...)``.

    Raises:
        ValueError: if the shapes differ or a law does not sum to one.
    """
    _check_laws(p, q)
    return (torch.xlogy(p, p) - torch.xlogy(p, q)).sum(dim=-1)


def jensen_shannon(p: Tensor, q: Tensor) -> Tensor:
    r"""Return the Jensen-Shannon divergence of two laws, in nats; ``m`` is their mean.

    .. math:: \tfrac12\mathrm{KL}(p\Vert m) + \tfrac12\mathrm{KL}(q\Vert m)

    Args:
        p: probabilities, ``(..., K)``.
        q: probabilities, ``(..., K)``.

    Returns:
        One value per law in ``[0, log 2]``, ``(...)``.

    Raises:
        ValueError: if the shapes differ or a law does not sum to one.

    Source:
        Lin (1991), https://doi.org/10.1109/18.61115
    """
    _check_laws(p, q)
    m = (p + q) / 2
    return (kl_divergence(p, m) + kl_divergence(q, m)) / 2


def total_variation(p: Tensor, q: Tensor) -> Tensor:
    r"""Return the largest difference that two laws give to the probability of an event.

    .. math:: \tfrac12 \sum_i |p_i - q_i|

    Args:
        p: probabilities, ``(..., K)``.
        q: probabilities, ``(..., K)``.

    Returns:
        One value per law in ``[0, 1]``, ``(...)``.

    Raises:
        ValueError: if the shapes differ or a law does not sum to one.
    """
    _check_laws(p, q)
    return 0.5 * (p - q).abs().sum(dim=-1)
