"""Information of discrete laws: what a message costs, and what it costs in the wrong code."""

from __future__ import annotations

import torch
from torch import Tensor

from genimg_course._checks import check_range, check_same_shape

__all__ = ["cross_entropy", "entropy"]


def entropy(p: Tensor) -> Tensor:
    r"""Return the entropy :math:`H(p) = -\sum_i p_i \log p_i`, in nats.

    Args:
        p: probabilities, ``(..., K)``; where it is zero the term is zero.

    Returns:
        One value per law in ``[0, log K]``, ``(...)``.

    Raises:
        ValueError: if a value lies outside ``[0, 1]``.

    Source:
        Shannon (1948), section 6, https://doi.org/10.1002/j.1538-7305.1948.tb01338.x

    >>> entropy(torch.tensor([0.5, 0.5, 0.0]))
    tensor(0.6931)
    """
    check_range("p", p, 0.0, 1.0)
    return -torch.xlogy(p, p).sum(dim=-1)


def cross_entropy(p: Tensor, q: Tensor) -> Tensor:
    r"""Return the cross-entropy :math:`H(p, q) = -\sum_i p_i \log q_i`, in nats.

    It is the mean surprise of someone who expects ``q`` and meets draws of ``p``.

    Args:
        p: probabilities of what comes, ``(..., K)``; where it is zero the term is zero.
        q: probabilities of what is expected, same shape; where it is zero and ``p`` is not, the
            result is infinite.

    Returns:
        One value per pair of laws, ``(...)``; never below the entropy of ``p``.

    Raises:
        ValueError: if the shapes differ or a value lies outside ``[0, 1]``.

    >>> cross_entropy(torch.tensor([1.0, 0.0]), torch.tensor([0.25, 0.75]))
    tensor(1.3863)
    """
    check_same_shape(p=p, q=q)
    check_range("p", p, 0.0, 1.0)
    check_range("q", q, 0.0, 1.0)
    return -torch.xlogy(p, q).sum(dim=-1)
