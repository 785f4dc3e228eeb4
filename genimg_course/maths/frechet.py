"""The Fréchet distance between Gaussians, its transport map, and its bias in small samples."""

from __future__ import annotations

import torch
from torch import Tensor

from genimg_course._checks import check_finite

__all__ = ["frechet_at_infinity", "frechet_bias", "gaussian_frechet", "transport_map"]


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


def transport_map(cov_1: Tensor, cov_2: Tensor) -> Tensor:
    r"""Return the matrix of the cheapest map that turns ``N(0, cov_1)`` into ``N(0, cov_2)``.

    .. math:: T = \Sigma_1^{-1/2}
        (\Sigma_1^{1/2} \Sigma_2 \Sigma_1^{1/2})^{1/2}\, \Sigma_1^{-1/2}

    Between means, ``x`` goes to ``mean_2 + T (x - mean_1)``. It is the Monge map of the two laws:
    of all maps that carry one to the other it moves the points least, by ``gaussian_frechet`` in
    the mean square.

    Args:
        cov_1: symmetric and positive definite, ``(F, F)``.
        cov_2: symmetric and positive semi-definite, ``(F, F)``.

    Returns:
        A symmetric matrix, ``(F, F)``.

    Raises:
        ValueError: if the shapes do not fit, a value is not finite, or ``cov_1`` is singular.

    Source:
        Dowson and Landau (1982), https://doi.org/10.1016/0047-259X(82)90077-X;
        Olkin and Pukelsheim (1982), https://doi.org/10.1016/0024-3795(82)90112-4
    """
    side = len(cov_1)
    if not cov_1.shape == cov_2.shape == (side, side):
        raise ValueError(
            f"shapes do not fit: covariances {tuple(cov_1.shape)}, {tuple(cov_2.shape)}"
        )
    check_finite(cov_1=cov_1, cov_2=cov_2)
    if not (least := torch.linalg.eigvalsh(cov_1).min().item()) > 0:
        raise ValueError(f"the least eigenvalue of cov_1 is {least:g}: a map needs it positive")
    root = _square_root(cov_1)
    inverse = torch.linalg.inv(root)
    return inverse @ _square_root(root @ cov_2 @ root) @ inverse


def frechet_bias(cov: Tensor, count: int, reference_count: int) -> Tensor:
    r"""Return how large the Fréchet distance of two samples of *one* Gaussian is on average.

    .. math:: \left( \frac1n + \frac1m \right) \left( \tfrac54 \mathrm{tr}\,\Sigma
        + \tfrac12 \sum_{ij} \frac{\lambda_i \lambda_j}{\lambda_i + \lambda_j} \right)

    The truth is zero, so this is the bias, to first order in ``1 / n`` and ``1 / m``. It follows
    from the second-order change of the distance and the variances of a sample covariance. With
    ``F`` uncorrelated features of variance 1 the second factor is ``F (F + 5) / 4``.

    Args:
        cov: covariance of the features, symmetric and positive definite, ``(F, F)``.
        count: number ``n`` of images in one sample.
        reference_count: number ``m`` of images in the other.

    Returns:
        A positive scalar in squared units of the features.

    Raises:
        ValueError: if a count is below 2 or ``cov`` is not a finite square matrix.

    Source:
        Chong and Forsyth (2020) for the order, https://arxiv.org/abs/1911.07023
    """
    if min(count, reference_count) < 2:
        raise ValueError(f"a covariance needs two images, got {count} and {reference_count}")
    if cov.shape != (len(cov), len(cov)):
        raise ValueError(f"cov has shape {tuple(cov.shape)}: expected a square matrix (F, F)")
    check_finite(cov=cov)
    values = torch.linalg.eigvalsh(cov)
    pairs = values.outer(values) / (values[:, None] + values)
    return (1 / count + 1 / reference_count) * (1.25 * values.sum() + 0.5 * pairs.sum())


def frechet_at_infinity(counts: Tensor, distances: Tensor) -> Tensor:
    r"""Return the Fréchet distance for endless samples, by a straight line in ``1 / n``.

    .. math:: d^2_n \approx d^2_\infty + \frac cn

    Args:
        counts: numbers ``n`` of images of which the distances were computed, ``(M,)``; positive,
            not all equal.
        distances: the squared Fréchet distances at these numbers, ``(M,)``.

    Returns:
        The intercept ``d^2_infinity`` of the least-squares line, a scalar.

    Raises:
        ValueError: if the shapes differ, a value is not finite or positive, or all counts agree.

    Source:
        Chong and Forsyth (2020), https://arxiv.org/abs/1911.07023

    >>> round(frechet_at_infinity(torch.tensor([100.0, 200.0]), torch.tensor([7.0, 5.0])).item(), 3)
    3.0
    """
    if counts.ndim != 1 or counts.shape != distances.shape:
        raise ValueError(
            f"shapes are {tuple(counts.shape)} and {tuple(distances.shape)}: expected two (M,)"
        )
    check_finite(counts=counts, distances=distances)
    if not (counts > 0).all() or len(counts.unique()) < 2:
        raise ValueError(f"counts are {counts.tolist()}: expected two different positive numbers")
    x = counts.reciprocal()
    x_mean, y_mean = x.mean(), distances.mean()
    slope = (x - x_mean).dot(distances) / (x - x_mean).square().sum()
    return y_mean - slope * x_mean
