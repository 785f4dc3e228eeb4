"""Scores that need no reference images: what a classifier's answers alone can say."""

from __future__ import annotations

import torch
from torch import Tensor

from genimg_course._checks import check_matrix, check_range

__all__ = ["inception_score"]


def inception_score(probabilities: Tensor) -> Tensor:
    r"""Return the Inception score of a classifier's answers.

    .. math:: \exp\left( \frac1N \sum_n \sum_k p_{nk} \log \frac{p_{nk}}{\bar p_k} \right),
        \qquad \bar p_k = \frac1N \sum_n p_{nk}

    The exponent is the information, in nats, that an image gives about its class. It asks for sure
    answers and for all classes, and for nothing else: one memorised image of each class reaches
    the highest score ``K``.

    Args:
        probabilities: class probabilities of each image, rows that sum to one, ``(N, K)``.

    Returns:
        A scalar from 1 to ``K``.

    Raises:
        ValueError: if a value lies outside ``[0, 1]`` or a row does not sum to one.

    Source:
        Salimans et al. (2016), section 4, https://arxiv.org/abs/1606.03498;
        Barratt and Sharma (2018) for what it misses, https://arxiv.org/abs/1801.01973

    >>> inception_score(torch.eye(4))
    tensor(4.)
    """
    check_matrix(probabilities=probabilities)
    check_range("probabilities", probabilities, 0.0, 1.0)
    if (off := (probabilities.sum(dim=1) - 1).abs().max().item()) > 1e-3:
        raise ValueError(f"a row of probabilities is {off:.3g} away from a sum of one")
    # entr(0) is 0, which is the limit of p log p
    overall = torch.special.entr(probabilities.mean(dim=0)).sum()
    return (overall - torch.special.entr(probabilities).sum(dim=1).mean()).exp()
