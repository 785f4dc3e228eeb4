"""Two questions in place of one distance: do the samples look real, and is all that is real there?

Each set of features is surrounded by balls that reach to the k-th nearest neighbour within the set.
The union of the balls stands for all images of that kind.
"""

from __future__ import annotations

import torch
from torch import Tensor

from genimg_course._checks import check_finite, check_matrix

__all__ = ["density_coverage", "neighbour_radii", "precision_recall"]


def _distances(x: Tensor, y: Tensor) -> Tensor:
    # by differences: the faster matrix product gives equal points a distance above zero
    return torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist")


def _check(features: Tensor, reference: Tensor, k: int) -> None:
    check_matrix(features=features, reference=reference)
    check_finite(features=features, reference=reference)
    if features.shape[1] != reference.shape[1]:
        raise ValueError(
            f"features have {features.shape[1]} columns, reference {reference.shape[1]}"
        )
    if not 1 <= k < min(len(features), len(reference)):
        raise ValueError(
            f"k is {k}: expected 1 or more neighbours, and more than k images in each set, "
            f"which have {len(features)} and {len(reference)}"
        )


def neighbour_radii(x: Tensor, *, k: int) -> Tensor:
    """Return the distance of each point to its ``k``-th nearest neighbour, itself left out.

    Args:
        x: points, ``(N, F)``.
        k: which neighbour; 1 is the nearest.

    Returns:
        One radius for each point, ``(N,)``.

    Raises:
        ValueError: if there are not more than ``k`` points.

    >>> neighbour_radii(torch.tensor([[0.0], [1.0], [5.0]]), k=1)
    tensor([1., 1., 4.])
    """
    _check(x, x, k)
    # a point is its own nearest, so the k-th other point comes k + 1st
    return _distances(x, x).kthvalue(k + 1).values


def precision_recall(features: Tensor, reference: Tensor, *, k: int = 3) -> dict[str, Tensor]:
    r"""Return how much of each set lies within the other set's balls.

    .. math:: \mathrm{precision} = \frac1N \sum_j
        \mathbb 1\left[ \exists i: \lVert y_j - x_i \rVert \le r_k(x_i) \right], \qquad
        \mathrm{recall} = \frac1M \sum_i
        \mathbb 1\left[ \exists j: \lVert x_i - y_j \rVert \le r_k(y_j) \right]

    Args:
        features: of the ``N`` generated images ``y``, ``(N, F)``.
        reference: of the ``M`` real images ``x``, ``(M, F)``.
        k: a ball reaches to the ``k``-th nearest neighbour in its own set.

    Returns:
        ``"precision"``, the share of generated images within a ball around a real one, and
        ``"recall"``, the share of real images within a ball around a generated one.

    Raises:
        ValueError: if the widths differ, a value is not finite, or a set has at most ``k`` images.

    Source:
        Kynkäänniemi, Karras, Laine, Lehtinen and Aila (2019), https://arxiv.org/abs/1904.06991
    """
    _check(features, reference, k)
    apart = _distances(features, reference)  # (N, M)
    inside_real = apart <= neighbour_radii(reference, k=k)
    inside_fake = apart <= neighbour_radii(features, k=k)[:, None]
    return {
        "precision": inside_real.any(dim=1).to(features.dtype).mean(),
        "recall": inside_fake.any(dim=0).to(features.dtype).mean(),
    }


def density_coverage(features: Tensor, reference: Tensor, *, k: int = 5) -> dict[str, Tensor]:
    r"""Return how densely, and how completely, generated images fill the balls of the real ones.

    .. math:: \mathrm{density} = \frac{1}{kN} \sum_j \sum_i
        \mathbb 1\left[ \lVert y_j - x_i \rVert \le r_k(x_i) \right], \qquad
        \mathrm{coverage} = \frac1M \sum_i
        \mathbb 1\left[ \exists j: \lVert y_j - x_i \rVert \le r_k(x_i) \right]

    Both use balls of real images only: a stray generated image cannot make a large ball of its own.
    For a perfect generator the density is 1 on average.

    Args:
        features: of the ``N`` generated images ``y``, ``(N, F)``.
        reference: of the ``M`` real images ``x``, ``(M, F)``.
        k: a ball reaches to the ``k``-th nearest neighbour among the real images.

    Returns:
        ``"density"``, a number from 0 that can exceed 1, and ``"coverage"``, a share.

    Raises:
        ValueError: if the widths differ, a value is not finite, or a set has at most ``k`` images.

    Source:
        Naeem, Oh, Uh, Choi and Yoo (2020), https://arxiv.org/abs/2002.09797
    """
    _check(features, reference, k)
    inside = _distances(features, reference) <= neighbour_radii(reference, k=k)  # (N, M)
    return {
        "density": inside.to(features.dtype).sum() / (k * len(features)),
        "coverage": inside.any(dim=0).to(features.dtype).mean(),
    }
