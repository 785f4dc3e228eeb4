"""Repetition: run a step many times, show progress, keep a history, stop when a loss breaks."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from typing import Any

from torch import Tensor

from genimg_course.training.checkpoints import Checkpoints
from genimg_course.training.progress import open_progress

__all__ = ["History", "NonFiniteLoss", "fit"]

History = dict[str, list[float]]
Step = Callable[..., dict[str, Tensor]]


class NonFiniteLoss(RuntimeError):
    """A loss became NaN or infinite; the message names it and the step."""


def fit(
    step: Step,
    batches: Iterator[tuple[Tensor, ...]],
    *,
    steps: int,
    preview: Callable[[], Any] | None = None,
    checkpoints: Checkpoints | None = None,
    progress: bool = True,
    read_every: int | None = None,
) -> History:
    """Call ``step(n, *batch)`` for ``n = 0 .. steps - 1`` and return the history of its losses.

    In a notebook a bar with the latest losses and the latest preview is shown and updated in place;
    elsewhere a plain progress bar. An interrupt by the reader ends the run and keeps what was
    learned.

    Args:
        step: one update; returns detached scalars by name. It owns the networks, ``fit`` knows
            none.
        batches: an endless stream of batches.
        steps: how many updates in all, those of a resumed run included.
        preview: returns a figure of the present state; called now and then, and at the end.
        checkpoints: where to save; if there is one already, the run resumes there bit for bit.
        progress: show the bar.
        read_every: losses are looked at every so many steps. Default: 1 on a CPU; 25 elsewhere,
            where each look makes the device wait.

    Returns:
        ``"step"`` and each loss by name, one entry per look: the mean since the look before, and
        the number of steps done; ``"seconds"`` since the start.

    Raises:
        ValueError: if ``steps`` or ``read_every`` is not positive.
        NonFiniteLoss: at the first look that finds NaN or infinity; the last checkpoint is kept.
    """
    if steps < 1:
        raise ValueError(f"steps is {steps}: expected at least one")
    if read_every is not None and read_every < 1:
        raise ValueError(f"read_every is {read_every}: expected at least one step")
    done, history = checkpoints.restore() if checkpoints else (0, {})
    panel = open_progress(steps, preview) if progress else None
    started = time.monotonic() - (history.get("seconds") or [0.0])[-1]
    unread: list[dict[str, Tensor]] = []
    try:
        for n in range(done, steps):
            unread.append(step(n, *next(batches)))
            saving = checkpoints is not None and (
                (n + 1) % checkpoints.every == 0 or n + 1 == steps
            )
            looking = len(unread) >= (read_every or _pace(unread[-1])) or n + 1 == steps
            if looking or saving:
                losses = _read(unread, n)
                _record(history, n + 1, losses, time.monotonic() - started)
                unread.clear()
                if panel:
                    panel.update(n + 1, losses)
            if checkpoints is not None and saving:
                checkpoints.save(n + 1, history)
    except KeyboardInterrupt:
        if not history:
            raise
        print(
            f"stopped by hand after {int(history['step'][-1])} of {steps} steps; "
            "the networks keep what they learned"
        )
    finally:
        if panel and history:
            last = {name: values[-1] for name, values in history.items()}
            panel.finish(int(last.pop("step")), {k: v for k, v in last.items() if k != "seconds"})
    return history


def _pace(losses: dict[str, Tensor]) -> int:
    return 1 if all(value.device.type == "cpu" for value in losses.values()) else 25


def _read(unread: list[dict[str, Tensor]], n: int) -> dict[str, float]:
    """Return the mean of each loss since the last look; refuse NaN and infinity."""
    means = {}
    for name in unread[-1]:
        values = [float(losses[name]) for losses in unread]
        for offset, value in enumerate(values):
            if not math.isfinite(value):
                at = n + 1 - len(values) + offset
                raise NonFiniteLoss(
                    f"{name} became {value} in step {at}: training has stopped, "
                    "the last checkpoint is kept. "
                    "Look at the learning rate and at the loss before it"
                )
        means[name] = sum(values) / len(values)
    return means


def _record(history: History, done: int, losses: dict[str, float], seconds: float) -> None:
    for name, value in {"step": done, "seconds": seconds, **losses}.items():
        history.setdefault(name, []).append(value)
