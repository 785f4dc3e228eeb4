"""Distances of two samples that need a kernel only: the maximum mean discrepancy."""

from __future__ import annotations

from torch import Tensor

from genimg_course._checks import check_finite, check_matrix

__all__ = ["polynomial_kernel", "squared_mmd"]


def polynomial_kernel(x: Tensor, y: Tensor) -> Tensor:
    r"""Return the cubic kernel of every row of ``x`` with every row of ``y``.

    .. math:: k(x, y) = \left( \frac{x^\top y}{F} + 1 \right)^3

    Args:
        x: features, ``(N, F)``.
        y: features, ``(M, F)``.

    Returns:
        The kernel, ``(N, M)``.

    Raises:
        ValueError: if the tensors are not matrices of one width.

    Source:
        Bińkowski, Sutherland, Arbel and Gretton (2018), https://arxiv.org/abs/1801.01401
    """
    check_matrix(x=x, y=y)
    if x.shape[1] != y.shape[1]:
        raise ValueError(f"x has {x.shape[1]} columns, y has {y.shape[1]}")
    return (x @ y.T / x.shape[1] + 1) ** 3


def squared_mmd(x: Tensor, y: Tensor, *, unbiased: bool = True) -> Tensor:
    r"""Return the squared maximum mean discrepancy of two samples under the cubic kernel.

    .. math:: \frac{1}{N(N-1)} \sum_{i \ne i'} k(x_i, x_{i'})
        + \frac{1}{M(M-1)} \sum_{j \ne j'} k(y_j, y_{j'})
        - \frac{2}{NM} \sum_{ij} k(x_i, y_j)

    With image features this is the kernel (Inception) distance, KID. It is right on average for
    every number of images, so it can be negative. The biased form keeps the pairs of a point with
    itself: it is never negative and too large on average.

    Args:
        x: features, ``(N, F)``.
        y: features, ``(M, F)``.
        unbiased: leave out the pairs of a point with itself.

    Returns:
        A scalar.

    Raises:
        ValueError: if the widths differ, a value is not finite, or there are no pairs.

    Source:
        Bińkowski, Sutherland, Arbel and Gretton (2018), https://arxiv.org/abs/1801.01401;
        Gretton, Borgwardt, Rasch, Schölkopf and Smola (2012),
        https://jmlr.org/papers/volume13/gretton12a/gretton12a.pdf
    """
    check_finite(x=x, y=y)
    cross = polynomial_kernel(x, y).mean()
    if unbiased and min(len(x), len(y)) < 2:
        raise ValueError(f"pairs need two images in each set, got {len(x)} and {len(y)}")
    within = [_mean_of_pairs(polynomial_kernel(side, side), unbiased) for side in (x, y)]
    return within[0] + within[1] - 2 * cross


def _mean_of_pairs(kernel: Tensor, unbiased: bool) -> Tensor:
    count = len(kernel)
    if not unbiased:
        return kernel.mean()
    return (kernel.sum() - kernel.trace()) / (count * (count - 1))
