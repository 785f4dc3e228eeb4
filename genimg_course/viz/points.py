"""Draw points in the plane: sets side by side, or on the field of what judges them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from matplotlib.colors import LinearSegmentedColormap

from genimg_course.viz._inputs import Floats, as_floats
from genimg_course.viz.style import BLUE, INK, ORANGE, PALETTE, YELLOW, Figure, style

__all__ = ["point_field", "point_panels"]

_MOST_PANELS = 4
_FIELD_SIDE = 81


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
    points = {name: _in_the_plane(values, f"sets[{name!r}]") for name, values in sets.items()}
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


def point_field(
    field: Callable[[Any], Any],
    *,
    real: Any,
    generated: Any,
    colour_label: str,
    limit: float = 3.0,
    title: str | None = None,
    alt: str | None = None,
) -> Figure:
    """Draw what a discriminator says of every place, with real and generated points on top.

    Blue is 1 (real), orange is 0 (generated), white is 1/2; a line runs where it is 1/2. The
    colours mean the same in every picture. Real points are dark crosses, generated ones yellow.

    Args:
        field: maps places ``(M, 2)``, a float64 array, to values ``(M,)`` in ``[0, 1]``.
        real: points of the data, ``(N, 2)``.
        generated: points of the generator, ``(N', 2)``.
        colour_label: what the values are.
        limit: half the length of the axes; points outside are not seen.
        title: above the axes.
        alt: what the picture shows; by default the mean value at both kinds of points.

    Returns:
        The figure.

    Raises:
        ValueError: if points are not ``(N, 2)``, or values are not one for each place in [0, 1].
    """
    sets = {"real": _in_the_plane(real, "real"), "generated": _in_the_plane(generated, "generated")}
    line = np.linspace(-limit, limit, _FIELD_SIDE)
    values = _shares(field, np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2))
    plane = values.reshape(_FIELD_SIDE, _FIELD_SIDE)

    # placed by hand: a layout engine would double the time, and a slider redraws this picture
    figure = Figure(4.8, 4.6, layout=None)
    with style():
        axes = figure.add_axes((0.55 / 4.8, 0.85 / 4.6, 3.4 / 4.8, 3.4 / 4.6))
        scale = figure.add_axes((4.05 / 4.8, 0.85 / 4.6, 0.14 / 4.8, 3.4 / 4.6))
        blend = LinearSegmentedColormap.from_list("generated to real", [ORANGE, "white", BLUE])
        picture = axes.imshow(
            plane, cmap=blend, vmin=0, vmax=1, origin="lower", alpha=0.75,
            extent=(-limit, limit, -limit, limit), interpolation="bilinear",
        )  # fmt: skip
        axes.grid(visible=False)
        if plane.min() < 0.5 < plane.max():
            axes.contour(line, line, plane, levels=[0.5], colors=[INK], linewidths=0.9)
        x, y = sets["real"].T
        axes.scatter(x, y, s=14, c=INK, marker="x", label="real")
        x, y = sets["generated"].T
        axes.scatter(x, y, s=9, c=YELLOW, edgecolors=INK, linewidths=0.4, label="generated")
        axes.set(xlim=(-limit, limit), ylim=(-limit, limit), xlabel="$x_1$", ylabel="$x_2$")
        axes.set_title(title or "")
        figure.colorbar(picture, cax=scale, label=colour_label).outline.set_visible(False)
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.13), ncols=2)
    means = {name: float(_shares(field, points).mean()) for name, points in sets.items()}
    told = ", ".join(f"{mean:.2f} at {name} points" for name, mean in means.items())
    figure.alt = alt or f"{f'{title}: ' if title else ''}{colour_label}, on average {told}."
    return figure


def _in_the_plane(values: Any, name: str) -> Floats:
    points = as_floats(values, name, ndim=2)
    if points.shape[1] != 2:
        raise ValueError(f"{name} has shape {points.shape}; points in the plane are (N, 2)")
    return points


def _shares(field: Callable[[Any], Any], places: Floats) -> Floats:
    values = as_floats(field(places), "the result of the field", ndim=1)
    if len(values) != len(places):
        raise ValueError(f"the field returned {len(values)} values for {len(places)} places")
    if values.min() < 0 or values.max() > 1:
        raise ValueError(
            f"the field has values from {values.min():.3g} to {values.max():.3g}; "
            "pass probabilities, such as the sigmoid of logits"
        )
    return values
