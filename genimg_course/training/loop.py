"""Repetition: run a step many times, show progress, keep a history, stop when a loss breaks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from genimg_course.training.checkpoints import Checkpoints
from genimg_course.training.faults import NonFiniteLoss, explain, first_broken
from genimg_course.training.interrupts import Interrupts
from genimg_course.training.progress import Progress, open_progress
from genimg_course.training.readings import Readings

if TYPE_CHECKING:
    from lightning_fabric import Fabric

__all__ = ["History", "NonFiniteLoss", "fit"]

History = dict[str, list[float]]
Step = Callable[..., dict[str, Tensor]]


def fit(
    step: Step,
    batches: Iterator[tuple[Tensor, ...]],
    *,
    steps: int,
    preview: Callable[[], Any] | None = None,
    checkpoints: Checkpoints | None = None,
    progress: bool = True,
    read_every: int | None = None,
    fabric: Fabric | None = None,
    networks: Mapping[str, nn.Module] | None = None,
    log: Callable[[int, dict[str, float]], Any] | None = None,
) -> History:
    """Call ``step(n, *batch)`` for ``n = 0 .. steps - 1`` and return the history of its losses.

    In a notebook a bar with the latest losses and the latest preview is shown and updated in place;
    elsewhere a plain progress bar. An interrupt by the reader waits for the end of the step, saves
    a checkpoint if there are any, and keeps what was learned; a second one breaks at once.

    Args:
        step: one update; returns detached scalars by name. It owns the networks, ``fit`` knows
            none.
        batches: an endless stream of batches.
        steps: how many updates in all, those of a resumed run included.
        preview: returns a figure of the present state; called now and then, and at the end.
        checkpoints: where to save; if there is one already, the run resumes there bit for bit.
        progress: show the bar.
        read_every: the history gets an entry every so many steps. Default: 1 on a CPU; 25
            elsewhere, where each entry makes the processor wait for the device.
        fabric: where several processes train together; each loss is then the mean over them, and
            the first process alone shows progress and logs.
        networks: searched, when a loss breaks and at the end, for a tensor that is not finite.
        log: called with the number of steps done and the losses, for each entry of the history.

    Returns:
        ``"step"`` and each loss by name, one entry per look: the mean since the look before, and
        the number of steps done; ``"seconds"`` since the start.

    Raises:
        ValueError: if ``steps`` or ``read_every`` is not positive.
        CheckpointError: if a checkpoint is damaged, of another run, or cannot be written.
        NonFiniteLoss: as soon as a loss is NaN or infinite; the last checkpoint is kept.
        OutOfMemory: if the device's memory does not hold a step.
        MissingOperation: if Apple's GPU lacks an operation.
    """
    if steps < 1:
        raise ValueError(f"steps is {steps}: expected at least one")
    if read_every is not None and read_every < 1:
        raise ValueError(f"read_every is {read_every}: expected at least one step")
    first = fabric is None or fabric.is_global_zero
    done, history = checkpoints.restore() if checkpoints else (0, {})
    panel = open_progress(steps, preview) if progress and first else None
    diary = _Diary(history, panel, log if first else None)
    readings, interrupts = Readings(networks, fabric), Interrupts()
    try:
        with interrupts:
            for n in range(done, steps):
                losses = _take(step, n, next(batches))
                readings.take(n, losses, stop=interrupts.asked is not None)
                last = n + 1 == steps or readings.stop
                saving = checkpoints is not None and (last or (n + 1) % checkpoints.every == 0)
                if last or saving or len(readings) >= (read_every or _pace(losses)):
                    diary.add(n + 1, readings.mean())
                if last or saving:
                    _refuse_broken(networks or {}, n)
                if checkpoints is not None and saving:
                    checkpoints.save(n + 1, history)
                if last:
                    break
    except KeyboardInterrupt:
        if interrupts.asked or not history:
            raise
        interrupts.asked = "by hand"
    finally:
        diary.close()
    stopped = interrupts.asked or ("by another process" if readings.stop else None)
    if stopped and first and history["step"][-1] < steps:
        print(
            f"stopped {stopped} after {int(history['step'][-1])} of {steps} steps; "
            "the networks keep what they learned"
            + (", and the run can go on from its checkpoint" if checkpoints else "")
        )
    return history


class _Diary:
    """The history of a run, and all who are told of a new entry."""

    def __init__(
        self,
        history: History,
        panel: Progress | None,
        log: Callable[[int, dict[str, float]], Any] | None,
    ) -> None:
        self.history, self.panel, self.log = history, panel, log
        self.started = time.monotonic() - (history.get("seconds") or [0.0])[-1]

    def add(self, done: int, losses: dict[str, float]) -> None:
        entry = {"step": done, "seconds": time.monotonic() - self.started, **losses}
        for name, value in entry.items():
            self.history.setdefault(name, []).append(value)
        if self.panel:
            self.panel.update(done, losses)
        if self.log:
            self.log(done, losses)

    def close(self) -> None:
        if self.panel:
            end = {name: values[-1] for name, values in self.history.items()}
            done = int(end.pop("step", 0))  # no entry yet: the very first step failed
            end.pop("seconds", None)
            self.panel.finish(done, end)


def _take(step: Step, n: int, batch: tuple[Tensor, ...]) -> dict[str, Tensor]:
    try:
        return step(n, *batch)
    except RuntimeError as error:
        clear = explain(error, n, batch)
        if clear is error:
            raise
        raise clear from error


def _pace(losses: dict[str, Tensor]) -> int:
    return 1 if all(value.device.type == "cpu" for value in losses.values()) else 25


def _refuse_broken(networks: Mapping[str, nn.Module], n: int) -> None:
    """Refuse weights that broke in the last step, whose loss cannot show it any more."""
    broken = first_broken(networks, gradients=False)
    if broken:
        raise NonFiniteLoss(
            f"{broken} holds NaN or infinity after step {n}: the last checkpoint is kept. "
            "Look at the learning rate"
        )
