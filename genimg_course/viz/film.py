"""Show how a run went as a short film: a picture for each step that was kept."""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from matplotlib.figure import Figure as AnyFigure
from numpy.typing import NDArray
from PIL import Image

from genimg_course.viz.images import image_grid
from genimg_course.viz.style import BLUE, DPI, GREY, INK, Figure, png_bytes, style

__all__ = ["Film", "film"]

Pixels = NDArray[np.uint8]

_MOST_BYTES = 300_000
# five seconds need no button that stops them (WCAG 2.2.2), and thirty pictures in five seconds do
# not flash more than three times a second (2.3.1)
_MOST_SECONDS, _MOST_FRAMES = 5.0, 30
_SHADES = 31  # steps from black to white; few shades pack better, and nobody sees the difference
_STILL_COLOURS = 64
_PER_PAGE_DOT = 2  # dots of a figure for each dot of the film
_STRIP = 0.3  # height of the line below a picture, in inches

# a still for readers who asked for less motion, and on paper; the button plays to them too
_PAGE = """\
<div class="film"><picture><source media="(prefers-reduced-motion: reduce), print" \
srcset="data:image/png;base64,{still}"><img alt="{alt}" width="{width}" \
style="max-width: 100%; height: auto" src="data:image/webp;base64,{film}"></picture><br>\
<button type="button" onclick="{play}">Play from the start</button></div>"""
_PLAY = (
    "const film = this.parentElement, picture = film.querySelector('img'), "
    "from = picture.src; film.querySelector('source')?.remove(); "
    "picture.src = ''; picture.src = from"
)


@dataclass(frozen=True)
class Film:
    """A film that shows itself at the end of a cell; made by `film`.

    It plays once and rests on its last picture. A button plays it again, no script beside it is
    needed. A reader who asks for less motion sees the last picture until the button is pressed.

    Attributes:
        webp: the bytes of the film, an animated WebP file.
        still: its last picture, the bytes of a PNG file.
        width: in pixels of a page.
        alt: what the film shows.
    """

    webp: bytes
    still: bytes
    width: int
    alt: str

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[Any, Any]:
        film, still = (base64.b64encode(data).decode("ascii") for data in (self.webp, self.still))
        page = _PAGE.format(
            film=film, still=still, width=self.width, alt=html.escape(self.alt), play=_PLAY
        )
        metadata = {"image/png": {"width": self.width, "alt": self.alt}}
        return {"text/html": page, "image/png": still, "text/plain": self.alt}, metadata

    def __repr__(self) -> str:
        return f"<Film: {self.alt}>"


def film(
    frames: Sequence[Any],
    steps: Sequence[int],
    *,
    columns: int = 10,
    row_labels: Sequence[object] | None = None,
    title: str | None = None,
    seconds: float = 4.5,
    alt: str | None = None,
) -> Film:
    """Make a short film of what a run showed; below each picture stands its step.

    Args:
        frames: for each step a batch of images, ``(B, C, H, W)`` in ``[-1, 1]``, C = 1 or 3, the
            same number each time; or a figure of this course, all of one size. 2 to 30 of them.
        steps: the number of updates before each frame, rising.
        columns: images in a row.
        row_labels: one for each row of images, to its left.
        title: above the images.
        seconds: how long the film takes, at most 5; then it rests on its last picture.
        alt: what the film shows; by default the description of its last picture, and the steps.

    Returns:
        The film, at most 300 KB. One that would be larger has some loss, and if that is not
        enough, fewer of the frames, the first and the last among them.

    Raises:
        ValueError: if the numbers of frames and steps are not as above, the steps do not rise, the
            pictures differ in size, the film takes too long, or two frames alone are too large;
            or from `image_grid`.

    >>> import torch
    >>> film([torch.zeros(2, 1, 8, 8), torch.ones(2, 1, 8, 8)], [0, 100]).alt
    'Film of a run, from step 0 to step 100. Its last picture: 2 grey images of 8 x 8 pixels.'
    """
    _check(frames, steps, seconds)
    figures = [
        frame
        if isinstance(frame, AnyFigure)
        else image_grid(frame, columns=columns, row_labels=row_labels, title=title)
        for frame in frames
    ]
    pictures = [_page_dots(figure) for figure in figures]
    sizes = {picture.shape[1::-1] for picture in pictures}
    if len(sizes) > 1:
        raise ValueError(f"the pictures have the sizes {sorted(sizes)}; a film needs one size")
    below = [_strip(pictures[0].shape[1], step, steps[-1]) for step in steps]
    whole = [np.concatenate(pair) for pair in zip(pictures, below, strict=True)]
    webp = _small(whole, seconds=seconds)
    still = BytesIO()
    Image.fromarray(whole[-1]).quantize(_STILL_COLOURS).save(still, format="PNG", optimize=True)
    last = getattr(figures[-1], "alt", "") or "a picture without a description"
    told = f"Film of a run, from step {steps[0]} to step {steps[-1]}. Its last picture: {last}"
    return Film(webp, still.getvalue(), whole[0].shape[1], alt or told)


