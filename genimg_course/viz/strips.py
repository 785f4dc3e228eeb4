"""Draw quantities of different units below each other, over one axis, with a cursor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from genimg_course.viz._axes import number
from genimg_course.viz._inputs import Floats, as_floats, as_limits
from genimg_course.viz.style import INK, Figure, style

__all__ = ["strips"]

_CHART = 4.2  # width of a strip in inches


def strips(
    x: Any,
    series: Mapping[str, Mapping[str, Any]],
    *,
    xlabel: str,
    cursor: float | None = None,
    limits: Mapping[str, Sequence[float]] | None = None,
    title: str | None = None,
    alt: str | None = None,
) -> Figure:
    """Draw functions of one variable, one low strip for each unit.

    Args:
        x: places on the horizontal axis in rising order, ``(N,)``.
        series: for each strip the name and unit of its vertical axis, and the values by name, each
            ``(N,)``.
        xlabel: name and unit of ``x``.
        cursor: a place on the horizontal axis; a line marks it in all strips, and dots mark the
            values at the nearest place of ``x``.
        limits: range of the vertical axis, ``(low, high)``, for some of the strips; give it where
            it has a meaning, as (0, 1) for shares.
        title: above the strips.
        alt: what the picture shows; by default the values at the cursor, or else the last ones.

    Returns:
        The figure.

    Raises:
        ValueError: if there is no strip, lengths differ, values are not finite, or limits are
            given for a strip that is not there.

    >>> strips([0, 9], {"share": {"right": [0.1, 0.9]}}, xlabel="step", cursor=0).alt
    'At step 0: right 0.1 (share).'
    """
    places = as_floats(x, "x", ndim=1)
    values = {unit: _of_length(lines, len(places), unit) for unit, lines in series.items()}
    if not values or not all(values.values()):
        raise ValueError(f"series is {dict(series)}; pass at least one line for each strip")
    unknown = set(limits or {}) - set(values)
    if unknown:
        raise ValueError(
            f"limits are given for {sorted(unknown)}, but the strips are {list(values)}"
        )
    at = len(places) - 1 if cursor is None else int(np.abs(places - cursor).argmin())

    names = [name for lines in values.values() for name in lines]
    figure, every = _empty(len(values), longest=max(map(len, names)), titled=bool(title))
    with style():
        for axes, (unit, lines) in zip(every, values.items(), strict=True):
            axes.set_ylabel(unit)
            axes.yaxis.set_label_coords(-0.45 / _CHART, 0.5)
            for name, y in lines.items():
                (line,) = axes.plot(places, y, label=name)
                if cursor is not None:
                    axes.plot(
                        places[at], y[at], "o", color=line.get_color(), markersize=6, clip_on=False
                    )
            if cursor is not None:
                axes.axvline(cursor, color=INK, linewidth=1.0, zorder=1)
            if all(float(each).is_integer() for y in lines.values() for each in y):
                axes.yaxis.set_major_locator(MaxNLocator("auto", integer=True))  # counts
            if limits and unit in limits:
                axes.set_ylim(as_limits(limits[unit], f"limits[{unit!r}]"))
            axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
        every[-1].set_xlabel(xlabel)
        every[0].set_title(title or "")
    told = "; ".join(
        f"{name} {number(y[at])} ({unit})"
        for unit, lines in values.items()
        for name, y in lines.items()
    )
    figure.alt = alt or f"{f'{title}. ' if title else ''}At {xlabel} {number(places[at])}: {told}."
    return figure


def _empty(count: int, *, longest: int, titled: bool) -> tuple[Figure, list[Axes]]:
    """Return a figure with strips, placed by hand: a layout engine would double the time."""
    left, right = 0.7, 0.6 + 0.075 * longest  # inches around the strips
    top, bottom = 0.35 if titled else 0.12, 0.5
    width, height = left + _CHART + right, top + 0.95 * count + bottom
    figure = Figure(width, height, layout=None)
    edges = {"left": left / width, "right": 1 - right / width}
    edges |= {"bottom": bottom / height, "top": 1 - top / height, "hspace": 0.2}
    with style():
        grid = figure.subplots(count, 1, sharex=True, squeeze=False, gridspec_kw=edges)
    return figure, list(grid[:, 0])


def _of_length(lines: Mapping[str, Any], count: int, unit: str) -> dict[str, Floats]:
    """Return the lines of a strip as arrays, if each has as many values as there are places."""
    found = {name: as_floats(y, f"series[{unit!r}][{name!r}]", ndim=1) for name, y in lines.items()}
    for name, y in found.items():
        if len(y) != count:
            raise ValueError(
                f"series[{unit!r}][{name!r}] has {len(y)} values for {count} places on the axis"
            )
    return found
