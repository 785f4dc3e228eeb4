"""Draw two Gaussians in the plane, and beside them what their distance is made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Ellipse

from genimg_course.viz._inputs import Floats, as_floats
from genimg_course.viz.style import BLUE, GREEN, INK, ORANGE, VERMILION, Figure, style

__all__ = ["gaussian_pair"]

# colour, marker and width of the lines: the first law shows even where the second covers it
_LOOKS = ((BLUE, "o", 2.6), (VERMILION, "^", 1.2))
_ROUND_NUMBERS = np.outer(10.0 ** np.arange(-3, 7), (1, 2, 5)).ravel()


def gaussian_pair(
    laws: Mapping[str, tuple[Any, Any, Any]],
    *,
    parts: Mapping[str, float],
    estimates: Any,
    xlabel: str,
    limit: float = 4.0,
    title: str | None = None,
    alt: str | None = None,
) -> Figure:
    """Draw two Gaussians with samples, and their distance in parts beside estimates of it.

    Ellipses stand at one and two standard deviations. The bar adds up the parts of the exact
    distance; each dot below it is one estimate, and a line marks their mean.

    Args:
        laws: name -> mean ``(2,)``, covariance ``(2, 2)``, points ``(N, 2)``; two of them.
        parts: the terms of the exact distance by name, one or two.
        estimates: the distance as it comes out of single samples, ``(R,)``.
        xlabel: name and unit of the distance.
        limit: half the length of the axes of the plane.
        title: above both panels.
        alt: what the picture shows; by default the parts and the mean estimate.

    Returns:
        The figure.

    Raises:
        ValueError: if there are not two laws, shapes do not fit, or there are too many parts.
    """
    if len(laws) != 2 or not 1 <= len(parts) <= 2:
        raise ValueError(f"there are {len(laws)} laws and {len(parts)} parts; pass 2, and 1 or 2")
    found = as_floats(estimates, "estimates", ndim=1)
    figure = Figure(6.8, 3.6, layout=None)
    with style():
        plane = figure.add_axes((0.07, 0.14, 0.39, 0.737))
        for (name, law), look in zip(laws.items(), _LOOKS, strict=True):
            _draw_law(plane, name, law, *look)
        plane.set(xlim=(-limit, limit), ylim=(-limit, limit), xlabel="$x_1$", ylabel="$x_2$")
        plane.legend(loc="upper left", fontsize=8)
        _draw_bill(figure.add_axes((0.60, 0.14, 0.38, 0.737)), parts, found, xlabel)
        if title:
            figure.suptitle(title, x=0.02, ha="left", fontsize=10)
    bill = " + ".join(f"{name} {value:.2f}" for name, value in parts.items())
    told = (
        f"exact {sum(parts.values()):.2f} = {bill}; {len(found)} estimates from {found.min():.2f} "
        f"to {found.max():.2f}, mean {found.mean():.2f}."
    )
    figure.alt = alt or f"{f'{title}: ' if title else ''}{' and '.join(laws)}. {xlabel}: {told}"
    return figure


def _draw_law(
    axes: Axes, name: str, law: tuple[Any, Any, Any], colour: str, marker: str, width: float
) -> None:
    mean, points = as_floats(law[0], f"mean of {name}", ndim=1), as_floats(law[2], name, ndim=2)
    cov = as_floats(law[1], f"covariance of {name}", ndim=2)
    if (mean.shape, cov.shape, points.shape[1]) != ((2,), (2, 2), 2):
        raise ValueError(
            f"{name} has shapes {mean.shape}, {cov.shape} and {points.shape}; "
            "this figure shows two dimensions"
        )
    variances, directions = np.linalg.eigh(cov)
    turned = float(np.degrees(np.arctan2(directions[1, 1], directions[0, 1])))
    long, short = np.sqrt(variances.clip(min=0))[::-1]
    for deviations, dash in ((1, "-"), (2, "--")):
        axes.add_patch(
            Ellipse(
                (mean[0], mean[1]), 2 * deviations * long, 2 * deviations * short, angle=turned,
                fill=False, edgecolor=colour, linestyle=dash, linewidth=width,
            )
        )  # fmt: skip
    size = float(np.clip(1200 / len(points), 3, 18))
    axes.scatter(
        points[:, 0], points[:, 1], s=size, c=colour, marker=marker, alpha=0.5, linewidths=0,
        label=name,
    )  # fmt: skip


def _draw_bill(axes: Axes, parts: Mapping[str, float], found: Floats, xlabel: str) -> None:
    left = 0.0
    for (name, value), colour in zip(parts.items(), (ORANGE, GREEN), strict=False):
        axes.barh(1, value, left=left, height=0.3, color=colour, label=f"{name} {value:.2f}")
        left += value
    spread = 0.12 * np.sin(7.0 * np.arange(len(found)))  # dots that would lie upon each other
    mean = float(found.mean())
    axes.plot(found, spread, "o", color=INK, alpha=0.3, markersize=4, markeredgewidth=0)
    axes.plot([mean, mean], [-0.25, 0.25], color=INK, label=f"mean estimate {mean:.2f}")
    axes.plot([left, left], [-0.3, 1.2], ":", color=INK, linewidth=1, zorder=0)
    end = max(left, float(found.max()))
    axes.set(xlim=(0, _ROUND_NUMBERS[np.searchsorted(_ROUND_NUMBERS, end)]), ylim=(-0.5, 2.1))
    axes.set_xlabel(xlabel)
    axes.set_yticks([0, 1], ["estimates", "exact"])
    axes.grid(visible=False, axis="y")
    axes.legend(loc="upper left", fontsize=8)
