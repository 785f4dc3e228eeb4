"""Principal components, and what a linear autoencoder can reach."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from genimg_course._checks import check_finite, check_matrix

__all__ = [
    "PrincipalComponents",
    "best_decoder",
    "linear_error",
    "principal_components",
    "subspace_angle",
]


class PrincipalComponents(NamedTuple):
    """The axes along which examples vary.

    Args:
        mean: ``(D,)``.
        axes: orthonormal columns, the direction of largest variance first, ``(D, D)``.
        spectrum: variance along each axis, in descending order, ``(D,)``; rounding can leave a
            variance of zero slightly negative.
    """

    mean: Tensor
    axes: Tensor
    spectrum: Tensor


def principal_components(x: Tensor) -> PrincipalComponents:
    r"""Return the mean of examples, and the eigenvectors and eigenvalues of their covariance.

    .. math:: \Sigma = \tfrac1B \sum_b (x_b - \bar x)(x_b - \bar x)^\top = U \Lambda U^\top

    Args:
        x: examples, ``(B, D)``.

    Returns:
        Mean, axes and spectrum; the covariance divides by ``B``, so that errors are plain means.

    Raises:
        ValueError: if ``x`` is not a finite matrix.

    Source:
        Hotelling (1933), https://doi.org/10.1037/h0071325
    """
    check_matrix(x=x)
    check_finite(x=x)
    mean = x.mean(dim=0)
    spectrum, axes = torch.linalg.eigh(torch.atleast_2d(torch.cov(x.T, correction=0)))
    return PrincipalComponents(mean, axes.flip(1), spectrum.flip(0))


def linear_error(cov: Tensor, latent_dim: int) -> Tensor:
    r"""Return the least mean squared error of a linear autoencoder with a code of some length.

    .. math:: \min_{W_1, W_2} \mathbb E \lVert x - W_2 W_1 x \rVert^2 = \sum_{i > Z} \lambda_i

    Args:
        cov: covariance of the centred inputs, symmetric, positive semi-definite, ``(D, D)``.
        latent_dim: length ``Z`` of the code, at least 0.

    Returns:
        A scalar in squared units of the inputs: the sum over pixels of the mean squared error.

    Raises:
        ValueError: if ``cov`` is not square and finite, or ``latent_dim`` is negative.

    Source:
        Baldi and Hornik (1989), https://doi.org/10.1016/0893-6080(89)90014-2
    """
    _check_covariance(cov)
    if latent_dim < 0:
        raise ValueError(f"latent_dim is {latent_dim}: expected the length of a code, at least 0")
    return torch.linalg.eigvalsh(cov).flip(0)[latent_dim:].sum()


def best_decoder(encoder: Tensor, cov: Tensor) -> Tensor:
    r"""Return the linear decoder with the least squared error for an encoder that stays fixed.

    .. math:: W_2 = \Sigma W_1^\top \left( W_1 \Sigma W_1^\top \right)^{+}

    The pseudo-inverse serves where the code has more numbers than the input has dimensions.

    Args:
        encoder: ``W_1``, which maps inputs to codes, ``(Z, D)``.
        cov: covariance of the centred inputs, ``(D, D)``.

    Returns:
        ``W_2``, which maps codes to inputs, ``(D, Z)``.

    Raises:
        ValueError: if the shapes do not fit or a value is not finite.

    Source:
        Bourlard and Kamp (1988), https://doi.org/10.1007/BF00332918
    """
    check_matrix(encoder=encoder)
    check_finite(encoder=encoder)
    _check_covariance(cov)
    if encoder.shape[1] != len(cov):
        raise ValueError(f"encoder takes {encoder.shape[1]} inputs, cov describes {len(cov)}")
    crossed = cov @ encoder.T  # (D, Z)
    return crossed @ torch.linalg.pinv(encoder @ crossed, hermitian=True)


def subspace_angle(a: Tensor, b: Tensor) -> Tensor:
    r"""Return the largest principal angle between the spans of two sets of columns, in radians.

    .. math:: \sin\theta = \lVert (I - Q_b Q_b^\top) Q_a \rVert_2, \qquad
        \cos\theta = \sigma_{\min}(Q_b^\top Q_a)

    ``Q`` is an orthonormal basis of each span. The angle is zero if the spans agree, whatever the
    columns are. Sine and cosine together make small and large angles exact to rounding.

    Args:
        a: independent columns, ``(D, Z)``.
        b: independent columns, ``(D, Z)``.

    Returns:
        A scalar between 0 and pi/2.

    Raises:
        ValueError: if the shapes differ, there are more columns than rows, or a value is not
            finite.

    Source:
        Björck and Golub (1973), https://doi.org/10.1090/S0025-5718-1973-0348991-3
    """
    check_matrix(a=a, b=b)
    check_finite(a=a, b=b)
    if a.shape != b.shape or a.shape[1] > a.shape[0]:
        raise ValueError(
            f"a has shape {tuple(a.shape)}, b {tuple(b.shape)}: expected two equal shapes (D, Z) "
            "with at most D columns"
        )
    q_a, q_b = torch.linalg.qr(a).Q, torch.linalg.qr(b).Q
    shared = q_b.T @ q_a
    sine = torch.linalg.matrix_norm(q_a - q_b @ shared, ord=2)
    return torch.atan2(sine, torch.linalg.svdvals(shared).min())


def _check_covariance(cov: Tensor) -> None:
    check_matrix(cov=cov)
    check_finite(cov=cov)
    if cov.shape[0] != cov.shape[1]:
        raise ValueError(f"cov has shape {tuple(cov.shape)}: expected a square matrix (D, D)")
