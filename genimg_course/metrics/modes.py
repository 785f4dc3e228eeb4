"""Modes of a known law that generated points reach, and how many points are good."""

from __future__ import annotations

from torch import Tensor

from genimg_course import maths

__all__ = ["count_modes"]


def count_modes(
    points: Tensor,
    centres: Tensor,
    *,
    spread: float,
    radius: float = 3.0,
    least: float = 0.01,
) -> tuple[int, float]:
    """Count the modes of a mixture that generated points reach, as plain numbers.

    Args:
        points: generated points, ``(B, dim)``; gradients are not followed.
        centres: means of the modes, ``(K, dim)``, such as ``ring().centres``.
        spread: standard deviation of each mode.
        radius: how far from its centre a good point may lie, in standard deviations.
        least: share of all points that a mode needs to count as found.

    Returns:
        The number of modes found, and the share of good points. A perfect generator in the plane
        has a share of ``1 - exp(-radius ** 2 / 2)``, 0.989 for three deviations.

    Raises:
        ValueError: if the shapes do not fit.

    Source:
        Lin et al. (2018), for the idea, https://arxiv.org/abs/1712.04086
    """
    points = points.detach()
    found = maths.count_modes(points, centres.to(points), spread=spread, radius=radius, least=least)
    return int(found["modes"]), float(found["good"])
