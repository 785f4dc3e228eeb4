"""Running averages of weights."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

__all__ = ["average_state", "average_weights", "warm_decay"]


def warm_decay(n: int, *, decay: float) -> float:
    r"""Return the weight of the past in update ``n``: small at first, then ``decay``.

    .. math:: d_n = \min\left(d,\ \frac{1 + n}{10 + n}\right)

    Args:
        n: updates before this one.
        decay: weight ``d`` of the past in the long run.

    >>> [warm_decay(n, decay=0.5) for n in (0, 8, 100)]
    [0.1, 0.5, 0.5]
    """
    return min(decay, (1 + n) / (10 + n))


def average_state(
    mean: Mapping[str, Tensor], now: Mapping[str, Tensor], n: int, *, decay: float = 0.998
) -> dict[str, Tensor]:
    r"""Return an exponential moving average of a network's state after one more update.

    .. math:: \bar\theta \leftarrow d_n \bar\theta + (1 - d_n)\,\theta, \qquad
        d_n = \min\left(d,\ \frac{1 + n}{10 + n}\right)

    Buffers, such as the running statistics of batch normalisation, are averaged like parameters.
    Counters are whole numbers and are copied.

    Args:
        mean: the average before, tensors by name.
        now: the network's present state, with the same names and shapes.
        n: updates before this one.
        decay: weight ``d`` of the past in the long run, in ``[0, 1)``.

    Returns:
        New tensors by name; the inputs stay what they are.

    Raises:
        ValueError: if the names differ.

    Source:
        Karras et al. (2018), appendix A.1, https://arxiv.org/abs/1710.10196
    """
    if mean.keys() != now.keys():
        raise ValueError(f"the names differ: {sorted(mean.keys() ^ now.keys())}")
    weight = 1 - warm_decay(n, decay=decay)
    return {
        name: torch.lerp(mean[name], value, weight) if value.is_floating_point() else value.clone()
        for name, value in now.items()
    }


def average_weights(count: int, *, decay: float) -> Tensor:
    r"""Return the weight of each of the last values in an average with a constant decay.

    .. math:: \bar x_n = \sum_{k \ge 0} (1 - d)\, d^k\, x_{n-k}

    Args:
        count: how many values to look back.
        decay: weight ``d`` of the past.

    Returns:
        Weights of the newest value, the one before it and so on, ``(count,)`` in float64; their sum
        is ``1 - d ** count``.

    Source:
        Karras et al. (2018), appendix A.1, https://arxiv.org/abs/1710.10196
    """
    return (1 - decay) * decay ** torch.arange(count, dtype=torch.float64)
