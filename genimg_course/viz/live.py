"""Watch a training run from inside a notebook: one line that moves, and one picture below it."""

from __future__ import annotations

import base64
import html
import math
import sys
import time
import uuid
from collections.abc import Callable, Collection, Mapping
from typing import Any

from matplotlib.figure import Figure as AnyFigure

from genimg_course.viz.style import page_width, png_bytes

__all__ = ["LivePanel"]

_LINE_SECONDS = 0.25
_PREVIEW_SHARE = 0.02  # of the time may go into previews


class LivePanel:
    """Show how far a run is, its latest losses and a preview, each updated in its place.

    Outside a notebook nothing is shown and nothing is computed, the preview included. A preview
    that fails is named once and left out from then on: it must not cost the reader the training.

    Args:
        steps: how many steps the run will take.
        preview: draws the present state of the model and returns the figure.
        preview_seconds: shortest time between two previews. The time grows until previews take
            no more than a fiftieth of the run.
        preview_steps: draw the preview after exactly these steps instead, and at the end.
        clock: returns the time in seconds.

    Raises:
        ValueError: if ``steps`` is below 1.
    """

    def __init__(
        self,
        steps: int,
        preview: Callable[[], AnyFigure] | None = None,
        *,
        preview_seconds: float = 3.0,
        preview_steps: Collection[int] | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        if steps < 1:
            raise ValueError(f"steps is {steps}; pass how many steps the run takes, 1 or more")
        self.steps = steps
        self.live = _in_notebook()
        self._preview = preview
        self._pause = preview_seconds
        self._preview_steps = preview_steps
        self._clock = clock
        self._start = clock()
        self._first_step: int | None = None
        self._next_line = self._start
        self._next_preview = self._start + preview_seconds
        self._shown: set[str] = set()
        self._ids = {name: f"genimg-{uuid.uuid4().hex}" for name in ("line", "picture")}
        self._finished = False
        if self.live:
            self._show_line(0, {})

    def update(self, step: int, losses: Mapping[str, Any]) -> None:
        """Tell the panel that a step is done; most calls return at once.

        Args:
            step: number of the step, from 1.
            losses: latest values by name, numbers or tensors of one element; a tensor is only
                read when the line is written, so that an accelerator is not stopped every step.
        """
        if not self.live or self._finished:
            return
        now = self._clock()
        if self._first_step is None:
            self._first_step = step
        if now >= self._next_line:
            self._show_line(step, losses)
            self._next_line = now + _LINE_SECONDS
        if self._preview_steps is not None:
            if step in self._preview_steps:
                self._show_preview(step)
        elif now >= self._next_preview:
            self._show_preview(step)
            done = self._clock()
            self._next_preview = done + max(self._pause, (done - now) / _PREVIEW_SHARE)

    def finish(self, step: int, losses: Mapping[str, Any]) -> None:
        """Replace the bar by one line that sums the run up, and draw the last preview.

        Args:
            step: number of the last step that was done.
            losses: the last values by name.
        """
        if not self.live or self._finished:
            return
        self._finished = True
        count = f"{step}" if step >= self.steps else f"{step} of {self.steps}"
        line = f"{count} steps in {_duration(self._clock() - self._start)}"
        text = f"{line}; {_losses(losses)}" if losses else line
        self._show_preview(step)
        self._show("line", {"text/html": f"<div>{html.escape(text)}</div>", "text/plain": text})

    def _show_line(self, step: int, losses: Mapping[str, Any]) -> None:
        spent = self._clock() - self._start
        parts = [f"{step} of {self.steps} steps", _duration(spent)]
        done = step - (self._first_step or step) + 1  # a resumed run does not begin at step 1
        if step and spent > 2:
            parts.append(f"about {_duration(spent / done * max(0, self.steps - step))} left")
        text = ", ".join(parts) + (f"; {_losses(losses)}" if losses else "")
        bar = (
            f'<progress value="{step}" max="{self.steps}" aria-label="training progress" '
            'style="width: 14em; vertical-align: middle; margin-right: 0.7em"></progress>'
        )
        shown = f'<div style="white-space: nowrap">{bar}{html.escape(text)}</div>'
        self._show("line", {"text/html": shown, "text/plain": text})

    def _show_preview(self, step: int) -> None:
        if self._preview is None:
            return
        try:
            figure = self._preview()
            picture = base64.b64encode(png_bytes(figure)).decode("ascii")
        except Exception as error:
            self._preview = None
            text = f"No preview from step {step} on: {type(error).__name__}: {error}"
            self._show("picture", {"text/plain": text})
            return
        alt = getattr(figure, "alt", "") or f"preview after step {step}"
        metadata = {"image/png": {"width": page_width(figure), "alt": alt}}
        self._show("picture", {"image/png": picture, "text/plain": alt}, metadata)

    def _show(self, part: str, data: dict[str, str], metadata: Any = None) -> None:
        import IPython.display

        first = part not in self._shown
        self._shown.add(part)
        show = IPython.display.display if first else IPython.display.update_display
        show(data, raw=True, metadata=metadata or {}, display_id=self._ids[part])


def _in_notebook() -> bool:
    """Tell whether this process is the kernel of a notebook; IPython is never imported for it."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return getattr(shell, "kernel", None) is not None


def _losses(losses: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {_number(float(value))}" for name, value in losses.items())


def _number(value: float) -> str:
    """Write three digits that mean something, without an exponent where it can be avoided."""
    if math.isfinite(value) and abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.3g}"


def _duration(seconds: float) -> str:
    """Write a time as a person would say it."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes / 60:.1f} h"
