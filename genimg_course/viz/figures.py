"""Draw numbers: training curves, functions of one variable, and bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.ticker import MaxNLocator

from genimg_course.viz._axes import chart, draw_legend, draw_references, number
from genimg_course.viz._inputs import Floats, as_floats, as_limits
from genimg_course.viz.style import GREY, PALETTE, Figure, style

__all__ = ["bars", "curves", "lines"]

_MARKERS = "os^Dv"


def curves(
    history: Mapping[str, Sequence[Any]],
    *,
    names: Sequence[str] | None = None,
    title: str | None = None,
    ylabel: str = "nats",
    ylim: Sequence[float] | None = None,
    reference: Mapping[str, float] | None = None,
    smooth: int | None = None,
    alt: str | None = None,
) -> Figure:
    """Draw what a training run recorded against its steps.

    A long, noisy record is drawn twice: faintly as it is, and in full colour as its mean over a
    window, whose length stands below the figure. A value that is not finite leaves a gap, and a
    dotted line marks the first one.

    Args:
        history: ``"step"`` and the recorded values by name, lists of one length.
        names: which of them to draw, in this order; by default all.
        title: above the axes.
        ylabel: name and unit of the values.
        ylim: range of the vertical axis, ``(low, high)``; by default that of the values.
        reference: values that are known in advance, by name; drawn as dashed lines.
        smooth: length of the window; by default a 40th of 200 values or more, else 1.
        alt: what the picture shows; by default where each curve begins and ends.

    Returns:
        The figure.

    Raises:
        ValueError: if ``"step"`` or a name is missing, lengths differ, or ``smooth`` is below 1.

    >>> curves({"step": [1, 2, 3], "kl": [9.0, 5.0, 4.0]}).alt
    'nats against step (1 to 3). kl: from 9 to 4.'
    """
    if "step" not in history:
        raise ValueError(f"history has no 'step', only {list(history)}; record the step as well")
    steps = as_floats(history["step"], "history['step']", ndim=1)
    chosen = [name for name in history if name != "step"] if names is None else list(names)
    missing = [name for name in chosen if name not in history]
    if missing or not chosen:
        raise ValueError(f"history has no {missing or 'curves'}; it has {list(history)}")
    values = {n: as_floats(history[n], f"history[{n!r}]", ndim=1, finite=False) for n in chosen}
    _same_length(steps, values)
    window = (max(1, len(steps) // 40) if len(steps) >= 200 else 1) if smooth is None else smooth
    if window < 1:
        raise ValueError(f"smooth is {window}; pass the number of values to average, 1 or more")

    figure, axes = chart("step", ylabel, title, ylim=ylim)
    with style():
        for name, y in values.items():
            (line,) = axes.plot(steps, _moving_mean(y, window), label=name, zorder=3)
            if window > 1:
                axes.plot(steps, y, color=line.get_color(), alpha=0.25, linewidth=0.7)
            broken = steps[~np.isfinite(y)]
            if len(broken):
                label = f"{name} not finite"
                axes.axvline(broken[0], color=line.get_color(), linestyle=":", label=label)
        if window > 1:
            axes.set_xlabel(f"step (full lines: mean over {window} records)")
        draw_references(axes, reference)
        draw_legend(figure, axes)
    figure.alt = alt or _tell(figure, values, f"{ylabel} against step", steps)
    return figure


def lines(
    x: Any,
    series: Mapping[str, Any],
    *,
    xlabel: str,
    ylabel: str,
    title: str | None = None,
    xlim: Sequence[float] | None = None,
    ylim: Sequence[float] | None = None,
    xscale: str = "linear",
    yscale: str = "linear",
    reference: Mapping[str, float] | None = None,
    markers: bool = False,
    alt: str | None = None,
) -> Figure:
    """Draw functions of one variable.

    Args:
        x: places on the horizontal axis, ``(N,)``.
        series: values by name, each ``(N,)``.
        xlabel: name and unit of ``x``.
        ylabel: name and unit of the values.
        title: above the axes.
        xlim: range of the horizontal axis.
        ylim: range of the vertical axis; give it where it has a meaning, as (0, 1) for shares.
        xscale: ``"linear"`` or ``"log"``.
        yscale: ``"linear"`` or ``"log"``.
        reference: values that are known in advance, by name; drawn as dashed lines.
        markers: mark the single measurements.
        alt: what the picture shows; by default where each line begins and ends.

    Returns:
        The figure.

    Raises:
        ValueError: if lengths differ, values are not finite, or a log axis meets values <= 0.
    """
    if not series:
        raise ValueError("there are no series; pass at least one, for example {'loss': values}")
    places = as_floats(x, "x", ndim=1)
    values = {name: as_floats(y, f"series[{name!r}]", ndim=1) for name, y in series.items()}
    _same_length(places, values)
    _check_scale(xscale, "xscale", [places])
    _check_scale(yscale, "yscale", list(values.values()))
    figure, axes = chart(xlabel, ylabel, title, xlim=xlim, ylim=ylim)
    with style():
        axes.set_xscale(xscale)
        axes.set_yscale(yscale)
        for axis, scale in ((axes.xaxis, xscale), (axes.yaxis, yscale)):
            if scale == "log":
                axis.set_major_formatter("{x:g}")
        if xscale == "linear" and all(float(place).is_integer() for place in places):
            # whole numbers have nothing between them; "auto" is matplotlib's own choice of how many
            axes.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
        for i, (name, y) in enumerate(values.items()):
            marker = _MARKERS[i % len(_MARKERS)] if markers else None
            axes.plot(places, y, label=name, marker=marker, markersize=5)
        draw_references(axes, reference)
        draw_legend(figure, axes)
    figure.alt = alt or _tell(figure, values, f"{ylabel} against {xlabel}", places)
    return figure


def bars(
    values: Mapping[str, float],
    *,
    xlabel: str,
    ylabel: str,
    title: str | None = None,
    ylim: Sequence[float] | None = None,
    errors: Mapping[str, float] | None = None,
    reference: Mapping[str, float] | None = None,
    alt: str | None = None,
) -> Figure:
    """Compare single numbers by the heights of bars that start at zero.

    Args:
        values: one number for each name.
        xlabel: what the names are.
        ylabel: name and unit of the numbers.
        title: above the axes.
        ylim: range of the vertical axis; it must contain 0.
        errors: half the length of an error bar for each name.
        reference: values that are known in advance, by name; drawn as dashed lines.
        alt: what the picture shows; by default the numbers.

    Returns:
        The figure.

    Raises:
        ValueError: if a number is not finite, an error has no bar, or ``ylim`` leaves out 0.

    >>> bars({"VAE": 51.7, "AE": 60}, xlabel="model", ylabel="negative ELBO / nats").alt
    'negative ELBO / nats by model. VAE: 51.7; AE: 60.'
    """
    heights = as_floats(list(values.values()), "values", ndim=1)
    limits = as_limits(ylim, "ylim")
    if limits and not limits[0] <= 0 <= limits[1]:
        raise ValueError(f"ylim is {limits}; bars start at 0, so include it or use lines")
    if errors is not None and set(errors) != set(values):
        raise ValueError(f"errors are for {sorted(errors)}, but the bars are {sorted(values)}")
    spread = as_floats([errors[k] for k in values], "errors", ndim=1) if errors else None
    figure, axes = chart(xlabel, ylabel, title, ylim=ylim)
    with style():
        drawn = axes.bar(
            list(values), heights, width=0.62, color=PALETTE[0], yerr=spread, capsize=4
        )
        axes.bar_label(drawn, [number(h) for h in heights], padding=3, fontsize=8.5)
        axes.grid(visible=False, axis="x")
        axes.axhline(0, color=GREY, linewidth=0.8)
        if limits is None:
            axes.margins(y=0.12)
        if max(map(len, values)) * len(values) > 70:
            for label in axes.get_xticklabels():
                label.set(rotation=30, ha="right", rotation_mode="anchor")
        draw_references(axes, reference)
        draw_legend(figure, axes)
    numbers = "; ".join(f"{name}: {number(value)}" for name, value in values.items())
    figure.alt = alt or f"{title or f'{ylabel} by {xlabel}'}. {numbers}."
    return figure


def _same_length(x: Floats, values: Mapping[str, Floats]) -> None:
    lengths = {name: len(y) for name, y in values.items()}
    if set(lengths.values()) != {len(x)}:
        raise ValueError(f"{lengths} values do not fit {len(x)} places on the horizontal axis")


def _check_scale(scale: str, name: str, arrays: Sequence[Floats]) -> None:
    if scale not in ("linear", "log"):
        raise ValueError(f"{name} is {scale!r}; pass 'linear' or 'log'")
    lowest = min(float(a.min()) for a in arrays)
    if scale == "log" and lowest <= 0:
        raise ValueError(f"{name} is 'log', but a value is {lowest:.3g}; it needs values above 0")


def _moving_mean(y: Floats, window: int) -> Floats:
    """Return the mean over a centred window, shorter at the ends; gaps stay gaps."""
    kernel = np.ones(min(window, len(y)))
    good = np.isfinite(y)
    total = np.convolve(np.where(good, y, 0.0), kernel, mode="same")
    count = np.convolve(good.astype(float), kernel, mode="same")
    return np.where(good, total / np.maximum(count, 1), np.nan)


def _tell(figure: Figure, values: Mapping[str, Floats], what: str, x: Floats) -> str:
    """Describe lines by where they begin and end."""
    title = figure.axes[0].get_title(loc="left")
    parts = []
    for name, y in values.items():
        good = y[np.isfinite(y)]
        ends = f"from {number(good[0])} to {number(good[-1])}" if len(good) else "never finite"
        parts.append(f"{name}: {ends}")
    begin = f"{title}: {what}" if title else what
    return f"{begin} ({number(x[0])} to {number(x[-1])}). {'; '.join(parts)}."
