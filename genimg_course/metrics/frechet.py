"""The Fréchet distance between two sets of image features."""

from __future__ import annotations

import torch
from torch import Tensor

from genimg_course._checks import check_finite, check_matrix
from genimg_course.maths.frechet import gaussian_frechet

__all__ = ["frechet_distance"]


def frechet_distance(features: Tensor, reference: Tensor) -> float:
    r"""Return the squared Fréchet distance of two Gaussians fitted to two sets of features.

    With features of an Inception network this is the FID. The course uses features of its own
    judges, so its values compare with each other, not with published FIDs. The estimate is biased
    upward, about like ``1 / n``, by an amount that depends on the generator: compare only values
    from equal numbers of images, and trust no small difference.

    Args:
        features: of generated images, ``(N, F)``, any floating dtype; computed in float64.
        reference: of real images, ``(M, F)``.

    Returns:
        A non-negative number in squared units of the features.

    Raises:
        ValueError: if the widths differ, a value is not finite, or a set has fewer than two images.

    Source:
        Heusel et al. (2017), equation 6, https://arxiv.org/abs/1706.08500;
        Chong and Forsyth (2020) for the bias, https://arxiv.org/abs/1911.07023
    """
    check_matrix(features=features, reference=reference)
    if features.shape[1] != reference.shape[1]:
        raise ValueError(
            f"features have {features.shape[1]} columns, reference {reference.shape[1]}"
        )
    if min(len(features), len(reference)) < 2:
        raise ValueError(f"a covariance needs two images, got {len(features)} and {len(reference)}")
    check_finite(features=features, reference=reference)
    return float(gaussian_frechet(*_mean_and_cov(features), *_mean_and_cov(reference)))


def _mean_and_cov(features: Tensor) -> tuple[Tensor, Tensor]:
    values = features.detach().double()
    return values.mean(dim=0), torch.atleast_2d(torch.cov(values.T))  # one feature gives a scalar