def _check(frames: Sequence[Any], steps: Sequence[int], seconds: float) -> None:
    if not 2 <= len(frames) <= _MOST_FRAMES:
        raise ValueError(f"there are {len(frames)} frames; a film has 2 to {_MOST_FRAMES}")
    if len(steps) != len(frames):
        raise ValueError(f"there are {len(frames)} frames, but {len(steps)} steps")
    if sorted({*steps}) != [*steps]:
        raise ValueError(f"the steps must rise, but they are {[*steps]}")
    if not 0 < seconds <= _MOST_SECONDS:
        raise ValueError(
            f"seconds is {seconds}; what moves by itself should end within {_MOST_SECONDS:g} s"
        )


def _page_dots(figure: AnyFigure) -> Pixels:
    """Return a figure with one dot for each pixel of a page, in few shades."""
    with Image.open(BytesIO(png_bytes(figure))) as picture:
        small = np.asarray(picture.convert("RGB").reduce(_PER_PAGE_DOT))
    return np.rint(np.rint(small / 255 * _SHADES) / _SHADES * 255).astype(np.uint8)


def _strip(width: int, step: int, last: int) -> Pixels:
    """Draw the line below a picture: a bar that grows, and the step."""
    wide = width * _PER_PAGE_DOT / DPI
    figure = Figure((width * _PER_PAGE_DOT + 0.25) / DPI, _STRIP, layout=None)
    with style():
        axes = figure.add_axes((0, 0, 1, 1))
        axes.axis("off")
        axes.set(xlim=(0, wide), ylim=(0, _STRIP))
        bar = 0.45 * wide
        middle = _STRIP / 2
        axes.plot([0.1, bar], [middle] * 2, color=GREY, linewidth=1)
        axes.plot([0.1, 0.1 + (bar - 0.1) * step / last], [middle] * 2, color=BLUE, linewidth=4)
        axes.text(bar + 0.12, middle, f"step {step} of {last}", va="center", size=9, color=INK)
    return _page_dots(figure)


def _small(pictures: Sequence[Pixels], *, seconds: float) -> bytes:
    """Return a film that plays once: without loss if it is small enough so, else with some.

    If it is still too large, it goes on with every second picture, and the first and the last.
    """
    while True:
        for lossless in (True, False):
            webp = _encoded(
                pictures, milliseconds=round(1000 * seconds / len(pictures)), lossless=lossless
            )
            if len(webp) <= _MOST_BYTES:
                return webp
        if len(pictures) == 2:
            raise ValueError(
                f"even two pictures of the film take {len(webp) / 1000:.0f} KB, and a page should "
                f"not carry more than {_MOST_BYTES / 1000:.0f}: show fewer images"
            )
        last = len(pictures) - 1
        pictures = [pictures[i] for i in sorted({0, *range(last, 0, -2)})]


def _encoded(pictures: Sequence[Pixels], *, milliseconds: int, lossless: bool) -> bytes:
    first, *rest = map(Image.fromarray, pictures)
    file = BytesIO()
    first.save(
        file, format="WebP", save_all=True, append_images=rest, duration=milliseconds,
        loop=1, lossless=lossless, quality=80 if lossless else 50,
    )  # fmt: skip
    return file.getvalue()
