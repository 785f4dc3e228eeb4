r"""Digits drawn from font files, with anti-aliasing at every size.

A digit's outline is turned into a fine bitmap once per process. A picture is that bitmap seen
through an affine map: with ``q`` a point of the upright digit and ``p`` its place in the picture,
both in sides of the picture, x to the right and y up,

.. math:: p = t + s \, R(\theta) \begin{pmatrix} 1 & k \\ 0 & 1 \end{pmatrix} q .

A pixel is the mean of the ink over its area. The bitmap is averaged over the area of a pixel
first, exactly, by differences of running sums (summed-area tables); sampling it then needs one
look-up a pixel.

Source:
    Crow (1984), Summed-area tables for texture mapping, https://doi.org/10.1145/800031.808600
"""

from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import grid_sample

__all__ = ["FONTS", "INK_SIDE", "draw"]

FONTS = (
    "DejaVuSans",
    "DejaVuSans-Bold",
    "DejaVuSans-Oblique",
    "DejaVuSans-BoldOblique",
    "DejaVuSansMono",
    "DejaVuSansMono-Bold",
    "DejaVuSansMono-Oblique",
    "DejaVuSansMono-BoldOblique",
    "DejaVuSerif",
    "DejaVuSerif-Bold",
    "DejaVuSerif-Italic",
    "DejaVuSerif-BoldItalic",
    "STIXGeneral",
    "STIXGeneralBol",
    "STIXGeneralItalic",
    "STIXGeneralBolIta",
    "cmr10",
    "cmb10",
    "cmss10",
    "cmtt10",
)  # all of them come with every Matplotlib since 3.10; cmti10, for one, does not
INK_SIDE = 0.66  # longer side of an upright digit at scale 1, in sides of the picture
_CANVAS = 1.5  # side of a master in longer sides of its digit: room for the blurred edge
_FONT_PIXELS = 384
_SCALE_BIN = 0.05  # digits whose scales differ by less share a master


def draw(
    *,
    size: int,
    font: np.ndarray,
    digit: np.ndarray,
    rotation: np.ndarray,
    slant: np.ndarray,
    scale: np.ndarray,
    shift_x: np.ndarray,
    shift_y: np.ndarray,
) -> np.ndarray:
    """Draw digits; every array holds one value a picture, ``(N,)``.

    Args:
        size: side of a picture in pixels.
        font: index into ``FONTS``.
        digit: 0 to 9.
        rotation: degrees, anticlockwise.
        slant: shear; how far the top leans to the right, in heights.
        scale: longer side of the digit, in units of ``INK_SIDE``.
        shift_x: how far the middle of the digit lies to the right, in sides of the picture.
        shift_y: the same, downwards.

    Returns:
        Ink from 0 (none) to 255, ``uint8``, ``(N, 1, size, size)``.
    """
    images = np.empty((len(font), size, size), dtype=np.uint8)
    bins = np.maximum(np.rint(scale / _SCALE_BIN), 1).astype(np.int64)
    keys = (bins * len(FONTS) + font) * 10 + digit
    order = np.argsort(keys, kind="stable")
    starts = np.flatnonzero(np.diff(keys[order], prepend=-1))
    for members in np.split(order, starts[1:]):
        first = members[0]
        pixel = 1 / (size * INK_SIDE * bins[first] * _SCALE_BIN)
        master = _master(int(font[first]), int(digit[first]), pixel=pixel, side=64 + 2 * size)
        x, y = _upright(size, *(a[members] for a in (rotation, slant, scale, shift_x, shift_y)))
        images[members] = _sample(master, x, y)
    return images[:, None]


def _upright(
    size: int,
    rotation: np.ndarray,
    slant: np.ndarray,
    scale: np.ndarray,
    shift_x: np.ndarray,
    shift_y: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Return where the pixels of pictures lie on the upright digit, ``(n, size, size)`` each."""
    places = ((np.arange(size) + 0.5) / size - 0.5).astype(np.float32)
    x = places[None, None, :] - _column(shift_x)
    y = -places[None, :, None] + _column(shift_y)
    angle = np.deg2rad(rotation)
    cos, sin = _column(np.cos(angle) / scale), _column(np.sin(angle) / scale)
    x, y = cos * x + sin * y, cos * y - sin * x
    return x - _column(slant) * y, y


def _column(values: np.ndarray) -> np.ndarray:
    return values.astype(np.float32)[:, None, None]


def _sample(master: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Look a master up at points in sides of the picture, ``(n, size, size)``."""
    n, size, _ = x.shape
    grid = np.stack([x, -y], axis=-1) * np.float32(2 / (_CANVAS * INK_SIDE))
    # one picture as high as all of them, and NumPy around it: nothing here is split into threads,
    # so the bytes do not depend on their number, and they need not wait for each other
    grid = grid.reshape(1, n * size, size, 2)
    ink = grid_sample(
        torch.from_numpy(master)[None, None], torch.from_numpy(grid), align_corners=False
    )
    return np.rint(ink.numpy() * 255).astype(np.uint8).reshape(n, size, size)


def _master(font: int, digit: int, *, pixel: float, side: int) -> np.ndarray:
    """Return a digit averaged over squares of side ``pixel``, ``(side, side)`` in [0, 1]."""
    bitmap = _bitmaps(FONTS[font])[digit] / 255
    longer = max(bitmap.shape)
    places = ((np.arange(side) + 0.5) / side - 0.5) * _CANVAS * longer
    for _ in range(2):  # the rows, then the columns
        bitmap = _averages(bitmap, places, pixel * longer).T
    return np.ascontiguousarray(bitmap, dtype=np.float32)


def _averages(values: np.ndarray, places: np.ndarray, width: float) -> np.ndarray:
    """Average rows over windows of ``width`` around ``places``, counted from the middle."""
    rows = len(values)
    sums = np.concatenate([np.zeros((1, values.shape[1])), values.cumsum(axis=0)])

    def up_to(place: np.ndarray) -> np.ndarray:
        place = np.clip(place + rows / 2, 0, rows)
        below = np.minimum(place.astype(np.int64), rows - 1)
        part = (place - below)[:, None]
        return (1 - part) * sums[below] + part * sums[below + 1]

    return (up_to(places + width / 2) - up_to(places - width / 2)) / width


@lru_cache(maxsize=len(FONTS))
def _bitmaps(font: str) -> tuple[np.ndarray, ...]:
    """Return the ten digits of a font as large bitmaps, cut at the ink, 0 to 255."""
    # ft2font alone: matplotlib's font manager would search the whole machine for fonts first
    import matplotlib
    from matplotlib.ft2font import FT2Font, LoadFlags

    face = FT2Font(str(Path(matplotlib.get_data_path(), "fonts", "ttf", f"{font}.ttf")))
    face.set_size(_FONT_PIXELS, 72)
    bitmaps = []
    for digit in "0123456789":
        face.set_text(digit, 0.0, flags=LoadFlags.NO_HINTING)
        face.draw_glyphs_to_bitmap(antialiased=True)
        bitmaps.append(_cut(np.array(face.get_image())))
    return tuple(bitmaps)


def _cut(bitmap: np.ndarray) -> np.ndarray:
    rows, columns = (np.flatnonzero(bitmap.any(axis=axis)) for axis in (1, 0))
    return bitmap[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
