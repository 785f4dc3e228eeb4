"""Attention: which tokens a token listens to."""

from __future__ import annotations

import math

import torch
from torch import Tensor

__all__ = ["attend", "attention_scores"]


def attention_scores(q: Tensor, k: Tensor) -> Tensor:
    r"""Return how well each query fits each key, on a scale that does not depend on the width.

    .. math:: \frac{q k^\top}{\sqrt d}

    Args:
        q: queries, ``(..., L, d)``.
        k: keys, ``(..., M, d)``.

    Returns:
        Scores, ``(..., L, M)``; of variance 1 if the entries of ``q`` and ``k`` are independent
        with mean 0 and variance 1.

    Raises:
        ValueError: if the widths differ.

    Source:
        Vaswani et al. (2017), equation 1, https://arxiv.org/abs/1706.03762
    """
    if q.shape[-1] != k.shape[-1]:
        raise ValueError(f"widths differ: q {tuple(q.shape)}, k {tuple(k.shape)}")
    return q @ k.mT / math.sqrt(q.shape[-1])


def attend(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    r"""Return for each query the mean of the values, weighted by the softmax of its scores.

    Args:
        q: queries, ``(..., L, d)``.
        k: keys, ``(..., M, d)``.
        v: values, ``(..., M, e)``.

    Returns:
        ``(..., L, e)``.

    Raises:
        ValueError: if the widths of ``q`` and ``k`` or the lengths of ``k`` and ``v`` differ.

    Source:
        Vaswani et al. (2017), equation 1, https://arxiv.org/abs/1706.03762
    """
    if k.shape[-2] != v.shape[-2]:
        raise ValueError(f"lengths differ: k {tuple(k.shape)}, v {tuple(v.shape)}")
    return torch.softmax(attention_scores(q, k), dim=-1) @ v
