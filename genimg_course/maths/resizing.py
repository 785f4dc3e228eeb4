"""Pictures in other sizes: averages that keep fine detail from coming back as false patterns."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["resize", "resize_matrix", "shrink"]


def shrink(x: Tensor, factor: int) -> Tensor:
    r"""Make images smaller by a whole factor; each new pixel is the mean of a block.

    .. math:: y_{ij} = \frac{1}{s^2} \sum_{a=0}^{s-1} \sum_{b=0}^{s-1} x_{si + a,\, sj + b}

    Args:
        x: images, ``(B, C, H, W)``.
        factor: the side ``s`` of a block; it divides height and width.

    Returns:
        ``(B, C, H / s, W / s)``.

    Raises:
        ValueError: if the factor does not divide both sides.
    """
    if factor < 1 or any(side % factor for side in x.shape[2:]):
        raise ValueError(f"factor is {factor}: it does not divide the sides {tuple(x.shape[2:])}")
    blocks = x.unflatten(3, (-1, factor)).unflatten(2, (-1, factor))
    return blocks.mean(dim=(3, 5))


def resize_matrix(old: int, new: int, *, antialias: bool = True) -> Tensor:
    r"""Return the weights by which ``old`` pixels in a row become ``new`` ones.

    The weights of a new pixel form a triangle around its place in the old row. Its half width is
    one old pixel (linear interpolation) or, with ``antialias``, one new pixel if that is wider.

    .. math:: M_{ij} \propto \max\left( 0,\ 1 - \frac{\lvert j + \frac12 - c_i \rvert}{w} \right),
        \qquad c_i = \frac{\text{old}}{\text{new}} \left( i + \tfrac12 \right), \qquad
        \sum_j M_{ij} = 1

    Args:
        old: pixels before.
        new: pixels after.
        antialias: widen the triangle when the row shrinks, :math:`w = \max(1, old / new)`.

    Returns:
        ``(new, old)`` in float64; every row sums to one.

    Raises:
        ValueError: if a length is not positive.

    Source:
        Williams (1983), https://doi.org/10.1145/964967.801126, on filters that widen
    """
    if min(old, new) < 1:
        raise ValueError(f"a row of {old} pixels cannot become one of {new}")
    step = old / new
    width = step if antialias and step > 1 else 1.0
    centres = (torch.arange(new, dtype=torch.float64) + 0.5) * step
    places = torch.arange(old, dtype=torch.float64) + 0.5
    weights = (1 - (places - centres[:, None]).abs() / width).clamp_min(0)
    return weights / weights.sum(dim=1, keepdim=True)


def resize(x: Tensor, size: tuple[int, int], *, antialias: bool = True) -> Tensor:
    r"""Resize images by `resize_matrix`, first along one axis and then along the other.

    .. math:: Y = M_{\text{rows}}\, X\, M_{\text{columns}}^\top

    Args:
        x: images, ``(B, C, H, W)``.
        size: new height and width.
        antialias: average over all old pixels that a new one covers; without it, at most two old
            pixels of a row count.

    Returns:
        ``(B, C, *size)``.

    Raises:
        ValueError: if a length is not positive.
    """
    height, width = x.shape[2:]
    rows = resize_matrix(height, size[0], antialias=antialias).to(x)
    columns = resize_matrix(width, size[1], antialias=antialias).to(x)
    return rows @ x @ columns.T
