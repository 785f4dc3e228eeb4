"""What a learner sees while a run goes on: a live panel in a notebook, a plain bar elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, Protocol

from tqdm import tqdm

__all__ = ["Progress", "open_progress"]


class Progress(Protocol):
    """Something that shows how far a run is."""

    def update(self, step: int, losses: dict[str, float]) -> None: ...

    def finish(self, step: int, losses: dict[str, float]) -> None: ...


class _Bar:
    def __init__(self, steps: int) -> None:
        self.bar = tqdm(total=steps, unit="step", file=sys.stderr, mininterval=0.5)

    def update(self, step: int, losses: dict[str, float]) -> None:
        self.bar.set_postfix(
            {name: f"{value:.3g}" for name, value in losses.items()}, refresh=False
        )
        self.bar.update(step - self.bar.n)

    def finish(self, step: int, losses: dict[str, float]) -> None:
        self.update(step, losses)
        self.bar.close()


def open_progress(steps: int, preview: Callable[[], Any] | None) -> Progress:
    """Return a live panel inside a notebook's kernel, else a plain bar; previews need the panel."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    if getattr(shell, "kernel", None) is None:
        return _Bar(steps)
    from genimg_course.viz.live import LivePanel

    return LivePanel(steps, preview=preview)
