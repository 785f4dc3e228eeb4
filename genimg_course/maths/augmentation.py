"""Augmentation as an operator on laws: what it does to them, and whether that can be undone."""

from __future__ import annotations

import torch
from torch import Tensor

from genimg_course._checks import check_range

__all__ = ["augmented_law", "recovered_law", "rotation_operator"]


def _check_probability(probability: float) -> None:
    if not 0 <= probability <= 1:
        raise ValueError(f"probability is {probability}: expected a number in [0, 1]")


def rotation_operator(probability: float, *, turns: int = 4) -> Tensor:
    r"""Return the matrix by which random rotations change the law of the orientation.

    With probability :math:`\pi` an image is turned by an angle drawn evenly from all ``turns``
    (no turn among them), otherwise it is left alone:

    .. math:: T_\pi = (1 - \pi) I + \frac{\pi}{4} \mathbf 1 \mathbf 1^\top \quad (4 \text{ turns})

    Args:
        probability: :math:`\pi`, in ``[0, 1]``.
        turns: number of orientations that can be told apart; 4 for quarter turns.

    Returns:
        ``(turns, turns)`` in float64; column ``i`` is the law of an image that stood at ``i``.

    Raises:
        ValueError: if ``probability`` lies outside ``[0, 1]`` or ``turns`` is below 2.

    Source:
        Karras et al. (2020), section 2.2 and appendix C, https://arxiv.org/abs/2006.06676
    """
    _check_probability(probability)
    if turns < 2:
        raise ValueError(f"turns is {turns}: expected at least 2 orientations")
    even = torch.full((turns, turns), probability / turns, dtype=torch.float64)
    return (1 - probability) * torch.eye(turns, dtype=torch.float64) + even


def augmented_law(law: Tensor, probability: float) -> Tensor:
    r"""Return the law of the orientation after random rotations, :math:`T_\pi p`.

    Args:
        law: probabilities of the orientations, ``(..., turns)``.
        probability: how often an image is turned, in ``[0, 1]``.

    Returns:
        The shape of ``law``.

    Raises:
        ValueError: if ``probability`` or a value of ``law`` lies outside ``[0, 1]``.

    Source:
        Karras et al. (2020), section 2.2, https://arxiv.org/abs/2006.06676
    """
    check_range("law", law, 0.0, 1.0)
    return law @ rotation_operator(probability, turns=law.shape[-1]).to(law)


def recovered_law(observed: Tensor, probability: float) -> Tensor:
    r"""Undo `augmented_law`: return the law of the images before they were turned.

    .. math:: p = \frac{T_\pi p - \pi\, \overline{T_\pi p}}{1 - \pi}

    Noise in ``observed`` grows by the factor :math:`1 / (1 - \pi)`.

    Args:
        observed: the law after augmentation, ``(..., turns)``; frequencies of a sample also fit.
        probability: how often an image was turned, in ``[0, 1)``.

    Returns:
        The shape of ``observed``; sums to one if ``observed`` does, but estimated entries may
        fall below zero.

    Raises:
        ValueError: if ``probability`` is 1: every law has then become the even one.

    Source:
        Karras et al. (2020), appendix C, https://arxiv.org/abs/2006.06676
    """
    _check_probability(probability)
    if probability == 1:
        raise ValueError("probability is 1: all laws look alike after that, nothing can be undone")
    even = observed.mean(dim=-1, keepdim=True)
    return (observed - probability * even) / (1 - probability)
