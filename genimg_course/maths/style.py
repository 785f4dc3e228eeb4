"""Style as statistics of features: Gram matrices, adaptive normalisation, modulated weights."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from genimg_course._checks import check_same_shape

__all__ = [
    "adaptive_instance_norm",
    "demodulate",
    "gram_matrix",
    "style_loss",
    "truncate",
    "truncated_normal_variance",
]


def gram_matrix(features: Tensor) -> Tensor:
    r"""Return the inner products of feature maps.

    .. math:: G = F F^\top

    Args:
        features: ``N`` maps at ``M`` places, ``(N, M)``.

    Returns:
        A symmetric matrix, ``(N, N)``; it does not know where anything was.

    Source:
        Gatys et al. (2015), equation 3, https://arxiv.org/abs/1508.06576
    """
    return features @ features.mT


def style_loss(features: Tensor, target: Tensor) -> Tensor:
    r"""Return the distance between the styles of two pictures in one layer.

    .. math:: E = \frac1{4 N^2 M^2} \lVert F F^\top - A \rVert_F^2

    Args:
        features: ``N`` maps at ``M`` places, ``(N, M)``.
        target: the Gram matrix :math:`A` of the style picture, ``(N, N)``.

    Returns:
        A scalar.

    Raises:
        ValueError: if the Gram matrices differ in shape.

    Source:
        Gatys et al. (2015), equation 4, https://arxiv.org/abs/1508.06576
    """
    gram = gram_matrix(features)
    check_same_shape(gram=gram, target=target)
    return (gram - target).square().sum() / (4 * features.numel() ** 2)


def adaptive_instance_norm(content: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    r"""Give each feature map of a picture the mean and the spread of a style.

    .. math:: \sigma(y)\, \frac{x - \mu(x)}{\sigma(x)} + \mu(y)

    Args:
        content: features, ``(B, C, H, W)``, no map constant.
        mean: the style's means, ``(B, C)``.
        std: the style's standard deviations over places, ``(B, C)``.

    Returns:
        Features, ``(B, C, H, W)``.

    Source:
        Huang and Belongie (2017), equation 8, https://arxiv.org/abs/1703.06868
    """
    own_std, own_mean = torch.std_mean(content, dim=(2, 3), correction=0, keepdim=True)
    return std[..., None, None] * (content - own_mean) / own_std + mean[..., None, None]


def demodulate(weight: Tensor, style: Tensor, *, eps: float = 1e-8) -> Tensor:
    r"""Scale a kernel by a style and bring its outputs back to unit spread.

    .. math:: w''_{oijk} = \frac{s_i w_{oijk}}{\sqrt{\sum_{ijk} (s_i w_{oijk})^2 + \epsilon}}

    Args:
        weight: kernel, ``(C_out, C_in, k, k)``.
        style: one factor for each channel that enters, ``(C_in,)``.
        eps: keeps the quotient finite where all factors are zero.

    Returns:
        A kernel, ``(C_out, C_in, k, k)``; on independent inputs of unit variance its outputs have
        unit variance.

    Source:
        Karras et al. (2020), equations 1 and 3, https://arxiv.org/abs/1912.04958
    """
    scaled = style[:, None, None] * weight
    return scaled / (scaled.square().sum(dim=(1, 2, 3), keepdim=True) + eps).sqrt()


def truncate(w: Tensor, mean: Tensor, *, psi: float) -> Tensor:
    r"""Pull codes towards their mean: less variety, fewer failures.

    .. math:: w' = \bar w + \psi (w - \bar w)

    Args:
        w: codes, ``(B, Z)``.
        mean: :math:`\bar w`, ``(Z,)``.
        psi: 1 leaves the codes as they are, 0 makes them all the mean.

    Returns:
        Codes, ``(B, Z)``; their covariance is :math:`\psi^2` times what it was.

    Source:
        Karras et al. (2019), appendix B, https://arxiv.org/abs/1812.04948
    """
    return mean + psi * (w - mean)


def truncated_normal_variance(limit: float) -> float:
    r"""Return the variance of standard normal noise that is drawn again beyond a limit.

    .. math:: \mathrm{Var}\left(z \mid |z| < c\right)
        = 1 - \frac{2 c\, \varphi(c)}{\mathrm{erf}(c / \sqrt 2)}

    Args:
        limit: :math:`c`, positive.

    Returns:
        A variance between 0 and 1.

    Raises:
        ValueError: if the limit is not positive.

    Source:
        Brock et al. (2019), section 3.1, https://arxiv.org/abs/1809.11096

    >>> round(truncated_normal_variance(1.0), 4)
    0.2911
    """
    if not limit > 0:
        raise ValueError(f"limit is {limit}: expected a positive number")
    density = math.exp(-(limit**2) / 2) / math.sqrt(2 * math.pi)
    return 1 - 2 * limit * density / math.erf(limit / math.sqrt(2))
