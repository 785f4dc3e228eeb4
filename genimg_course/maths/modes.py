"""Mode collapse: how a generator falls on one point, and how to count the modes that it reaches."""

from __future__ import annotations

import torch
from torch import Tensor

from genimg_course._checks import check_matrix, check_same_shape

__all__ = ["best_response", "chase", "count_modes", "effective_modes"]


def best_response(logits: Tensor) -> Tensor:
    r"""Return the law with which a generator answers a discriminator that never moves.

    .. math:: \arg\min_q \mathbb E_q[-\log D] = \delta_{\arg\max D}

    Args:
        logits: what the discriminator says of each of ``n`` images, ``(n,)``.

    Returns:
        A law with all mass on the image that looks most real, the first of several, ``(n,)``.

    Source:
        Metz et al. (2017), https://arxiv.org/abs/1611.02163
    """
    return torch.zeros_like(logits).index_fill_(0, logits.argmax(), 1.0)


def chase(law: Tensor, logits: Tensor, *, updates: int, rate: float = 1.0) -> Tensor:
    r"""Return a generator's law after many updates against a discriminator that does not move.

    Each update gains as much mean logit as it can without going far from the law before it, in
    KL divergence. Together ``k`` of them give

    .. math:: q_k(x) \propto q_0(x)\, e^{k \eta\, a(x)}

    Args:
        law: the law ``q_0`` before, ``(n,)``.
        logits: what the discriminator says of each of ``n`` images, ``(n,)``.
        updates: number ``k`` of updates in a row.
        rate: size ``eta`` of one update.

    Returns:
        The law after them, ``(n,)``; the more updates, the fewer images it holds.

    Raises:
        ValueError: if the shapes differ.
    """
    check_same_shape(law=law, logits=logits)
    return torch.softmax(law.log() + updates * rate * logits, dim=0)


def effective_modes(law: Tensor) -> Tensor:
    r"""Return how many equally frequent images would be as diverse as this law.

    .. math:: \exp\Big(-\sum_x q(x) \log q(x)\Big)

    Args:
        law: probabilities, ``(n,)``.

    Returns:
        A scalar from 1 to ``n``.
    """
    return torch.special.entr(law).sum().exp()


def count_modes(
    points: Tensor,
    centres: Tensor,
    *,
    spread: float,
    radius: float = 3.0,
    least: float = 0.01,
) -> dict[str, Tensor]:
    """Count the modes of a known mixture that generated points reach.

    A point is good if it lies within ``radius`` standard deviations of its nearest centre. A mode
    is found if it gets at least a share ``least`` of all points, and good ones only count.

    Args:
        points: generated points, ``(B, dim)``.
        centres: means of the modes, ``(K, dim)``.
        spread: standard deviation of each mode.
        radius: how far a good point may lie, in standard deviations.
        least: share of all points that a mode needs.

    Returns:
        ``modes``, the number of modes found, and ``good``, the share of good points: scalars in the
        dtype of the points.

    Raises:
        ValueError: if points or centres are not matrices, or their dimensions differ.

    Source:
        Lin et al. (2018), for the idea, https://arxiv.org/abs/1712.04086
    """
    check_matrix(points=points, centres=centres)
    if points.shape[1] != centres.shape[1]:
        raise ValueError(
            f"points {tuple(points.shape)} and centres {tuple(centres.shape)} have different "
            "dimensions"
        )
    distance, nearest = torch.cdist(points, centres).min(dim=1)
    good = distance <= radius * spread
    share = torch.bincount(nearest[good], minlength=len(centres)) / len(points)
    found = share >= least
    return {"modes": found.to(points.dtype).sum(), "good": good.to(points.dtype).mean()}
