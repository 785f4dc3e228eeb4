"""Losses on their way from the device to the history, without a step that waits for them."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from genimg_course.training.faults import NonFiniteLoss, first_broken

if TYPE_CHECKING:
    from lightning_fabric import Fabric

__all__ = ["Readings"]


class Readings:
    """Collect the losses of each step, refuse NaN and infinity, and average.

    On a CPU a loss is read at once. To read it at once on a GPU would make the processor wait for
    the end of the step, and then the GPU for the processor. So it is copied in the background, and
    those of the step before are looked at while the present one runs. Other devices know no such
    copy: there the losses are read when the mean is asked for. With several processes each loss is
    the mean over all of them.

    Args:
        networks: searched for the first tensor that is not finite when a loss is not.
        fabric: where there are several processes.
    """

    def __init__(
        self, networks: Mapping[str, nn.Module] | None = None, fabric: Fabric | None = None
    ) -> None:
        self._networks = networks or {}
        self._fabric = fabric if fabric is not None and fabric.world_size > 1 else None
        self._names: list[str] = []
        self._travelling: deque[tuple[int, Tensor, torch.cuda.Event | None]] = deque()
        self._arrived: list[list[float]] = []
        self.stop = False  # whether a process was asked to stop, once all of them know

    def __len__(self) -> int:
        """Return how many steps the next mean is of."""
        return len(self._travelling) + len(self._arrived)

    def take(self, n: int, losses: Mapping[str, Tensor], *, stop: bool = False) -> None:
        """Take the losses of step ``n``, and whether this process was asked to stop.

        Raises:
            NonFiniteLoss: if a loss that has arrived is NaN or infinite.
            ValueError: if the losses have other names than before; the history would mix them.
        """
        if self._names and self._names != list(losses):
            raise ValueError(
                f"step {n} returned {', '.join(losses)}, the steps before it "
                f"{', '.join(self._names)}: return the same losses every time"
            )
        self._names = list(losses)
        devices = [loss.device for loss in losses.values() if loss.device.type != "cpu"]
        if not devices and self._fabric is None:
            self._arrive(n, [*map(float, losses.values()), float(stop)])
            return
        row = _row(losses, stop, devices[0] if devices else torch.device("cpu"))
        if self._fabric is not None:
            reduced: Any = self._fabric.all_reduce(row, reduce_op="mean")
            row = reduced
        self._travelling.append((n, *_send(row)))
        late = {"cpu": 0, "cuda": 1}.get(row.device.type, len(self._travelling))
        while len(self._travelling) > late:
            self._receive()

    def mean(self) -> dict[str, float]:
        """Return the mean of each loss since the last call; this waits for the last step.

        Raises:
            NonFiniteLoss: if one of them is NaN or infinite.
        """
        while self._travelling:
            self._receive()
        columns = zip(*self._arrived, strict=True)
        means = {
            name: sum(column) / len(column)
            for name, column in zip(self._names, columns, strict=False)
        }
        self._arrived.clear()
        return means

    def _receive(self) -> None:
        n, row, event = self._travelling.popleft()
        if event is not None:
            event.synchronize()
        self._arrive(n, row.tolist())

    def _arrive(self, n: int, row: list[float]) -> None:
        for name, value in zip(self._names, row, strict=False):
            if not math.isfinite(value):
                broken = first_broken(self._networks)
                where = f"; the first tensor that is not finite is {broken}" if broken else ""
                raise NonFiniteLoss(
                    f"{name} became {value} in step {n}{where}: training has stopped, "
                    "the last checkpoint is kept. "
                    "Look at the learning rate and at the loss before it"
                )
        self._arrived.append(row)
        self.stop = self.stop or row[-1] > 0


def _row(losses: Mapping[str, Tensor], stop: bool, device: torch.device) -> Tensor:
    dtype = torch.float64 if device.type == "cpu" else torch.float32
    values = [v.detach().to(device, dtype, non_blocking=True) for v in losses.values()]
    # full writes the number on the device; tensor would copy it there and wait
    return torch.stack([*values, torch.full((), float(stop), dtype=dtype, device=device)])


def _send(row: Tensor) -> tuple[Tensor, torch.cuda.Event | None]:
    if not row.is_cuda:
        return row, None
    buffer = torch.empty(row.shape, dtype=row.dtype, pin_memory=True)
    buffer.copy_(row, non_blocking=True)
    event = torch.cuda.Event()
    event.record()
    return buffer, event
