"""One look for every picture: colours, fonts, and a figure that any notebook can show."""

from __future__ import annotations

import base64
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

import matplotlib
import matplotlib.figure
import numpy as np
from cycler import cycler
from matplotlib.backends.backend_agg import FigureCanvasAgg
from numpy.typing import NDArray
from PIL import Image

__all__ = [
    "BLACK",
    "BLUE",
    "DPI",
    "GREEN",
    "GREY",
    "INK",
    "ORANGE",
    "PALETTE",
    "PURPLE",
    "SKY",
    "VERMILION",
    "YELLOW",
    "Figure",
    "page_width",
    "png_bytes",
    "style",
]

# Okabe and Ito (2008), "Color universal design", https://jfly.uni-koeln.de/color/
BLACK = "#000000"
ORANGE = "#E69F00"
SKY = "#56B4E9"
GREEN = "#009E73"
YELLOW = "#F0E442"
BLUE = "#0072B2"
VERMILION = "#D55E00"
PURPLE = "#CC79A7"

GREY = "#8A8A8A"
INK = "#262626"
_GRID = "#E4E4E4"

#: Colours of lines and bars, in order. Yellow is missing: it vanishes on white.
PALETTE = (BLUE, VERMILION, GREEN, ORANGE, PURPLE, SKY, BLACK)

#: Picture dots per inch. A page shows 96, so a sharp screen finds two dots for each of its pixels.
DPI = 192
_PAGE_DPI = 96

_RC: Any = {
    "axes.axisbelow": True,
    "axes.edgecolor": GREY,
    "axes.facecolor": "white",
    "axes.formatter.useoffset": False,
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.labelsize": 9,
    "axes.linewidth": 0.8,
    "axes.prop_cycle": cycler(color=PALETTE),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 10,
    "figure.constrained_layout.h_pad": 0.08,
    "figure.constrained_layout.w_pad": 0.08,
    "figure.dpi": DPI,
    "figure.edgecolor": "white",
    "figure.facecolor": "white",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # matplotlib brings it, so pictures agree on all machines
    "font.size": 9,
    "grid.color": _GRID,
    "grid.linewidth": 0.8,
    "legend.fontsize": 9,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "lines.solid_capstyle": "round",
    "mathtext.fontset": "dejavusans",
    "text.color": INK,
    "text.usetex": False,
    "xtick.color": GREY,
    "xtick.labelcolor": INK,
    "xtick.labelsize": 8.5,
    "ytick.color": GREY,
    "ytick.labelcolor": INK,
    "ytick.labelsize": 8.5,
}


@contextmanager
def style() -> Iterator[None]:
    """Draw in the look of the course inside a ``with`` block, whatever the reader has set."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_RC)
        yield


class Figure(matplotlib.figure.Figure):
    """A figure that shows itself at the end of a cell and says in words what it shows.

    It is never registered with ``pyplot``, so it needs no ``show`` and no ``close``. Notebooks get
    ``image/png``, which JupyterLab, Colab, nbconvert, papermill and the book all display and can
    save as a file, the width it has on a page, and the description as ``text/plain``. The
    description also stands in the metadata of the picture under ``alt``, where a page builder
    finds it.

    Args:
        width: width in inches.
        height: height in inches.
        alt: what the picture shows, in one or two sentences.
        layout: layout engine of matplotlib; ``None`` for axes placed by hand.
    """

    def __init__(
        self, width: float = 6.0, height: float = 3.4, *, alt: str = "", layout: Any = "constrained"
    ) -> None:
        with style():
            super().__init__(figsize=(width, height), layout=layout)
        FigureCanvasAgg(self)
        self.alt = alt

    def dots(self) -> NDArray[np.uint8]:
        """Return the picture as red, green, blue and opacity of each dot, ``(H, W, 4)``."""
        return _drawn(self)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[Any, Any]:
        _keep_our_picture()
        picture = base64.b64encode(png_bytes(self)).decode("ascii")
        metadata = {"width": page_width(self), "alt": self.alt}
        return {"image/png": picture, "text/plain": self.alt}, {"image/png": metadata}

    def __repr__(self) -> str:
        return f"<Figure: {self.alt}>" if self.alt else super().__repr__()


def png_bytes(figure: matplotlib.figure.Figure) -> bytes:
    """Return a figure as the bytes of a PNG file; a figure that pyplot holds is closed.

    A picture without colour is stored as greyscale, at about a third of the size.

    Args:
        figure: any figure of matplotlib.

    Returns:
        The bytes, beginning with the PNG signature.
    """
    rgb = (figure.dots() if isinstance(figure, Figure) else _drawn(figure))[..., :3]
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close(figure)
    grey = (rgb[..., 0] == rgb[..., 1]).all() and (rgb[..., 1] == rgb[..., 2]).all()
    target = BytesIO()
    picture = Image.fromarray(np.ascontiguousarray(rgb[..., 0] if grey else rgb))
    picture.save(target, format="PNG", dpi=(figure.dpi, figure.dpi))
    return target.getvalue()


def _drawn(figure: matplotlib.figure.Figure) -> NDArray[np.uint8]:
    """Draw a figure in the look of the course; it keeps its canvas."""
    canvas, kept = FigureCanvasAgg(figure), figure.canvas
    with style():
        canvas.draw()
    figure.set_canvas(kept)
    return np.asarray(canvas.buffer_rgba())


def page_width(figure: matplotlib.figure.Figure) -> int:
    """Return the width in pixels that a figure should have on a page."""
    return round(figure.get_figwidth() * _PAGE_DPI)


def _keep_our_picture() -> None:
    """Tell IPython that the picture of a `Figure` is its own, if IPython is running.

    The inline backend of matplotlib registers a PNG formatter for all figures, which comes before
    ``_repr_mimebundle_`` and would crop this one. A formatter that returns nothing for our own
    class leaves the bundle as it is.
    """
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    if shell is not None:
        shell.display_formatter.formatters["image/png"].for_type(Figure, lambda figure: None)
