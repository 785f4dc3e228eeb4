"""Augmentation by turns or flips: a mixture of laws, and when the mixture can be taken apart."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["augmentation_spectrum", "lost_directions", "mixed_law", "unmixed_law"]


def _check_weights(weights: Tensor) -> None:
    total = float(weights.sum())
    if weights.ndim != 1 or bool((weights < 0).any()) or abs(total - 1) > 1e-4:
        raise ValueError(
            f"weights have shape {tuple(weights.shape)} and sum {total:g}: "
            "expected the probabilities of each turn, (G,)"
        )


def _check_fit(law: Tensor, weights: Tensor) -> None:
    if law.shape[-1:] != weights.shape:
        raise ValueError(f"{law.shape[-1]} orientations do not fit {len(weights)} weights")


def mixed_law(law: Tensor, weights: Tensor) -> Tensor:
    r"""Return the law of the orientation after random turns: a mixture of turned laws.

    .. math:: q_j = \sum_{g=0}^{G-1} w_g\, p_{j - g \bmod G}

    Args:
        law: probabilities ``p`` of the orientations, ``(..., G)``.
        weights: probability ``w`` of each turn, ``(G,)``; the first entry is no turn.

    Returns:
        The shape of ``law``.

    Raises:
        ValueError: if the weights are no probabilities or the lengths differ.

    Source:
        Karras et al. (2020), section 2.2, https://arxiv.org/abs/2006.06676
    """
    _check_weights(weights)
    _check_fit(law, weights)
    turned = torch.stack([law.roll(turn, dims=-1) for turn in range(len(weights))])
    return torch.tensordot(weights, turned, dims=1)


def augmentation_spectrum(weights: Tensor) -> Tensor:
    r"""Return the factors by which random turns shrink each Fourier mode of a law.

    .. math:: \hat w_k = \sum_{g=0}^{G-1} w_g\, e^{-2 \pi i k g / G}, \qquad
        \hat q_k = \hat w_k\, \hat p_k

    They are the eigenvalues of the operator `mixed_law`.

    Args:
        weights: probability of each turn, ``(G,)``.

    Returns:
        Complex, ``(G,)``; the first is 1, none is larger in size.

    Raises:
        ValueError: if the weights are no probabilities.

    Source:
        Karras et al. (2020), appendix C, https://arxiv.org/abs/2006.06676
    """
    _check_weights(weights)
    return torch.fft.fft(weights)


def lost_directions(weights: Tensor) -> int:
    r"""Count the directions of a law that random turns wipe out.

    .. math:: \#\{ k : \hat w_k = 0 \}

    The law of the images can be read off the augmented one if and only if the count is 0.

    Args:
        weights: probability of each turn, ``(G,)``.

    Returns:
        A whole number from 0 to ``G - 1``.

    Raises:
        ValueError: if the weights are no probabilities.

    Source:
        Karras et al. (2020), appendix C, https://arxiv.org/abs/2006.06676
    """
    smallest = 1e-5  # a sum of rounded numbers is never exactly zero
    return int((augmentation_spectrum(weights).abs() < smallest).sum())


def unmixed_law(observed: Tensor, weights: Tensor) -> Tensor:
    r"""Undo `mixed_law`: return the law of the orientation before the turns.

    .. math:: \hat p_k = \frac{\hat q_k}{\hat w_k}

    Args:
        observed: the law ``q`` after the turns, ``(..., G)``; frequencies of a sample also fit.
        weights: probability of each turn, ``(G,)``.

    Returns:
        The shape of ``observed``; estimated entries may fall below zero.

    Raises:
        ValueError: if a direction is lost, the weights are no probabilities or the lengths differ.

    Source:
        Karras et al. (2020), appendix C, https://arxiv.org/abs/2006.06676
    """
    _check_weights(weights)
    _check_fit(observed, weights)
    lost = lost_directions(weights)
    if lost:
        raise ValueError(f"{lost} directions of the law are lost: nothing can bring them back")
    return torch.fft.ifft(torch.fft.fft(observed) / augmentation_spectrum(weights)).real
