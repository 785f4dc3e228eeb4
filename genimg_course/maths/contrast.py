"""Text and images: contrast of pairs, and gradients through choices that have no derivative."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from genimg_course._checks import check_matrix, check_same_shape

__all__ = ["gumbel_max", "info_nce", "reinforce_gradient"]


def info_nce(scores: Tensor) -> Tensor:
    r"""Return the InfoNCE bound on the mutual information of pairs, in nats.

    .. math:: \log N + \frac1N \sum_i \log \frac{e^{s_{ii}}}{\sum_j e^{s_{ij}}}

    CLIP minimises the negative second term, over rows and over columns.

    Args:
        scores: score of text ``j`` for image ``i``, ``(N, N)``; pairs stand on the diagonal.

    Returns:
        A scalar, at most ``log N``; on average at most the mutual information.

    Raises:
        ValueError: if the scores are not square.

    Source:
        van den Oord et al. (2018), equation 4, https://arxiv.org/abs/1807.03748
    """
    check_matrix(scores=scores)
    if scores.shape[0] != scores.shape[1]:
        raise ValueError(f"scores is {tuple(scores.shape)}: expected one text for each image")
    return math.log(len(scores)) + torch.log_softmax(scores, dim=1).diagonal().mean()


def gumbel_max(logits: Tensor, uniform: Tensor) -> Tensor:
    r"""Draw a class by adding Gumbel noise and taking the largest sum.

    .. math:: \arg\max_k \left( a_k - \log(-\log u_k) \right)

    Args:
        logits: :math:`a`, ``(B, K)``.
        uniform: numbers in (0, 1), same shape.

    Returns:
        Classes, ``(B,)``, with the probabilities ``softmax(logits)``.

    Raises:
        ValueError: if the shapes differ.

    Source:
        Jang et al. (2017), equation 1, https://arxiv.org/abs/1611.01144
    """
    check_same_shape(logits=logits, uniform=uniform)
    return (logits - (-uniform.log()).log()).argmax(dim=1)


def reinforce_gradient(
    logits: Tensor, choices: Tensor, rewards: Tensor, *, baseline: float = 0.0
) -> Tensor:
    r"""Return one estimate for each choice of the gradient of the mean reward.

    .. math:: (r - b)\, \nabla_a \log p_a(k) = (r - b)\, (e_k - \mathrm{softmax}(a))

    Args:
        logits: :math:`a` of one law over ``K`` classes, ``(K,)``.
        choices: drawn classes :math:`k`, ``(B,)``.
        rewards: :math:`r` of each, ``(B,)``.
        baseline: :math:`b`, any number that does not depend on the choice.

    Returns:
        Gradients with respect to the logits, ``(B, K)``; unbiased for every baseline.

    Raises:
        ValueError: if there is not one reward for each choice.

    Source:
        Williams (1992), https://doi.org/10.1007/BF00992696
    """
    check_same_shape(choices=choices, rewards=rewards)
    score = torch.nn.functional.one_hot(choices, len(logits)) - logits.softmax(dim=0)  # (B, K)
    return (rewards - baseline)[:, None] * score
