"""The Fréchet distance between Gaussians, which is their squared 2-Wasserstein distance."""

from __future__ import annotations

import torch
from torch import Tensor

from genimg_course._checks import check_finite

__all__ = ["gaussian_frechet"]


def _square_root(matrix: Tensor) -> Tensor:
    values, vectors = torch.linalg.eigh(matrix)
    return (vectors * values.clamp_min(0).sqrt()) @ vectors.T


def gaussian_frechet(mean_1: Tensor, cov_1: Tensor, mean_2: Tensor, cov_2: Tensor) -> Tensor:
    r"""Return the squared Fréchet distance of two Gaussians.

    .. math:: \lVert m_1 - m_2 \rVert^2
        + \mathrm{tr}\left(\Sigma_1 + \Sigma_2
        - 2(\Sigma_1^{1/2}\Sigma_2\Sigma_1^{1/2})^{1/2}\right)

    The inner matrix is symmetric, so that an eigendecomposition serves and no complex root appears.

    Args:
        mean_1: ``(F,)``.
        cov_1: symmetric, positive semi-definite, ``(F, F)``.
        mean_2: ``(F,)``.
        cov_2: ``(F, F)``.

    Returns:
        A non-negative scalar in squared units of the features; zero for equal Gaussians.

    Raises:
        ValueError: if the shapes do not fit or a value is not finite.

    Source:
        Dowson and Landau (1982), https://doi.org/10.1016/0047-259X(82)90077-X;
        Heusel et al. (2017), equation 6, https://arxiv.org/abs/1706.08500
    """
    side = mean_1.numel()
    means_fit = mean_1.shape == mean_2.shape == (side,)
    if not (means_fit and cov_1.shape == cov_2.shape == (side, side)):
        raise ValueError(
            f"shapes do not fit: means {tuple(mean_1.shape)}, {tuple(mean_2.shape)}, "
            f"covariances {tuple(cov_1.shape)}, {tuple(cov_2.shape)}"
        )
    check_finite(mean_1=mean_1, cov_1=cov_1, mean_2=mean_2, cov_2=cov_2)
    root = _square_root(cov_1)
    cross = torch.linalg.eigvalsh(root @ cov_2 @ root).clamp_min(0).sqrt().sum()
    distance = (mean_1 - mean_2).square().sum() + cov_1.trace() + cov_2.trace() - 2 * cross
    return distance.clamp_min(0)  # rounding alone can make it negative
