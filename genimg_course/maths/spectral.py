"""How much a layer can stretch: spectral norms of matrices and of convolutions."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from genimg_course._checks import check_matrix

__all__ = ["conv_norm", "lipschitz_bound", "power_iteration", "reshaped_norm"]


def power_iteration(weight: Tensor, u: Tensor, *, iterations: int = 1) -> Tensor:
    r"""Estimate the largest singular value of a matrix, so that its gradient is cheap.

    .. math:: v \leftarrow \frac{W^\top u}{\lVert W^\top u \rVert}, \qquad
        u \leftarrow \frac{W v}{\lVert W v \rVert}, \qquad \sigma \approx u^\top W v

    The vectors are constants for the gradient: at the true singular vectors the derivative of the
    norm is ``u v^T`` all the same.

    Args:
        weight: the matrix ``W``, ``(out, in)``.
        u: where the iteration begins, ``(out,)``; not zero.
        iterations: pairs of multiplications, at least one.

    Returns:
        A scalar, at most the true norm.

    Raises:
        ValueError: if the shapes do not fit or there is no iteration.

    Source:
        Miyato et al. (2018), algorithm 1, https://arxiv.org/abs/1802.05957
    """
    check_matrix(weight=weight)
    if u.shape != weight.shape[:1]:
        raise ValueError(f"u has shape {tuple(u.shape)}: expected {tuple(weight.shape[:1])}")
    if iterations < 1:
        raise ValueError(f"iterations is {iterations}: expected at least one")
    with torch.no_grad():
        for _ in range(iterations):
            v = _unit(weight.T @ u)
            u = _unit(weight @ v)
    return (u * (weight @ v)).sum()


def lipschitz_bound(weights: Iterable[Tensor]) -> Tensor:
    r"""Return the product of spectral norms, which bounds the slope of a network.

    .. math:: \mathrm{Lip}(f) \le \prod_l \sigma(W_l)

    Args:
        weights: the matrices of the layers; between them activations whose slope is at most 1.

    Returns:
        A scalar.

    Raises:
        ValueError: if there is no matrix.

    Source:
        Miyato et al. (2018), section 2.1, https://arxiv.org/abs/1802.05957
    """
    norms = [torch.linalg.matrix_norm(weight, ord=2) for weight in weights]
    if not norms:
        raise ValueError("there are no weights: pass the matrix of each layer")
    return torch.stack(norms).prod()


def conv_norm(kernel: Tensor, size: int) -> Tensor:
    r"""Return the exact spectral norm of a convolution with circular padding.

    The Fourier transform turns it into one small matrix per frequency.

    .. math:: \lVert K * \cdot \rVert = \max_\omega\, \sigma\!\left(\hat K(\omega)\right)

    Args:
        kernel: ``(out, in, k, k)``.
        size: height and width of the images, at least ``k``.

    Returns:
        A scalar.

    Raises:
        ValueError: if the kernel is larger than the image.

    Source:
        Sedghi, Gupta and Long (2019), https://arxiv.org/abs/1805.10408
    """
    if max(kernel.shape[2:]) > size:
        raise ValueError(f"a kernel {tuple(kernel.shape)} is larger than images of size {size}")
    transform = torch.fft.fft2(kernel, s=(size, size))  # (out, in, size, size)
    return torch.linalg.matrix_norm(transform.permute(2, 3, 0, 1), ord=2).max()


def reshaped_norm(kernel: Tensor) -> Tensor:
    """Return the spectral norm of a kernel laid out as a matrix, as spectral normalisation uses it.

    It is not the norm of the convolution, which can be up to ``k`` times as large.

    Args:
        kernel: ``(out, in, k, k)``; becomes ``(out, in * k * k)``.

    Returns:
        A scalar.

    Source:
        Miyato et al. (2018), section 2.1, https://arxiv.org/abs/1802.05957
    """
    return torch.linalg.matrix_norm(kernel.flatten(start_dim=1), ord=2)


def _unit(vector: Tensor) -> Tensor:
    return vector / torch.linalg.vector_norm(vector)
