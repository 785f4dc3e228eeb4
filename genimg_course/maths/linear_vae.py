"""The linear VAE, where everything has a closed form: what it learns and which codes stay empty."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from genimg_course._checks import check_matrix

__all__ = ["active_units", "linear_vae_terms", "optimal_linear_vae"]


def _check_weights(beta: float, noise: float) -> None:
    if not beta > 0 or not noise > 0:
        raise ValueError(f"beta is {beta} and noise is {noise}: expected two positive numbers")


def _check_variances(variances: Tensor) -> None:
    if variances.ndim != 1 or not bool((variances > 0).all()):
        raise ValueError(
            f"expected one positive variance per direction, got {tuple(variances.shape)} "
            f"with minimum {variances.min().item():g}"
        )


def active_units(variances: Tensor, *, beta: float = 1.0, noise: float) -> int:
    r"""Count the directions of the data on which a linear VAE spends a code.

    .. math:: \#\{ i : \lambda_i > \beta \sigma^2 \}

    Args:
        variances: :math:`\lambda_i`, variances of the data along their principal directions,
            positive, ``(D,)``.
        beta: weight of the KL term, positive.
        noise: variance :math:`\sigma^2` of a pixel under the decoder, positive.

    Returns:
        Their number; the other directions are dropped and their codes stay empty.

    Raises:
        ValueError: if a variance, ``beta`` or ``noise`` is not positive.

    Source:
        Lucas et al. (2019), https://arxiv.org/abs/1911.02469
    """
    _check_variances(variances)
    _check_weights(beta, noise)
    return int((variances > beta * noise).sum())


def optimal_linear_vae(variances: Tensor, *, beta: float = 1.0, noise: float) -> dict[str, Tensor]:
    r"""Return the best linear VAE, direction by direction, and what each direction costs.

    .. math::
        w_i^2 = \max(\lambda_i - \beta\sigma^2, 0), \qquad
        s_i = \min\left(1, \frac{\beta\sigma^2}{\lambda_i}\right)

    Args:
        variances: :math:`\lambda_i`, variances of the data along their principal directions,
            positive, ``(D,)``.
        beta: weight of the KL term, positive.
        noise: variance :math:`\sigma^2` of a pixel under the decoder, positive.

    Returns:
        Per direction, ``(D,)``: ``weight_squared`` of the decoder, ``spread`` (the *variance* of
        the code), ``rate`` and ``distortion`` in nats, and ``loss``, which is distortion plus
        ``beta`` times rate.

    Raises:
        ValueError: if a variance, ``beta`` or ``noise`` is not positive.

    Source:
        Tipping and Bishop (1999), section 3, https://doi.org/10.1111/1467-9868.00196;
        Lucas et al. (2019), https://arxiv.org/abs/1911.02469
    """
    _check_variances(variances)
    _check_weights(beta, noise)
    price = beta * noise
    spread = (price / variances).clamp_max(1)
    rate = -0.5 * spread.log()
    distortion = variances * spread / (2 * noise) + 0.5 * math.log(2 * math.pi * noise)
    return {
        "weight_squared": (variances - price).clamp_min(0),
        "spread": spread,
        "rate": rate,
        "distortion": distortion,
        "loss": distortion + beta * rate,
    }


def linear_vae_terms(
    decoder: Tensor, encoder: Tensor, logvar: Tensor, covariance: Tensor, *, noise: float
) -> tuple[Tensor, Tensor]:
    r"""Return distortion and rates of a linear VAE on centred data, with no sampling at all.

    The model is :math:`p(x \mid z) = N(Wz, \sigma^2 I)` and
    :math:`q(z \mid x) = N(Vx, \mathrm{diag}(s))`. Both terms are quadratic in the data, so their
    means need the covariance :math:`\Sigma` only:

    .. math::
        D = \frac{\mathrm{tr}\left((I - WV) \Sigma (I - WV)^\top + W\,\mathrm{diag}(s)\,W^\top
        \right)}{2\sigma^2} + \frac d2 \log 2\pi\sigma^2, \qquad
        R_j = \tfrac12 \left( (V \Sigma V^\top)_{jj} + s_j - 1 - \log s_j \right)

    Args:
        decoder: :math:`W`, ``(D, Z)``.
        encoder: :math:`V`, ``(Z, D)``.
        logvar: :math:`\log s`, ``(Z,)``.
        covariance: :math:`\Sigma`, ``(D, D)``.
        noise: variance :math:`\sigma^2` of a pixel under the decoder, positive.

    Returns:
        The distortion, a scalar, and the rate of each latent, ``(Z,)``, in nats.

    Raises:
        ValueError: if the shapes do not fit or ``noise`` is not positive.

    Source:
        Lucas et al. (2019), https://arxiv.org/abs/1911.02469
    """
    check_matrix(decoder=decoder, encoder=encoder, covariance=covariance)
    side, latents = decoder.shape
    if (*encoder.shape, *logvar.shape, *covariance.shape) != (latents, side, latents, side, side):
        raise ValueError(
            f"shapes do not fit: decoder {tuple(decoder.shape)}, encoder {tuple(encoder.shape)}, "
            f"logvar {tuple(logvar.shape)}, covariance {tuple(covariance.shape)}"
        )
    _check_weights(1.0, noise)
    lost = torch.eye(side, dtype=decoder.dtype, device=decoder.device) - decoder @ encoder
    error = (lost @ covariance * lost).sum() + (decoder.square() * logvar.exp()).sum()
    distortion = error / (2 * noise) + 0.5 * side * math.log(2 * math.pi * noise)
    power = (encoder @ covariance * encoder).sum(dim=1)
    return distortion, 0.5 * (power + torch.expm1(logvar) - logvar)
