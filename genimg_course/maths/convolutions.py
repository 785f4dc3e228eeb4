"""Arithmetic of convolutions: sizes, the matrix behind them, and the checkerboard."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = [
    "conv_size",
    "convolution_matrix",
    "has_checkerboard",
    "overlap_counts",
    "transposed_conv_size",
]


def _check_counts(least: int, **counts: int) -> None:
    for name, count in counts.items():
        if count < least:
            raise ValueError(f"{name} is {count}: expected at least {least}")


def conv_size(
    n: int, *, kernel_size: int, stride: int = 1, padding: int = 0, dilation: int = 1
) -> int:
    r"""Return the length of one side after a convolution.

    .. math:: \left\lfloor \frac{n + 2p - d(k - 1) - 1}{s} \right\rfloor + 1

    Args:
        n: length of the side before, in pixels.
        kernel_size: length ``k`` of the kernel's side.
        stride: pixels ``s`` from one position of the kernel to the next.
        padding: zeros ``p`` added at each end.
        dilation: pixels ``d`` from one tap of the kernel to the next.

    Returns:
        The number of positions of the kernel, at least one.

    Raises:
        ValueError: if a count is too small, or the kernel is longer than the padded side.

    Source:
        Dumoulin and Visin (2016), relationship 15, https://arxiv.org/abs/1603.07285

    >>> conv_size(28, kernel_size=4, stride=2, padding=1)
    14
    """
    _check_counts(1, n=n, kernel_size=kernel_size, stride=stride, dilation=dilation)
    _check_counts(0, padding=padding)
    room = n + 2 * padding - dilation * (kernel_size - 1) - 1
    if room < 0:
        raise ValueError(
            f"a kernel of {kernel_size} with dilation {dilation} does not fit into "
            f"{n} pixels with padding {padding}"
        )
    return room // stride + 1


def transposed_conv_size(
    n: int,
    *,
    kernel_size: int,
    stride: int = 1,
    padding: int = 0,
    output_padding: int = 0,
    dilation: int = 1,
) -> int:
    r"""Return the length of one side after a transposed convolution.

    .. math:: (n - 1)s - 2p + d(k - 1) + o + 1

    Args:
        n: length of the side before, in pixels.
        kernel_size: length ``k`` of the kernel's side.
        stride: pixels ``s`` of the result from one input pixel to the next.
        padding: pixels ``p`` cut off at each end of the result.
        output_padding: pixels ``o`` added at the far end, below ``s`` or below ``d``.
        dilation: pixels ``d`` from one tap of the kernel to the next.

    Returns:
        The length of the result, at least one.

    Raises:
        ValueError: if a count is too small, ``output_padding`` too large or nothing is left.

    Source:
        Dumoulin and Visin (2016), chapter 4, https://arxiv.org/abs/1603.07285

    >>> transposed_conv_size(7, kernel_size=4, stride=2, padding=1)
    14
    """
    _check_counts(1, n=n, kernel_size=kernel_size, stride=stride, dilation=dilation)
    _check_counts(0, padding=padding, output_padding=output_padding)
    if output_padding >= max(stride, dilation):
        raise ValueError(
            f"output_padding is {output_padding}: expected less than the stride {stride} "
            f"or the dilation {dilation}"
        )
    size = (n - 1) * stride - 2 * padding + dilation * (kernel_size - 1) + output_padding + 1
    if size < 1:
        raise ValueError(f"padding {padding} leaves {size} pixels: expected at least 1")
    return size


def convolution_matrix(
    kernel: Tensor, n: int, *, stride: int = 1, padding: int = 0, dilation: int = 1
) -> Tensor:
    r"""Write a convolution of one row of pixels as a matrix ``K``.

    ``K @ x`` convolves. ``K.T @ y`` is what a transposed convolution computes: the adjoint,
    :math:`\langle Kx, y \rangle = \langle x, K^\top y \rangle`, and not the inverse.

    Args:
        kernel: the taps, ``(k,)``; like torch, the kernel is not flipped.
        n: length of the row, in pixels.
        stride: pixels from one position of the kernel to the next.
        padding: zeros added at each end.
        dilation: pixels from one tap to the next.

    Returns:
        ``(n_out, n)`` with ``n_out`` from `conv_size`.

    Raises:
        ValueError: if the kernel has another number of dimensions, or does not fit.

    Source:
        Dumoulin and Visin (2016), section 4.1, https://arxiv.org/abs/1603.07285
    """
    if kernel.ndim != 1:
        raise ValueError(f"kernel has shape {tuple(kernel.shape)}: expected one dimension (k,)")
    _check_counts(1, n=n, stride=stride, dilation=dilation)
    _check_counts(0, padding=padding)
    taps = len(kernel)
    end = n + padding - dilation * (taps - 1)  # from here on the last tap sticks out
    if not -padding < end:
        raise ValueError(
            f"a kernel of {taps} with dilation {dilation} does not fit into "
            f"{n} pixels with padding {padding}"
        )
    first = torch.arange(-padding, end, stride)
    touched = first[:, None] + dilation * torch.arange(taps)  # (n_out, k)
    hits = touched[:, :, None] == torch.arange(n)  # padding hits nothing
    return (kernel[:, None] * hits.to(kernel)).sum(dim=1)


def overlap_counts(inputs: int, *, kernel_size: int, stride: int) -> Tensor:
    """Count how many input pixels each output pixel of a transposed convolution hears from.

    Uneven counts away from the ends draw a checkerboard: some pixels receive more paint.

    Args:
        inputs: length of the row that goes in, in pixels.
        kernel_size: length of the kernel.
        stride: pixels of the result from one input pixel to the next.

    Returns:
        Whole numbers, ``(stride * (inputs - 1) + kernel_size,)``, without padding.

    Raises:
        ValueError: if a count is below one.

    Source:
        Odena, Dumoulin and Olah (2016), https://doi.org/10.23915/distill.00003

    >>> overlap_counts(4, kernel_size=3, stride=2)
    tensor([1, 1, 2, 1, 2, 1, 2, 1, 1])
    """
    _check_counts(1, inputs=inputs, kernel_size=kernel_size, stride=stride)
    reached = stride * torch.arange(inputs)[:, None] + torch.arange(kernel_size)
    return torch.bincount(reached.flatten())


def has_checkerboard(*, kernel_size: int, stride: int) -> bool:
    """Tell whether a transposed convolution paints some output pixels more often than others.

    Args:
        kernel_size: length of the kernel.
        stride: pixels of the result from one input pixel to the next.

    Returns:
        ``True`` unless the stride divides the kernel's length.

    Raises:
        ValueError: if a count is below one.

    Source:
        Odena, Dumoulin and Olah (2016), https://doi.org/10.23915/distill.00003
    """
    _check_counts(1, kernel_size=kernel_size, stride=stride)
    return kernel_size % stride != 0
