"""Show batches of images: a grid, or named rows below each other."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path
from numpy.typing import NDArray

from genimg_course.viz._inputs import Floats, as_images
from genimg_course.viz.style import DPI, INK, Figure, style

__all__ = ["compare_rows", "image_grid"]

_MOST = 400
# lengths below are in dots of the picture; a page shows two dots as one of its pixels
_WIDTH = 6 * DPI
_CELL = DPI * 4 // 3
_GAP = 6
_MARGIN = 16
_LINE = 34
_FRAME = 205  # a hair of light grey around each image, for images that are white at the edge
_SMALL, _LARGE = 8.5, 10.0  # points


def image_grid(
    x: Any,
    *,
    columns: int = 10,
    titles: Sequence[object] | None = None,
    row_labels: Sequence[object] | None = None,
    title: str | None = None,
    alt: str | None = None,
) -> Figure:
    """Draw a batch of images as a grid, row by row; -1 is always black and 1 always white.

    Every pixel becomes a square of whole dots, so nothing is smoothed and nothing is rescaled:
    an image looks the same whatever its neighbours are.

    Args:
        x: images ``(B, C, H, W)`` in ``[-1, 1]``, C = 1 (grey) or 3 (colour), at most 400.
        columns: images in a row.
        titles: one for each column, or one for each image.
        row_labels: one for each row, to its left.
        title: above the grid.
        alt: what the picture shows; by default the number of images and their size.

    Returns:
        The figure.

    Raises:
        ValueError: if the images are not as above, or the numbers of titles or labels do not fit.

    >>> import torch
    >>> image_grid(torch.zeros(12, 1, 16, 16), columns=4).alt
    '12 grey images of 16 x 16 pixels, 3 rows of 4.'
    """
    images = as_images(x)
    if len(images) > _MOST:
        raise ValueError(f"x has {len(images)} images, a grid shows at most {_MOST}: pass x[:100]")
    if columns < 1:
        raise ValueError(f"columns is {columns}; pass 1 or more")
    columns = min(columns, len(images))
    rows = math.ceil(len(images) / columns)
    labels = _texts(row_labels, "row_labels", rows)
    names = _texts(titles, "titles", columns, len(images))
    each = len(names) > columns
    tiles, corners, scale = _tile(images, columns, gap_above=_LINE if each else _GAP)

    left = _MARGIN + (math.ceil(max(map(_text_width, labels))) + 12 if labels else 0)
    top = _MARGIN + (_LINE + 10 if title else 0) + (_LINE if names and not each else 0)
    width = left + max(tiles.shape[1], math.ceil(_text_width(title or "", _LARGE))) + _MARGIN
    height = top + tiles.shape[0] + _MARGIN
    # a quarter of a dot more, or rounding may cost the last row of dots
    figure = Figure((width + 0.25) / DPI, (height + 0.25) / DPI, layout=None)
    figure.alt = alt or _describe(images, rows, columns, title, labels)
    with style():
        axes = figure.add_axes((0, 0, 1, 1))
        axes.imshow(tiles, interpolation="nearest", aspect="auto")
        box = (left, height + 0.25 - top - tiles.shape[0], tiles.shape[1], tiles.shape[0])
        axes.set_position(tuple(np.array(box) / ([width + 0.25, height + 0.25] * 2)))
        axes.grid(visible=False)
        axes.spines[:].set_visible(False)
        axes.tick_params(length=0, pad=3, labeltop=True, labelbottom=False)
        middle = corners + scale * np.array(images.shape[2:]) / 2 - 0.5
        columns_named = names and not each
        axes.set_xticks(
            middle[:columns, 1] if columns_named else [], names if columns_named else []
        )
        axes.set_yticks(middle[::columns, 0] if labels else [], labels)
        for name, corner, (_, centre) in zip(names if each else (), corners, middle, strict=False):
            axes.text(
                centre, corner[0] - 5, name, ha="center", va="bottom", size=_SMALL, clip_on=False
            )
        if title:
            y = 1 - _MARGIN / height
            figure.text((left + _GAP) / width, y, title, va="top", size=_LARGE, color=INK)
    return figure


def compare_rows(
    rows: Mapping[str, Any],
    *,
    titles: Sequence[object] | None = None,
    title: str | None = None,
    alt: str | None = None,
) -> Figure:
    """Draw batches of images below each other, one named row each, so that columns can be compared.

    Args:
        rows: name of the row -> images ``(B, C, H, W)`` in ``[-1, 1]``, all of one shape.
        titles: one for each column.
        title: above the rows.
        alt: what the picture shows; by default the names of the rows and the size of the images.

    Returns:
        The figure.

    Raises:
        ValueError: if there are no rows, the shapes differ, or there are more than 20 columns.
    """
    if not rows:
        raise ValueError("there are no rows; pass at least one, for example {'input': x}")
    batches = {name: as_images(x, name) for name, x in rows.items()}
    shapes = {name: batch.shape for name, batch in batches.items()}
    if len(set(shapes.values())) > 1:
        raise ValueError(f"rows must have one shape, but they have {shapes}")
    columns = len(next(iter(batches.values())))
    if columns > 20:
        raise ValueError(f"a row has {columns} images, which is too wide a page: pass x[:10]")
    everything = np.concatenate(list(batches.values()))
    return image_grid(
        everything, columns=columns, titles=titles, row_labels=list(batches), title=title, alt=alt
    )


def _tile(
    images: Floats, columns: int, gap_above: int
) -> tuple[NDArray[np.uint8], NDArray[np.int64], int]:
    """Return the page ``(H', W', 3)``, the top left corner of each image, and dots per pixel."""
    count, _, height, width = images.shape
    scale = _scale(columns * width, max(height, width))
    cell_h, cell_w = scale * height, scale * width
    i = np.arange(count)
    corners = np.stack(
        [
            gap_above + (i // columns) * (cell_h + gap_above),
            _GAP + (i % columns) * (cell_w + _GAP),
        ],
        axis=1,
    )
    size = (corners[-1, 0] + cell_h + _GAP, _GAP + columns * (cell_w + _GAP))
    page = np.full((*size, 3), 255, dtype=np.uint8)
    pixels = np.rint((images + 1) * 127.5).astype(np.uint8).transpose(0, 2, 3, 1)
    pixels = pixels.repeat(scale, axis=1).repeat(scale, axis=2)
    for image, (y, x) in zip(pixels, corners, strict=True):
        page[y - 1 : y + cell_h + 1, x - 1 : x + cell_w + 1] = _FRAME
        page[y : y + cell_h, x : x + cell_w] = image
    return page, corners, scale


def _scale(total_width: int, side: int) -> int:
    """Return how many dots a pixel gets, so that the grid is near six inches wide."""
    most = max(1, _CELL // side)
    scale = min(most, max(1, round(_WIDTH / total_width)))
    # an even number stays whole where a page shows two dots as one
    return scale if scale < 4 else scale - scale % 2


def _texts(values: Sequence[object] | None, name: str, *allowed: int) -> list[str]:
    """Return labels as strings, if their number is one of the allowed ones."""
    if values is None:
        return []
    texts = [str(value) for value in values]
    if len(texts) not in allowed:
        wanted = " or ".join(str(n) for n in dict.fromkeys(allowed))
        raise ValueError(f"{name} has {len(texts)} entries; this grid needs {wanted}")
    return texts


def _text_width(text: str, size: float = _SMALL) -> float:
    """Return the width of a text in dots."""
    points, _, _ = text_to_path.get_text_width_height_descent(
        text, FontProperties(family="DejaVu Sans", size=size), ismath=False
    )
    return 1.08 * points * DPI / 72  # hinted letters on the page are wider than their outlines


def _describe(
    images: Floats, rows: int, columns: int, title: str | None, labels: Sequence[str]
) -> str:
    count, channels, height, width = images.shape
    kind = "grey" if channels == 1 else "colour"
    many = f"{count} {kind} image{'s' * (count > 1)} of {height} x {width} pixels"
    layout = f", {rows} rows of {columns}" if rows > 1 else ""
    named = f" Rows: {'; '.join(filter(None, labels))}." if any(labels) else ""
    return f"{title}: {many}{layout}.{named}" if title else f"{many}{layout}.{named}"
