"""Put finished figures together into one picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from genimg_course.viz.style import DPI, Figure

__all__ = ["assemble"]


def assemble(rows: Sequence[Sequence[Figure]], *, alt: str | None = None) -> Figure:
    """Put figures below and beside each other, dot by dot as they are.

    Args:
        rows: the figures, row by row; those of one row stand in the middle of its height.
        alt: what the picture shows; by default the descriptions of the figures, in order.

    Returns:
        One figure, as wide as the widest row. What it holds are pictures, not axes.

    Raises:
        ValueError: if there is no figure, or a row is empty.

    >>> from genimg_course.viz.figures import bars
    >>> left = bars({"a": 1.0}, xlabel="x", ylabel="y", alt="Left.")
    >>> round(assemble([[left, left]], alt="Twice the same.").get_figwidth())
    12
    """
    if not rows or not all(rows):
        raise ValueError(f"there are rows of {[len(row) for row in rows]} figures; pass some each")
    page = _joined([_joined([figure.dots() for figure in row], axis=1) for row in rows], axis=0)
    alts = [figure.alt for row in rows for figure in row]
    return _Page(page, alt=alt or " ".join(filter(None, alts)))


class _Page(Figure):
    """A figure that is a finished picture ``(H, W, 4)``, and need not be drawn again."""

    def __init__(self, page: NDArray[np.uint8], *, alt: str) -> None:
        height, width, _ = page.shape
        super().__init__(width / DPI, height / DPI, alt=alt, layout=None)
        self.figimage(page, origin="upper")
        self._page = page

    def dots(self) -> NDArray[np.uint8]:
        return self._page


def _joined(parts: list[NDArray[np.uint8]], axis: int) -> NDArray[np.uint8]:
    """Join pictures along an axis; white fills up what is shorter than the longest.

    Rows of figures are centred in their height, and everything begins at the left.
    """
    across = 1 - axis
    longest = max(part.shape[across] for part in parts)
    filled = []
    for part in parts:
        missing = longest - part.shape[across]
        before = missing // 2 if axis == 1 else 0
        padding = [(0, 0), (0, 0), (0, 0)]
        padding[across] = (before, missing - before)
        filled.append(np.pad(part, padding, constant_values=255))
    return np.concatenate(filled, axis=axis)
