"""What all charts share: labelled axes, a legend that hides nothing, the way to write numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes

from genimg_course.viz._inputs import as_limits
from genimg_course.viz.style import INK, Figure, style

__all__ = ["chart", "draw_legend", "draw_references", "number"]


def chart(
    xlabel: str,
    ylabel: str,
    title: str | None,
    *,
    xlim: Sequence[float] | None = None,
    ylim: Sequence[float] | None = None,
    width: float = 6.0,
    height: float = 3.4,
) -> tuple[Figure, Axes]:
    """Return an empty figure with labelled axes; a chart without labels is refused."""
    for name, label in (("xlabel", xlabel), ("ylabel", ylabel)):
        if not label.strip():
            raise ValueError(f"{name} is empty; say what the axis shows and in which unit")
    figure = Figure(width, height)
    with style():
        axes = figure.add_subplot()
        axes.set(xlabel=xlabel, ylabel=ylabel)
        for limits, name, fix in ((xlim, "xlim", axes.set_xlim), (ylim, "ylim", axes.set_ylim)):
            if limits is not None:  # None would stop the axis from following the data
                fix(as_limits(limits, name))
        if title:
            axes.set_title(title)
    return figure, axes


def draw_references(axes: Axes, reference: Mapping[str, float] | None) -> None:
    """Draw a named dashed line across the axes at each value."""
    for i, (name, value) in enumerate((reference or {}).items()):
        style_of_dash = ("--", "-.", ":")[i % 3]
        axes.axhline(value, color=INK, linestyle=style_of_dash, linewidth=1.1, label=name)


def draw_legend(figure: Figure, axes: Axes) -> None:
    """Name the lines beside the axes, below the title, where the legend can hide nothing."""
    handles, labels = axes.get_legend_handles_labels()
    if handles:
        figure.legend(handles, labels, loc="outside right center")


def number(value: float) -> str:
    """Write a number with about three digits that mean something."""
    return f"{value:.0f}" if 1000 <= abs(value) < 1e6 else f"{value:.3g}"
