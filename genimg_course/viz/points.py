"""Draw sets of points in the plane side by side, all on the same axes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from genimg_course.viz._inputs import as_floats
from genimg_course.viz.style import PALETTE, Figure, style

__all__ = ["point_panels"]

_MOST_PANELS = 4


def point_panels(
    sets: Mapping[str, Any],
    *,
    limit: float = 3.0,
    title: str | None = None,
    alt: str | None = None,
) -> Figure:
    """Draw sets of points next to each other, such as data and the samples of some models.

    All panels show ``[-limit, limit]`` in both directions, so that they can be compared; points
    outside are counted below their panel.

    Args:
        sets: name of the panel -> points, ``(N, 2)``; at most 4 panels.
        limit: half the length of the axes.
        title: above the panels.
        alt: what the picture shows; by default the names and the numbers of points.

    Returns:
        The figure.

    Raises:
        ValueError: if there are no sets or too many, or points are not ``(N, 2)`` and finite.

    >>> point_panels({"data": [[0.0, 1.0], [9.0, 0.0]], "noise": [[1.0, 1.0]]}).alt
    'data: 2 points, 1 outside; noise: 1 points, 0 outside. All panels from -3 to 3.'
    """
    if not 1 <= len(sets) <= _MOST_PANELS:
        raise ValueError(f"there are {len(sets)} sets of points; pass 1 to {_MOST_PANELS}")
    if not limit > 0:
        raise ValueError(f"limit is {limit}; pass a positive number")
    points = {name: as_floats(values, f"sets[{name!r}]", ndim=2) for name, values in sets.items()}
    for name, values in points.items():
        if values.shape[1] != 2:
            raise ValueError(
                f"sets[{name!r}] has shape {values.shape}; points in the plane are (N, 2)"
            )
    outside = {name: int((np.abs(v) > limit).any(axis=1).sum()) for name, v in points.items()}

    figure = Figure(2.4 * len(sets) + 0.4, 3.1)
    with style():
        every = figure.subplots(1, len(sets), sharex=True, sharey=True, squeeze=False)[0]
        for axes, (name, values) in zip(every, points.items(), strict=True):
            size = float(np.clip(6000 / len(values), 2, 20))
            axes.scatter(values[:, 0], values[:, 1], s=size, c=PALETTE[0], alpha=0.45, linewidths=0)
            axes.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal", title=name)
            axes.set_xlabel("$x_1$" + (f"\n{outside[name]} outside" if outside[name] else ""))
        every[0].set_ylabel("$x_2$")
        if title:
            figure.suptitle(title, x=0.02, ha="left", fontsize=10)
    each = "; ".join(f"{n}: {len(v)} points, {outside[n]} outside" for n, v in points.items())
    told = f"{each}. All panels from {-limit:g} to {limit:g}."
    figure.alt = alt or (f"{title}: {told}" if title else told)
    return figure
