"""The chain rule as a model: masks that hide the future, and drawing one value after another."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from genimg_course._checks import check_matrix

__all__ = ["ancestral_samples", "autoregressive_mask"]


def autoregressive_mask(sources: Tensor, targets: Tensor, *, strict: bool = False) -> Tensor:
    r"""Return which unit of a layer may listen to which unit of the layer before.

    Every unit carries a number, its place in the order. A hidden unit of place :math:`j` may know
    the values up to place :math:`j`; the output of place :math:`j` is the guess of value :math:`j`
    and may know those before it only.

    .. math:: M_{oi} = [\,t_o \ge s_i\,] \qquad M_{oi} = [\,t_o > s_i\,] \text{ if strict}

    Args:
        sources: places of the units that speak, ``(I,)``.
        targets: places of the units that listen, ``(O,)``.
        strict: for the last layer: a unit must not hear of its own place.

    Returns:
        Ones and zeros in float32, ``(O, I)``, the shape of a weight matrix.

    Raises:
        ValueError: if the places are not two rows of numbers.

    Source:
        Germain et al. (2015), section 3, https://arxiv.org/abs/1502.03509

    >>> places = torch.arange(3)
    >>> autoregressive_mask(places, places, strict=True)
    tensor([[0., 0., 0.],
            [1., 0., 0.],
            [1., 1., 0.]])
    """
    if sources.ndim != 1 or targets.ndim != 1:
        raise ValueError(
            f"places have shapes {tuple(sources.shape)} and {tuple(targets.shape)}: expected two "
            "rows"
        )
    listens, speaks = targets[:, None], sources[None]
    return (listens > speaks if strict else listens >= speaks).float()


def ancestral_samples(
    logits: Callable[[Tensor], Tensor], start: Tensor, *, rng: torch.Generator, begin: int = 0
) -> Tensor:
    r"""Draw binary values one after another, each given those before it.

    .. math:: x_i \sim p(x_i \mid x_1, \ldots, x_{i-1}), \qquad i = 1, \ldots, D

    Args:
        logits: maps values ``(B, D)`` to the log odds of each, ``(B, D)``; column ``i`` must depend
            on the columns before ``i`` only.
        start: values ``(B, D)``; those from ``begin`` on are replaced.
        rng: the source of all randomness.
        begin: values before this place stay as they are, so that a picture can be completed.

    Returns:
        Zeros and ones, ``(B, D)``, of the type of ``start``. It costs one call for each value.

    Raises:
        ValueError: if ``begin`` is not a place.
    """
    check_matrix(start=start)
    if not 0 <= begin < start.shape[1]:
        raise ValueError(f"begin is {begin}: expected a place from 0 to {start.shape[1] - 1}")
    x = start.clone()
    for place in range(begin, x.shape[1]):
        ink = torch.sigmoid(logits(x)[:, place])
        x[:, place] = (torch.rand(len(x), generator=rng, dtype=ink.dtype) < ink).to(x.dtype)
    return x
