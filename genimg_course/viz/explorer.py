"""Move a slider, see the picture change: explorers for notebooks."""

from __future__ import annotations

import base64
import html
import inspect
from collections.abc import Callable
from typing import Any

from matplotlib.figure import Figure as AnyFigure

from genimg_course.viz._controls import control
from genimg_course.viz.style import page_width, png_bytes

__all__ = ["Explorer", "explore"]

_VIEW = "application/vnd.jupyter.widget-view+json"
_FEW = 4
# read aloud, but not seen: the picture beside it shows the same
_UNSEEN = "position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%)"


class Explorer:
    """Controls above a picture that follows them; made by `explore`.

    A notebook shows the controls. A page without widgets shows the picture as it was when the cell
    ran, with its description as text. The picture can also be moved from code:
    ``explorer.controls["beta"].value = 2.0``.

    Attributes:
        controls: the widgets by name.
        figure: the latest figure.
        widget: the box that holds everything, to be put into other boxes.
    """

    def __init__(self, draw: Callable[..., AnyFigure], controls: dict[str, Any]) -> None:
        import ipywidgets

        self.controls = controls
        self._draw = draw
        self._drawing = self._stale = False
        self._message = ipywidgets.HTML(layout={"display": "none"})
        self._description = ipywidgets.HTML()
        self._picture = ipywidgets.Image(format="png", layout={"max_width": "100%"})
        self._draw_and_show()
        # many would push the picture out of sight, so they may stand side by side
        flow = "row wrap" if len(controls) > _FEW else "column"
        panel = ipywidgets.Box(list(controls.values()), layout={"flex_flow": flow})
        parts = [panel, self._message, self._picture, self._description]
        self.widget = ipywidgets.VBox(parts)
        for widget in controls.values():
            widget.observe(self._redraw, names="value")

    @property
    def values(self) -> dict[str, Any]:
        """Return what the controls are set to, by name."""
        return {name: widget.value for name, widget in self.controls.items()}

    def _settings(self) -> str:
        """Return in words what the controls are set to; a menu says the entry that is seen."""
        shown = {name: getattr(w, "label", w.value) for name, w in self.controls.items()}
        return ", ".join(f"{name} = {_plain(value)}" for name, value in shown.items())

    def _draw_and_show(self) -> None:
        settings = self._settings()  # before the drawing: the reader may move on meanwhile
        figure = self._draw(**self.values)
        if not isinstance(figure, AnyFigure):
            raise ValueError(f"the draw function must return a Figure, not {type(figure).__name__}")
        alt = getattr(figure, "alt", "") or "Picture without a description"
        self._show(figure, f"{alt.rstrip('.')}. Set to {settings}.")

    def _redraw(self, change: object = None) -> None:
        """Draw the present values; what changes meanwhile is drawn once, afterwards."""
        self._stale = True
        if self._drawing:
            return
        self._drawing = True
        try:
            for _ in range(2):  # twice at most: a draw that moves its own sliders must end
                if self._stale:
                    self._stale = False
                    self._attempt()
        finally:
            self._drawing = False

    def _attempt(self) -> None:
        try:
            self._draw_and_show()
        except Exception as error:
            at, kind = self._settings(), type(error).__name__
            text = f"No picture for {at} ({kind}: {error}); below is the last one."
            self._message.value = f'<div role="alert">{html.escape(text)}</div>'
            self._message.layout.display = None
        else:
            self._message.layout.display = "none"

    def _show(self, figure: AnyFigure, alt: str) -> None:
        picture = png_bytes(figure)
        self.figure, self._alt, self._png = figure, alt, picture
        self._picture.width = str(page_width(figure))
        self._picture.value = picture
        self._description.value = f'<div role="status" style="{_UNSEEN}">{html.escape(alt)}</div>'

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[Any, Any]:
        view = {"version_major": 2, "version_minor": 0, "model_id": self.widget.model_id}
        picture = base64.b64encode(self._png).decode("ascii")
        metadata = {"image/png": {"width": page_width(self.figure), "alt": self._alt}}
        return {_VIEW: view, "image/png": picture, "text/plain": self._alt}, metadata


def explore(draw: Callable[..., AnyFigure], **sliders: Any) -> Explorer:
    """Make a picture that follows sliders.

    Args:
        draw: takes the value of each slider by name and returns a figure.
        sliders: for each argument of ``draw`` a widget, ``(low, high)``, ``(low, high, step)`` or
            ``(low, high, step, first)`` for a slider (of whole numbers, if all are whole), a list
            or dict of choices for a menu, ``True`` or ``False`` for a box to tick.

    Returns:
        The explorer; as the last line of a cell it shows itself.

    Raises:
        ValueError: if there are no sliders, one cannot be made, or ``draw`` does not take them.
        Exception: whatever ``draw`` raises for the first values. Later errors are shown as a
            sentence above the last good picture, and the sliders stay alive.
    """
    if not sliders:
        raise ValueError("there are no sliders; pass at least one, for example beta=(0.0, 4.0)")
    try:
        inspect.signature(draw).bind(**sliders)
    except TypeError as error:
        raise ValueError(f"draw cannot take the sliders {list(sliders)}: {error}") from None
    width = f"{1 + max(map(len, sliders)) * 0.6:.1f}em"  # sliders of one explorer begin in line
    controls = {name: control(name, sliders[name], label_width=width) for name in sliders}
    return Explorer(draw, controls)


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
