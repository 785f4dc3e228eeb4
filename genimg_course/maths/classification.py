"""The loss of a classifier and its gradient."""

from __future__ import annotations

import torch
from torch import Tensor

from genimg_course._checks import check_labels, check_matrix

__all__ = ["softmax_cross_entropy", "softmax_cross_entropy_gradient"]


def softmax_cross_entropy(logits: Tensor, y: Tensor) -> Tensor:
    r"""Return the mean over the batch of the surprise at the right class, in nats.

    .. math:: -\frac1B \sum_i \log p_{i, y_i}
        = \frac1B \sum_i \left( \log \sum_k e^{a_{ik}} - a_{i, y_i} \right)

    Args:
        logits: ``a``, ``(B, K)``.
        y: right classes, ``(B,)``.

    Returns:
        A scalar, at least zero; ``log K`` where all classes look alike.

    Raises:
        ValueError: if the shapes do not fit or a class does not exist.

    Source:
        Bridle (1990), https://doi.org/10.1007/978-3-642-76153-9_28
    """
    check_matrix(logits=logits)
    check_labels(y, classes=logits.shape[1], count=len(logits))
    right = logits[torch.arange(len(y)), y]
    return (torch.logsumexp(logits, dim=1) - right).mean()


def softmax_cross_entropy_gradient(logits: Tensor, y: Tensor) -> Tensor:
    r"""Return the gradient of `softmax_cross_entropy` for the logits.

    .. math:: \frac{\partial \mathcal L}{\partial a_{ik}}
        = \frac1B \left( p_{ik} - [k = y_i] \right)

    Args:
        logits: ``a``, ``(B, K)``.
        y: right classes, ``(B,)``.

    Returns:
        ``(B, K)``; each row sums to zero.

    Raises:
        ValueError: if the shapes do not fit or a class does not exist.

    Source:
        Bridle (1990), https://doi.org/10.1007/978-3-642-76153-9_28
    """
    check_matrix(logits=logits)
    check_labels(y, classes=logits.shape[1], count=len(logits))
    target = y[:, None] == torch.arange(logits.shape[1])
    return (torch.softmax(logits, dim=1) - target.to(logits)) / len(y)
