"""Unequal classes and leaky splits: weights that balance, and what copies do to a test."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["balanced_weights", "leak_probability"]


def balanced_weights(labels: Tensor) -> Tensor:
    r"""Return the probability with which to draw each example, so that all classes come equally.

    .. math:: w_i = \frac{1}{K\, n_{y_i}}

    Here ``K`` counts the classes that occur and ``n_c`` the examples of class ``c``.

    Args:
        labels: classes from 0, ``int64``, ``(N,)``.

    Returns:
        ``(N,)`` in float64; sums to one.

    Raises:
        ValueError: if the labels are not a row of whole numbers.
    """
    if labels.dtype != torch.int64 or labels.ndim != 1 or not len(labels):
        raise ValueError(
            f"labels are {labels.dtype} of shape {tuple(labels.shape)}: expected int64, (N,)"
        )
    share = labels.bincount().double()[labels].reciprocal()
    return share / share.sum()


def leak_probability(copies: int, share: float) -> float:
    r"""Return the chance that an image of the test set has a sibling in the training set.

    .. math:: 1 - (1 - r)^{m - 1}

    Args:
        copies: how many pictures ``m`` come from each original, all split by chance.
        share: chance ``r`` of a picture to become training data, in [0, 1].

    Returns:
        A probability; 0 for a single copy.

    Raises:
        ValueError: if ``copies`` is below 1 or ``share`` outside [0, 1].
    """
    if copies < 1 or not 0 <= share <= 1:
        raise ValueError(f"{copies} copies and a share of {share}: expected 1 or more, and [0, 1]")
    return 1 - (1 - share) ** (copies - 1)
