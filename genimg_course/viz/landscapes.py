"""Draw a function of two weights as a map with contours, and the path that an optimiser took."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.colors import BoundaryNorm

from genimg_course.viz._axes import number
from genimg_course.viz._inputs import as_floats
from genimg_course.viz.style import GREY, INK, VERMILION, Figure, style

__all__ = ["loss_landscape"]

_BANDS = 14


def loss_landscape(
    x: Any,
    y: Any,
    losses: Any,
    path: Any,
    *,
    xlabel: str,
    ylabel: str,
    title: str | None = None,
    alt: str | None = None,
) -> Figure:
    """Draw the heights of a loss as bands, the lowest one lightest, and a path across them.

    The heights of the bands grow by one factor, so that a flat floor shows as much as a steep wall.
    A circle marks the start of the path, a square its end; what is out of view is counted below.

    Args:
        x: values of the first weight, rising, ``(W,)``.
        y: values of the second weight, rising, ``(H,)``.
        losses: the loss at each pair, positive, ``(H, W)``.
        path: the places of the weights over time, ``(N, 2)``.
        xlabel: what the first weight is.
        ylabel: what the second weight is.
        title: above the map.
        alt: what the picture shows; by default where the path begins and ends.

    Returns:
        The figure.

    Raises:
        ValueError: if shapes do not fit, a loss is not positive, or a place is not finite.
    """
    places_x, places_y = as_floats(x, "x", ndim=1), as_floats(y, "y", ndim=1)
    heights = as_floats(losses, "losses", ndim=2)
    if heights.shape != (len(places_y), len(places_x)) or heights.min() <= 0:
        raise ValueError(
            f"losses has shape {heights.shape} and least value {heights.min():.3g}; "
            f"pass positive numbers of shape {(len(places_y), len(places_x))}"
        )
    steps = as_floats(path, "path", ndim=2)
    if steps.shape[1] != 2:
        raise ValueError(f"path has shape {steps.shape}; places on the map are (N, 2)")
    inside_x = (places_x[0] <= steps[:, 0]) & (steps[:, 0] <= places_x[-1])
    inside_y = (places_y[0] <= steps[:, 1]) & (steps[:, 1] <= places_y[-1])
    outside = int((~(inside_x & inside_y)).sum())

    levels = np.geomspace(heights.min() * 0.999, heights.max() * 1.001, _BANDS + 1)
    figure = Figure(6.2, 4.0, layout=None)
    with style():
        axes = figure.add_axes((0.11, 0.15, 0.70, 0.74))
        bands = axes.contourf(
            places_x, places_y, heights, levels, cmap="Blues", norm=BoundaryNorm(levels, 200)
        )
        axes.contour(places_x, places_y, heights, levels, colors=GREY, linewidths=0.4)
        axes.plot(*steps.T, ".-", color=VERMILION, linewidth=1.2, markersize=4)
        axes.plot(*steps[0], "o", color=INK, markersize=8)
        axes.plot(*steps[-1], "s", color=VERMILION, markeredgecolor=INK, markersize=8)
        note = f"\n{outside} of {len(steps)} places lie outside" if outside else ""
        axes.set(xlim=places_x[[0, -1]], ylim=places_y[[0, -1]], ylabel=ylabel)
        axes.set_xlabel(f"{xlabel}{note}")
        if title:
            axes.set_title(title)
        bar = figure.colorbar(bands, cax=figure.add_axes((0.84, 0.15, 0.025, 0.74)), label="loss")
        every_second = levels[::2].tolist()
        bar.set_ticks(every_second, labels=[number(level) for level in every_second])
        bar.outline.set_visible(False)
    told = f"from {_place(steps[0])} to {_place(steps[-1])}, {outside} of {len(steps)} out of view"
    figure.alt = alt or f"{f'{title}: ' if title else ''}a path over a loss, {told}."
    return figure


def _place(place: Any) -> str:
    return f"({number(place[0])}, {number(place[1])})"
