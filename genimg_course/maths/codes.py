"""The law of an autoencoder's codes, which the autoencoder itself does not fix."""

from __future__ import annotations

import torch
from torch import Tensor

from genimg_course._checks import check_finite, check_matrix
from genimg_course.maths.gaussians import gaussian_kl_full

__all__ = ["code_mismatch", "recode"]


def code_mismatch(codes: Tensor) -> Tensor:
    r"""Return how far a Gaussian fitted to codes is from the standard normal, in nats.

    .. math:: \mathrm{KL}\!\left(N(m, C)\,\Vert\,N(0, I)\right)
        = \tfrac12 \left( \mathrm{tr}\,C + \lVert m \rVert^2 - Z - \log\det C \right)

    Args:
        codes: of ``B`` examples, more than ``Z``, ``(B, Z)``; the covariance ``C`` divides by
            ``B``.

    Returns:
        A scalar; zero only if mean and covariance are those of ``N(0, I)``.

    Raises:
        ValueError: if there are too few codes for a covariance of full rank, or one is not finite.
    """
    check_matrix(codes=codes)
    check_finite(codes=codes)
    count, dims = codes.shape
    if count <= dims:
        raise ValueError(f"{count} codes of length {dims}: expected more codes than numbers in one")
    cov = torch.atleast_2d(torch.cov(codes.T, correction=0))
    standard = torch.eye(dims, dtype=codes.dtype, device=codes.device)
    mean = codes.mean(dim=0)
    return gaussian_kl_full(mean, cov, torch.zeros_like(mean), standard)


def recode(encoder: Tensor, decoder: Tensor, change: Tensor) -> tuple[Tensor, Tensor]:
    r"""Return another encoder and decoder that rebuild every input exactly as these two do.

    .. math:: W_1' = A W_1, \qquad W_2' = W_2 A^{-1}

    Args:
        encoder: ``W_1``, ``(Z, D)``.
        decoder: ``W_2``, ``(D, Z)``.
        change: any invertible matrix ``A``, ``(Z, Z)``.

    Returns:
        The new encoder and decoder; the codes are changed by ``A``.

    Raises:
        ValueError: if the shapes do not fit.

    Source:
        Baldi and Hornik (1989), https://doi.org/10.1016/0893-6080(89)90014-2
    """
    check_matrix(encoder=encoder, decoder=decoder, change=change)
    dims = len(encoder)
    if decoder.shape[1] != dims or change.shape != (dims, dims):
        raise ValueError(
            f"shapes do not fit: encoder {tuple(encoder.shape)}, decoder {tuple(decoder.shape)}, "
            f"change {tuple(change.shape)}; expected (Z, D), (D, Z) and (Z, Z)"
        )
    return change @ encoder, torch.linalg.solve(change, decoder, left=False)
