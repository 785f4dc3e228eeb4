"""Compare a set of generated images with a set of real ones, in numbers that can be printed."""

from __future__ import annotations

from torch import Tensor

from genimg_course import maths

__all__ = [
    "density_coverage",
    "inception_score",
    "kernel_distance",
    "precision_recall",
    "roc_area",
]


def kernel_distance(features: Tensor, reference: Tensor) -> float:
    """Return the kernel (Inception) distance, KID, of two sets of features.

    It is right on average for every number of images, so equal laws give about zero, of either
    sign. Values compare only where the features come from the same network.

    Args:
        features: of generated images, ``(N, F)``, any floating dtype; computed in float64.
        reference: of real images, ``(M, F)``.

    Raises:
        ValueError: if the widths differ, a value is not finite, or a set has fewer than two images.

    Source:
        Bińkowski, Sutherland, Arbel and Gretton (2018), https://arxiv.org/abs/1801.01401
    """
    return float(maths.squared_mmd(features.detach().double(), reference.detach().double()))


def inception_score(probabilities: Tensor) -> float:
    """Return the Inception score of a judge's answers, from 1 to the number of classes.

    Args:
        probabilities: as `Judge.predict` returns them, ``(N, K)``; computed in float64.

    Raises:
        ValueError: if a value lies outside ``[0, 1]`` or a row does not sum to one.

    Source:
        Salimans et al. (2016), section 4, https://arxiv.org/abs/1606.03498
    """
    return float(maths.inception_score(probabilities.detach().double()))


def precision_recall(features: Tensor, reference: Tensor, *, k: int = 3) -> dict[str, float]:
    """Return the shares of generated and of real images that lie within the other set's balls.

    Args:
        features: of generated images, ``(N, F)``, any floating dtype; computed in float64.
        reference: of real images, ``(M, F)``.
        k: a ball reaches to the ``k``-th nearest neighbour in its own set.

    Returns:
        ``"precision"`` and ``"recall"``, each from 0 to 1.

    Raises:
        ValueError: if the widths differ, a value is not finite, or a set has at most ``k`` images.

    Source:
        Kynkäänniemi, Karras, Laine, Lehtinen and Aila (2019), https://arxiv.org/abs/1904.06991
    """
    return _numbers(maths.precision_recall(features.double(), reference.double(), k=k))


def density_coverage(features: Tensor, reference: Tensor, *, k: int = 5) -> dict[str, float]:
    """Return how densely, and how completely, generated images fill the balls of real ones.

    Args:
        features: of generated images, ``(N, F)``, any floating dtype; computed in float64.
        reference: of real images, ``(M, F)``.
        k: a ball reaches to the ``k``-th nearest real neighbour.

    Returns:
        ``"density"``, about 1 for a perfect generator, and ``"coverage"``, from 0 to 1.

    Raises:
        ValueError: if the widths differ, a value is not finite, or a set has at most ``k`` images.

    Source:
        Naeem, Oh, Uh, Choi and Yoo (2020), https://arxiv.org/abs/2002.09797
    """
    return _numbers(maths.density_coverage(features.double(), reference.double(), k=k))


def roc_area(low: Tensor, high: Tensor) -> float:
    """Return the area under the ROC curve: how often a score of ``high`` beats one of ``low``.

    Args:
        low: scores of the things that should score low, ``(N,)``.
        high: scores of the things that should score high, ``(M,)``.

    Raises:
        ValueError: if a set is not one-dimensional, is empty, or has a value that is not finite.

    Source:
        Hanley and McNeil (1982), https://doi.org/10.1148/radiology.143.1.7063747
    """
    return float(maths.roc_area(low.detach().double(), high.detach().double()))


def _numbers(values: dict[str, Tensor]) -> dict[str, float]:
    return {name: float(value) for name, value in values.items()}
