"""Work shared by several processes: gradients, statistics and the bytes between them."""

from __future__ import annotations

import torch
from torch import Tensor

from genimg_course._checks import check_same_shape

__all__ = ["merge_gradients", "merge_statistics", "ring_all_reduce", "ring_traffic"]


def merge_gradients(gradients: Tensor, counts: Tensor) -> Tensor:
    r"""Return the gradient of a mean over all examples from those of the means over shards.

    .. math:: \nabla \frac1B \sum_{i=1}^{B} \ell_i = \sum_r \frac{B_r}{B}\, \nabla L_r

    Args:
        gradients: gradient of the mean loss of each shard, ``(R, D)``.
        counts: examples in each shard, ``(R,)``.

    Returns:
        ``(D,)``; with shards of one size, the plain mean of the rows.

    Raises:
        ValueError: if there is not one count for each row.

    Source:
        Goyal et al. (2017), section 3.1, https://arxiv.org/abs/1706.02677
    """
    _check_counts(gradients, counts)
    share = counts.to(gradients) / counts.sum()
    return share @ gradients


def merge_statistics(means: Tensor, variances: Tensor, counts: Tensor) -> tuple[Tensor, Tensor]:
    r"""Return mean and variance of all examples from those of the shards.

    .. math:: m = \sum_r \frac{B_r}{B} m_r, \qquad
        v = \sum_r \frac{B_r}{B} \left( v_r + (m_r - m)^2 \right)

    Args:
        means: mean of each feature in each shard, ``(R, D)``.
        variances: variance with divisor ``B_r``, ``(R, D)``.
        counts: examples in each shard, ``(R,)``.

    Returns:
        Mean and variance, each ``(D,)``.

    Raises:
        ValueError: if shapes differ or there is not one count for each row.

    Source:
        Chan, Golub and LeVeque (1983), https://doi.org/10.1080/00031305.1983.10483115
    """
    check_same_shape(means=means, variances=variances)
    mean = merge_gradients(means, counts)
    return mean, merge_gradients(variances + (means - mean).square(), counts)


def ring_all_reduce(values: Tensor) -> tuple[Tensor, Tensor]:
    r"""Give every process the sum of all rows, sending only to the next process of a ring.

    The row of each process is cut into as many pieces as there are processes. In the first
    ``R - 1`` rounds the pieces travel and are added up; then each process holds one finished piece.
    In the next ``R - 1`` rounds the finished pieces travel.

    Args:
        values: one row per process, ``(R, D)``; ``R`` divides ``D``.

    Returns:
        What each process holds at the end, ``(R, D)``, and how many numbers it has sent, ``(R,)``.

    Raises:
        ValueError: if the rows cannot be cut into ``R`` equal pieces.

    Source:
        Patarasuk and Yuan (2009), https://doi.org/10.1016/j.jpdc.2008.09.002
    """
    if values.ndim != 2 or values.shape[1] % len(values):
        raise ValueError(
            f"values have shape {tuple(values.shape)}: expected (R, D) with R a divisor of D"
        )
    size = len(values)
    pieces = values.clone().reshape(size, size, -1)  # (process, piece, numbers)
    sent = torch.zeros(size, dtype=torch.int64)
    here = torch.arange(size)
    there = (here + 1) % size
    for turn in range(2 * (size - 1)):
        piece = (here - turn) % size
        moving = pieces[here, piece]  # (R, numbers), copied before anything changes
        if turn < size - 1:
            pieces[there, piece] += moving
        else:
            pieces[there, piece] = moving
        sent += moving.shape[1]
    return pieces.reshape(values.shape), sent


def ring_traffic(numbers: int, processes: int, *, width: int = 4) -> float:
    r"""Return the bytes that each process sends to add up a gradient over a ring.

    .. math:: 2\,\frac{R - 1}{R}\,w N

    Args:
        numbers: length ``N`` of the gradient.
        processes: how many ``R`` share the work.
        width: bytes ``w`` of a number.

    Raises:
        ValueError: if an argument is not positive.

    Source:
        Patarasuk and Yuan (2009), https://doi.org/10.1016/j.jpdc.2008.09.002

    >>> ring_traffic(1_000_000, 8)
    7000000.0
    """
    if min(numbers, processes, width) < 1:
        raise ValueError(
            f"got {numbers} numbers, {processes} processes, {width} bytes: expected at least 1"
        )
    return 2 * (processes - 1) / processes * width * numbers


def _check_counts(rows: Tensor, counts: Tensor) -> None:
    if rows.ndim != 2 or counts.shape != rows.shape[:1] or not bool((counts > 0).all()):
        raise ValueError(
            f"counts are {counts.tolist()} for values of shape {tuple(rows.shape)}: "
            "expected one positive count for each row"
        )
