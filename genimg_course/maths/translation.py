"""Image to image: which maps between two laws a cycle allows, and how far a patch sees."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from genimg_course._checks import check_same_shape

__all__ = ["cycle_error", "push_forward", "receptive_field"]


def push_forward(p: Tensor, mapping: Tensor) -> Tensor:
    r"""Return the law of ``mapping(x)`` for ``x`` from ``p``.

    .. math:: (G_\# p)(y) = \sum_{x : G(x) = y} p(x)

    Args:
        p: probabilities of ``N`` images, ``(N,)``.
        mapping: the image that each is sent to, integers in ``0 .. N - 1``, ``(N,)``.

    Returns:
        Probabilities, ``(N,)``.

    Raises:
        ValueError: if the shapes differ.
    """
    check_same_shape(p=p, mapping=mapping)
    return torch.zeros_like(p).index_add(0, mapping, p)


def cycle_error(p: Tensor, there: Tensor, back: Tensor) -> Tensor:
    r"""Return how much of a law does not come home.

    .. math:: \Pr_{x \sim p}\left[F(G(x)) \ne x\right]

    It is zero where the cycle loss of CycleGAN is zero.

    Args:
        p: probabilities of ``N`` images, ``(N,)``.
        there: :math:`G`, integers in ``0 .. N - 1``, ``(N,)``.
        back: :math:`F`, likewise.

    Returns:
        A scalar in ``[0, 1]``.

    Raises:
        ValueError: if the shapes differ.

    Source:
        Zhu et al. (2017), equation 2, https://arxiv.org/abs/1703.10593
    """
    check_same_shape(p=p, there=there, back=back)
    return p[back[there] != torch.arange(len(p))].sum()


def receptive_field(layers: Sequence[tuple[int, int]]) -> int:
    r"""Return the side of the patch that one output of a stack of convolutions sees.

    From the last layer to the first, :math:`r \leftarrow s (r - 1) + k`, beginning with 1.

    Args:
        layers: kernel size and stride of each layer, the first one first.

    Returns:
        A side in pixels.

    Source:
        Isola et al. (2017), appendix 6.1, https://arxiv.org/abs/1611.07004

    >>> receptive_field([(4, 2), (4, 2), (4, 2), (4, 1), (4, 1)])
    70
    """
    side = 1
    for kernel, stride in reversed(layers):
        side = stride * (side - 1) + kernel
    return side
