"""The way back through a convolution: its adjoint, and its gradients."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from genimg_course.maths.convolutions import convolution_matrix

__all__ = ["convolution_backward", "transposed_convolution"]


def transposed_convolution(
    y: Tensor, kernel: Tensor, n: int, *, stride: int = 1, padding: int = 0, dilation: int = 1
) -> Tensor:
    r"""Apply the adjoint of a convolution of one row of ``n`` pixels.

    .. math:: K^\top y, \qquad \langle Kx, y \rangle = \langle x, K^\top y \rangle

    Several lengths ``n`` may lead to the same length of ``y``; a layer tells them apart by its
    output padding.

    Args:
        y: one value per position of the kernel, ``(n_out,)``.
        kernel: the taps, ``(k,)``; like torch, the kernel is not flipped.
        n: length of the row that the convolution starts from, in pixels.
        stride: pixels from one position of the kernel to the next.
        padding: zeros that the convolution adds at each end.
        dilation: pixels from one tap to the next.

    Returns:
        ``(n,)``.

    Raises:
        ValueError: if the length of ``y`` is not that of the convolution, or the kernel does not
            fit.

    Source:
        Dumoulin and Visin (2016), section 4.1, https://arxiv.org/abs/1603.07285

    >>> transposed_convolution(torch.tensor([1.0, 10.0]), torch.tensor([1.0, 2.0, 3.0]), 4)
    tensor([ 1., 12., 23., 30.])
    """
    matrix = convolution_matrix(kernel, n, stride=stride, padding=padding, dilation=dilation)
    if y.shape != matrix.shape[:1]:
        raise ValueError(f"y has shape {tuple(y.shape)}: expected ({len(matrix)},) for {n} pixels")
    return matrix.T @ y


def convolution_backward(
    x: Tensor,
    kernel: Tensor,
    grad_y: Tensor,
    *,
    stride: int = 1,
    padding: int = 0,
    dilation: int = 1,
) -> tuple[Tensor, Tensor]:
    r"""Return the gradients of a loss for the input and for the kernel of a convolution ``y = Kx``.

    .. math:: \frac{\partial \mathcal L}{\partial x}
        = K^\top \frac{\partial \mathcal L}{\partial y}, \qquad
        \frac{\partial \mathcal L}{\partial k_a}
        = \sum_i \frac{\partial \mathcal L}{\partial y_i}\, x_{si + da - p}

    Args:
        x: the row, ``(n,)``; it is zero outside.
        kernel: the taps, ``(k,)``.
        grad_y: derivative of the loss for each result, ``(n_out,)``.
        stride: pixels ``s`` from one position of the kernel to the next.
        padding: zeros ``p`` added at each end.
        dilation: pixels ``d`` from one tap to the next.

    Returns:
        ``(n,)`` and ``(k,)``.

    Raises:
        ValueError: if the length of ``grad_y`` is not that of the convolution.

    Source:
        Dumoulin and Visin (2016), section 4.1, https://arxiv.org/abs/1603.07285
    """
    options: dict[str, Any] = {"stride": stride, "padding": padding, "dilation": dilation}
    grad_x = transposed_convolution(grad_y, kernel, len(x), **options)
    shifts = [  # how the result changes with one tap: a convolution whose kernel is that tap alone
        convolution_matrix(tap, len(x), **options) @ x
        for tap in torch.eye(len(kernel), dtype=x.dtype)
    ]
    return grad_x, torch.stack(shifts) @ grad_y
