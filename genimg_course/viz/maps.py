"""Draw planes: matrices as colours, and latent spaces of two dimensions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.patches import Circle

from genimg_course.viz._axes import chart, number
from genimg_course.viz._inputs import Floats, as_floats, as_limits
from genimg_course.viz.style import INK, PALETTE, Figure, style

__all__ = ["heatmap", "latent_scatter"]

_CLASS_COLOURS = (*PALETTE[:6], "#4D4D4D", "#A8A032", "#882255", "#44AA99")
_MARKERS = "os^Dv"


def heatmap(
    values: Any,
    *,
    xlabel: str,
    ylabel: str,
    colour_label: str,
    columns: Sequence[object] | None = None,
    rows: Sequence[object] | None = None,
    limits: Sequence[float] | None = None,
    title: str | None = None,
    alt: str | None = None,
) -> Figure:
    """Draw a matrix as colours, with its numbers written in where there is room.

    Args:
        values: the matrix, ``(R, K)``; the first row is at the top.
        xlabel: what the columns are.
        ylabel: what the rows are.
        colour_label: name and unit of the values.
        columns: names of the K columns; by default 0, 1, ...
        rows: names of the R rows; by default 0, 1, ...
        limits: values of the first and the last colour; give them where they have a meaning, as
            (0, 1) for shares. If they are opposite numbers, 0 is white and the sign shows.
        title: above the axes.
        alt: what the picture shows; by default the size and the extremes of the matrix.

    Returns:
        The figure.

    Raises:
        ValueError: if the matrix is not finite or the names do not fit.
    """
    matrix = as_floats(values, "values", ndim=2)
    span = as_limits(limits, "limits") or (float(matrix.min()), float(matrix.max()))
    height, width = matrix.shape
    names_x = _tick_names(columns, "columns", width)
    names_y = _tick_names(rows, "rows", height)
    map_name = "PuOr_r" if limits is not None and span[0] == -span[1] else "cividis"

    figure, axes = chart(xlabel, ylabel, title, height=min(6.0, max(2.6, 1.2 + 0.36 * height)))
    with style():
        picture = axes.imshow(
            matrix,
            cmap=map_name,
            vmin=span[0],
            vmax=span[1],
            aspect="auto",
            interpolation="nearest",
        )
        axes.grid(visible=False)
        axes.spines[:].set_visible(False)
        axes.set_xticks(range(0, width, _stride(width)), names_x[:: _stride(width)])
        axes.set_yticks(range(0, height, _stride(height)), names_y[:: _stride(height)])
        figure.colorbar(picture, ax=axes, label=colour_label).outline.set_visible(False)
        if height <= 12 and width <= 12:
            shades = picture.to_rgba(matrix)
            digits = 2 if np.abs(matrix).max() < 10 else 0
            for (i, j), value in np.ndenumerate(matrix):
                colour = _readable_on(shades[i, j])
                axes.text(
                    j, i, f"{value:.{digits}f}", ha="center", va="center", color=colour, size=8
                )
    text = f"{colour_label} for {height} rows ({ylabel}) and {width} columns ({xlabel})"
    extremes = f"from {number(matrix.min())} to {number(matrix.max())}"
    figure.alt = alt or f"{f'{title}: ' if title else ''}{text}, {extremes}."
    return figure


def latent_scatter(
    z: Any,
    labels: Any = None,
    *,
    names: Sequence[object] | None = None,
    limit: float = 4.0,
    prior: bool = True,
    xlabel: str = "$z_1$",
    ylabel: str = "$z_2$",
    marks: Mapping[str, Sequence[float]] | None = None,
    title: str | None = None,
    alt: str | None = None,
) -> Figure:
    """Draw codes of two dimensions, coloured and named by their classes.

    The range is always ``[-limit, limit]``, so that pictures can be compared; codes outside are
    counted below the figure. Two dashed circles hold 50 % and 95 % of the prior ``N(0, I)``.

    Args:
        z: codes, ``(N, 2)``.
        labels: classes as whole numbers from 0, ``(N,)``; or ``None``.
        names: names of the classes; by default their numbers.
        limit: half the length of both axes.
        prior: draw the circles.
        xlabel: which latent is on the horizontal axis.
        ylabel: which latent is on the vertical axis.
        marks: single places, ``(x, y)`` by name, at most 2: a cross and a ring, named below.
        title: above the axes.
        alt: what the picture shows; by default the numbers of codes and classes, and the marks.

    Returns:
        The figure.

    Raises:
        ValueError: if the codes are not ``(N, 2)`` and finite, or the labels do not fit.
    """
    codes = as_floats(z, "z", ndim=2)
    if codes.shape[1] != 2:
        raise ValueError(
            f"z has shape {codes.shape}; this figure shows two dimensions, pass z[:, :2]"
        )
    if not limit > 0:
        raise ValueError(f"limit is {limit}; pass a positive number")
    classes = _classes(labels, len(codes))
    present = [int(k) for k in np.unique(classes)]
    if names is not None and len(names) <= present[-1]:
        raise ValueError(f"names has {len(names)} entries, but there is a class {present[-1]}")
    outside = int((np.abs(codes) > limit).any(axis=1).sum())

    note = f"\n{outside} of {len(codes)} codes lie outside" if outside else ""
    figure, axes = chart(f"{xlabel}{note}", ylabel, title, width=4.8, height=4.8)
    with style():
        axes.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal")
        size = float(np.clip(9000 / len(codes), 5, 24))
        for k in present:
            marker = _MARKERS[k // len(_CLASS_COLOURS) % len(_MARKERS)]
            colour = _CLASS_COLOURS[k % len(_CLASS_COLOURS)]
            spots = codes[classes == k]
            axes.scatter(
                spots[:, 0], spots[:, 1], s=size, c=colour, marker=marker, alpha=0.55, linewidths=0
            )
        for radius in np.sqrt(-2 * np.log([0.5, 0.05])) if prior else ():
            axes.add_patch(Circle((0, 0), radius, fill=False, color=INK, linestyle="--", lw=0.9))
        for k in present if labels is not None else ():
            x, y = np.clip(np.median(codes[classes == k], axis=0), -limit, limit)
            name = str(names[k] if names is not None else k)
            text = axes.text(x, y, name, ha="center", va="center", size=11, weight="bold")
            text.set_path_effects([patheffects.withStroke(linewidth=3, foreground="white")])
        told = _draw_marks(figure, axes, marks or {})
    groups = f" in {len(present)} classes" if labels is not None else ""
    circles = " Dashed circles hold 50 % and 95 % of the prior." if prior else ""
    shown = f"{len(codes)} codes{groups} in two dimensions, {outside} of them out of view."
    figure.alt = alt or f"{f'{title}: ' if title else ''}{shown}{circles}{told}"
    return figure


def _draw_marks(figure: Figure, axes: Axes, marks: Mapping[str, Sequence[float]]) -> str:
    """Draw a cross and a ring at single places, name them, and say in words where they are."""
    if len(marks) > 2:
        raise ValueError(f"marks are {list(marks)}; this figure shows at most two")
    looks = (("P", INK, "white"), ("o", "none", INK))  # marker, fill, edge
    for (name, place), (marker, fill, edge) in zip(marks.items(), looks, strict=False):
        x, y = as_floats(place, f"marks[{name!r}]", ndim=1)
        axes.scatter(
            x,
            y,
            s=110,
            marker=marker,
            c=fill,
            edgecolors=edge,
            linewidths=1.4,
            label=name,
            zorder=4,
        )
    if not marks:
        return ""
    figure.legend(loc="outside lower center", ncols=2)
    told = "; ".join(f"{name} at ({number(x)}, {number(y)})" for name, (x, y) in marks.items())
    return f" Across {axes.get_xlabel()}, up {axes.get_ylabel()}: {told}."


def _tick_names(names: Sequence[object] | None, what: str, count: int) -> list[str]:
    if names is not None and len(names) != count:
        raise ValueError(f"{what} has {len(names)} names, but the matrix has {count} {what}")
    return [str(name) for name in (range(count) if names is None else names)]


def _stride(count: int) -> int:
    return max(1, -(-count // 16))


def _readable_on(colour: Any) -> str:
    red, green, blue = colour[:3]
    return INK if 0.299 * red + 0.587 * green + 0.114 * blue > 0.5 else "white"


def _classes(labels: Any, count: int) -> Floats:
    """Return one class number for each code; all 0 without labels."""
    if labels is None:
        return np.zeros(count)
    classes = as_floats(labels, "labels", ndim=1)
    if len(classes) != count:
        raise ValueError(f"there are {len(classes)} labels for {count} codes")
    if (classes < 0).any() or (classes != np.rint(classes)).any():
        raise ValueError("labels must be whole numbers from 0 on, one class for each code")
    return classes
