"""Draw the paths of two players in the plane, one panel for each run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from genimg_course.viz._axes import number
from genimg_course.viz._inputs import Floats, as_floats
from genimg_course.viz.style import BLACK, BLUE, GREY, VERMILION, Figure, style

__all__ = ["phase_portraits"]

_ARROWS = 6


def phase_portraits(
    paths: Mapping[str, Any],
    *,
    xlabel: str,
    ylabel: str,
    limit: float,
    fields: Mapping[str, Callable[[Any], Any]] | None = None,
    title: str | None = None,
    alt: str | None = None,
) -> Figure:
    """Draw how two players move, one panel for each run, with the same axes in all.

    A circle marks the start, a square the end, a cross the point of balance at the origin.

    Args:
        paths: the places of the two players over time by the name of the run, each ``(N, 2)``.
        xlabel: what the first player's number is.
        ylabel: what the second player's number is.
        limit: half the length of all axes.
        fields: for some of the runs, the direction of motion: maps places ``(M, 2)`` to directions
            ``(M, 2)``, drawn as arrows of one length.
        title: above the panels.
        alt: what the picture shows; by default where each path begins and ends.

    Returns:
        The figure.

    Raises:
        ValueError: if there is no path, a path is not ``(N, 2)``, or a field has no path.
    """
    runs = {name: _points(path, f"paths[{name!r}]") for name, path in _some(paths).items()}
    unknown = set(fields or {}) - set(runs)
    if unknown:
        raise ValueError(f"fields are given for {sorted(unknown)}, but the paths are {list(runs)}")
    figure, panels = _panels(list(runs), limit, xlabel, ylabel, title)
    with style():
        for axes, (name, path) in zip(panels, runs.items(), strict=True):
            if fields and name in fields:
                _draw_arrows(axes, fields[name], limit)
            axes.plot(path[:, 0], path[:, 1], color=BLUE, linewidth=1.2, zorder=3)
            axes.plot(*path[0], "o", color=BLUE, markersize=7, zorder=4)
            axes.plot(*path[-1], "s", color=VERMILION, markersize=7, zorder=5)
            axes.plot(0, 0, "+", color=BLACK, markersize=11, zorder=6)
    told = "; ".join(
        f"{name}: from distance {number(float(np.hypot(*path[0])))} to "
        f"{number(float(np.hypot(*path[-1])))}"
        for name, path in runs.items()
    )
    figure.alt = alt or f"{f'{title}: ' if title else ''}paths around the balance. {told}."
    return figure


def _some(runs: Mapping[str, Any]) -> Mapping[str, Any]:
    if not runs:
        raise ValueError("there is nothing to draw; pass at least one run by name")
    return runs


def _points(values: Any, name: str) -> Floats:
    points = as_floats(values, name, ndim=2)
    if points.shape[1] != 2:
        raise ValueError(f"{name} has shape {points.shape}; this figure shows two dimensions")
    return points


def _panels(
    names: list[str], limit: float, xlabel: str, ylabel: str, title: str | None
) -> tuple[Figure, list[Axes]]:
    """Return a figure with one square panel for each name; up to four stand in a row."""
    if not limit > 0:
        raise ValueError(f"limit is {limit}; pass a positive number")
    columns = min(len(names), 4)
    rows = -(-len(names) // columns)
    side = max(2.1, min(3.4, 9.0 / columns))
    figure = Figure(side * columns, (side + 0.5) * rows + (0.3 if title else 0.0))
    with style():
        grid = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
        panels = list(grid.flat)
        for spare in panels[len(names) :]:
            spare.set_visible(False)
        for axes, name in zip(panels, names, strict=False):
            axes.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal", xlabel=xlabel)
            axes.set_title(name, fontsize=9)
        for row in grid:
            row[0].set_ylabel(ylabel)
        if title:
            figure.suptitle(title, x=0.01, ha="left", fontsize=10)
    return figure, panels[: len(names)]


def _draw_arrows(axes: Axes, field: Callable[[Any], Any], limit: float) -> None:
    line = 0.92 * limit * np.arange(-_ARROWS, _ARROWS + 1) / _ARROWS  # an exact zero in the middle
    places = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
    arrows = _points(field(places), "the result of a field")
    length = np.hypot(arrows[:, 0], arrows[:, 1])[:, None]
    arrows = arrows / np.where(length > 0, length, 1.0)
    axes.quiver(
        places[:, 0], places[:, 1], arrows[:, 0], arrows[:, 1],
        color=GREY, alpha=0.6, pivot="mid", scale=26, width=0.004, zorder=1,
    )  # fmt: skip
