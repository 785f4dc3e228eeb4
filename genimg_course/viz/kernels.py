"""Draw what one position of a kernel reads, or paints: the grids before and after a convolution."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from genimg_course.viz.style import GREY, INK, Figure, style

__all__ = ["kernel_grids"]

Cells = NDArray[np.int64]

# what a cell is, by number: in the margin or a pixel, touched by any position or by the chosen one
_READS = ("padding", "pixel, never read", "pixel", "kernel on padding", "kernel and its result")
_PAINTS = ("cut off", "pixel, never painted", "pixel", "paint, cut off", "paint and its source")
_MARGIN, _UNTOUCHED, _PIXEL, _TAP_OUTSIDE, _TAP = range(5)
_FILLS = ("#B8B8B8", "#FFFFFF", "#CFE6F5", "#F9DDC0", "#E69F00")
_GAP = 0.16  # between the two grids, as a share of the larger one


def kernel_grids(
    input_size: int,
    output_size: int,
    *,
    kernel_size: int,
    stride: int = 1,
    padding: int = 0,
    dilation: int = 1,
    transposed: bool = False,
    place: tuple[int, int] = (0, 0),
    title: str = "",
) -> Figure:
    """Draw input and output of a convolution cell by cell, with the kernel at one place.

    An ordinary convolution reads: the place is a pixel of the output, and the taps lie on the
    padded input. A transposed one paints: the place is a pixel of the input, and the taps lie on
    the output with the margin that is cut off. The figure has one size whatever the grids have, so
    that a picture behind sliders does not jump.

    Args:
        input_size: length of the input's side, in pixels.
        output_size: length of the output's side; 0 draws the input alone.
        kernel_size: length of the kernel's side.
        stride: pixels from one position of the kernel to the next.
        padding: pixels added to the input, or cut off the output, at each end.
        dilation: pixels from one tap to the next.
        transposed: paint instead of reading.
        place: row and column, from 0; beyond the last pixel the last one is taken.
        title: above the grids.

    Returns:
        The figure; its description names the rows and columns of the taps.

    Raises:
        ValueError: if the kernel leaves the padded grid at some position.

    >>> kernel_grids(4, 2, kernel_size=2, stride=2, title="4 to 2").alt
    '4 to 2. Row 0, column 0 of the output: the kernel is on rows 0, 1 and columns 0, 1 of the \
input, counted with the padding. 0 of its 4 taps fall on padding.'
    """
    reading, kinds = not transposed, _PAINTS if transposed else _READS
    if output_size == 0:
        alone = np.pad(np.full((input_size, input_size), _PIXEL), padding * reading)
        name = f"input {_squared(input_size)}{_margin(len(alone), padding * reading, reading)}"
        return _drawn({name: alone}, kinds, title, title)
    few, many = (output_size, input_size) if reading else (input_size, output_size)
    wide = many + 2 * padding
    taps = stride * np.arange(few)[:, None] + dilation * np.arange(kernel_size)  # (few, kernel)
    if taps.max() >= wide:
        raise ValueError(
            f"{few} positions of a kernel of {kernel_size} need {taps.max() + 1} pixels a side, "
            f"but there are {wide}"
        )
    i, j = (min(max(at, 0), few - 1) for at in place)
    large, small = _large_grid(taps, i, j, wide, padding), np.full((few, few), _PIXEL)
    small[i, j] = _TAP
    ends = "input", "output"
    grids = {f"{ends[transposed]} {_squared(many)}{_margin(wide, padding, reading)}": large}
    grids = {**grids, f"{ends[reading]} {_squared(few)}": small}
    if transposed:
        grids = dict(reversed(grids.items()))
    rows, columns = (", ".join(map(str, taps[at])) for at in (i, j))
    lost = int((large == _TAP_OUTSIDE).sum())
    told = (
        f"Row {i}, column {j} of the {ends[reading]}: the kernel is on rows {rows} and columns "
        f"{columns} of the {ends[transposed]}, counted with the "
        f"{'padding' if reading else 'margin'}. {lost} of its {kernel_size**2} taps "
        f"{'fall on padding' if reading else 'are cut off'}."
    )
    alt = f"{title}. {told}" if title else told
    return _drawn(grids, kinds, title, alt)


def _large_grid(taps: Cells, i: int, j: int, wide: int, padding: int) -> Cells:
    """Number the cells of the padded grid, ``(wide, wide)``."""
    side = np.arange(wide)
    pixel = (padding <= side) & (side < wide - padding)
    inside = np.logical_and.outer(pixel, pixel)
    touched = np.logical_and.outer(*2 * [np.isin(side, taps)])
    tap = np.logical_and.outer(np.isin(side, taps[i]), np.isin(side, taps[j]))
    quiet = np.where(inside, np.where(touched, _PIXEL, _UNTOUCHED), _MARGIN)
    return np.where(tap, np.where(inside, _TAP, _TAP_OUTSIDE), quiet)


def _squared(side: int) -> str:
    return f"{side} × {side}"


def _margin(wide: int, padding: int, reading: bool) -> str:
    if not padding:
        return ""
    return f", padded to {_squared(wide)}" if reading else f", cut out of {_squared(wide)}"


def _drawn(grids: dict[str, Cells], kinds: tuple[str, ...], title: str, alt: str) -> Figure:
    height = max(map(len, grids.values()))
    figure = Figure(6.6, 3.9, alt=alt, layout=None)
    with style():
        axes = figure.add_axes((0.02, 0.14, 0.96, 0.72))
        left = 0.0
        for name, cells in grids.items():
            _draw_grid(axes, cells, left, (height - len(cells)) / 2, name)
            left += len(cells) + _GAP * height
        axes.set(xlim=(-0.1, left - _GAP * height + 0.1), ylim=(height + 0.1, -0.1), aspect="equal")
        axes.set_axis_off()
        shown = np.unique(np.concatenate([cells.ravel() for cells in grids.values()]))
        marks = [_mark(kind, kinds[kind]) for kind in shown]
        figure.legend(handles=marks, loc="lower left", ncols=3, fontsize=8.5)
        figure.suptitle(title, x=0.02, ha="left", fontsize=10)
    return figure


def _draw_grid(axes: Axes, cells: Cells, left: float, top: float, name: str) -> None:
    side = len(cells)
    edges = (left, left + side, top + side, top)
    axes.imshow(
        cells, cmap=ListedColormap(_FILLS), vmin=0, vmax=len(_FILLS) - 1, extent=edges, zorder=1
    )
    between = np.arange(side + 1)
    axes.hlines(top + between, left, left + side, colors=GREY, linewidth=0.5, zorder=2)
    axes.vlines(left + between, top, top + side, colors=GREY, linewidth=0.5, zorder=2)
    i, j = np.nonzero(cells >= _TAP_OUTSIDE)  # a dot tells the kernel without colours
    axes.plot(left + j + 0.5, top + i + 0.5, ".", color=INK, markersize=3, zorder=3)
    axes.annotate(name, (left, top), (0, 4), textcoords="offset points", fontsize=9)


def _mark(kind: int, name: str) -> Line2D:
    """Return the entry of a kind in the legend."""
    edge = INK if kind >= _TAP_OUTSIDE else GREY
    return Line2D(
        [], [], linestyle="", marker="s", markersize=9, label=name,
        markerfacecolor=_FILLS[kind], markeredgecolor=edge, markeredgewidth=0.6,
    )  # fmt: skip
