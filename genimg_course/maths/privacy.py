"""What a model gives away about the images it was trained on, and what noise prevents."""

from __future__ import annotations

import torch
from torch import Tensor

from genimg_course._checks import check_range, check_same_shape

__all__ = ["best_attack", "gaussian_mechanism_delta", "membership_advantage"]


def membership_advantage(members: Tensor, others: Tensor) -> Tensor:
    r"""Return the best advantage of an attack that calls an image a member if its score is high.

    .. math:: \max_\tau\; \Pr[s(x) \ge \tau \mid \text{member}]
        - \Pr[s(x) \ge \tau \mid \text{other}]

    Args:
        members: scores of images that the model was trained on, ``(N,)``.
        others: scores of images from the same source that it was not trained on, ``(M,)``.

    Returns:
        A scalar in ``[0, 1]``: 0 for scores that say nothing, 1 for scores that tell all. Since
        the threshold is the best one for these images, small samples flatter the attack.

    Raises:
        ValueError: if a set of scores is empty or not one-dimensional.

    Source:
        Yeom et al. (2018), https://arxiv.org/abs/1709.01604
    """
    for name, scores in (("members", members), ("others", others)):
        if scores.ndim != 1 or len(scores) == 0:
            raise ValueError(f"{name} has shape {tuple(scores.shape)}: expected scores (N,)")
    thresholds = torch.cat([members, others])
    below = [
        torch.searchsorted(scores.sort().values, thresholds) / scores.new_tensor(len(scores))
        for scores in (members, others)
    ]
    return (below[1] - below[0]).max()


def best_attack(p_member: Tensor, p_other: Tensor) -> Tensor:
    r"""Return for each output whether the best attack calls it a member's.

    Its advantage is the total variation between both laws, and no attack has a larger one.

    Args:
        p_member: probability of each output for a member, ``(K,)``.
        p_other: the same for an image that was not trained on, ``(K,)``.

    Returns:
        Booleans, ``(K,)``.

    Raises:
        ValueError: if the shapes differ or a probability leaves ``[0, 1]``.

    Source:
        Yeom et al. (2018), https://arxiv.org/abs/1709.01604
    """
    check_same_shape(p_member=p_member, p_other=p_other)
    check_range("p_member", p_member, 0.0, 1.0)
    check_range("p_other", p_other, 0.0, 1.0)
    return p_member > p_other


def gaussian_mechanism_delta(epsilon: Tensor, *, sensitivity: float, sigma: float) -> Tensor:
    r"""Return the exact delta of differential privacy when Gaussian noise is added.

    .. math:: \delta(\varepsilon) = \Phi\left( \tfrac\mu2 - \tfrac\varepsilon\mu \right)
        - e^\varepsilon\, \Phi\left( -\tfrac\mu2 - \tfrac\varepsilon\mu \right), \qquad
        \mu = \frac\Delta\sigma

    At :math:`\varepsilon = 0` it is the largest advantage of any attack on one example.

    Args:
        epsilon: :math:`\varepsilon`, non-negative, any shape.
        sensitivity: :math:`\Delta`, how far one example can move the result, positive.
        sigma: standard deviation of the noise, positive.

    Returns:
        Values in ``[0, 1]``, the shape of ``epsilon``.

    Raises:
        ValueError: if ``epsilon`` is negative, or ``sensitivity`` or ``sigma`` is not positive.

    Source:
        Balle and Wang (2018), theorem 8, https://arxiv.org/abs/1805.06530
    """
    check_range("epsilon", epsilon, 0.0, float("inf"))
    if not (sensitivity > 0 and sigma > 0):
        raise ValueError(f"sensitivity {sensitivity} and sigma {sigma}: expected positive numbers")
    mu = sensitivity / sigma
    spared = torch.special.ndtr(mu / 2 - epsilon / mu)
    # one exponential of a sum: a large epsilon alone would overflow
    return spared - (epsilon + torch.special.log_ndtr(-mu / 2 - epsilon / mu)).exp()
