"""The diary of a run: losses as JSON lines, pictures as PNG, both for TensorBoard too."""

from __future__ import annotations

import json
import math
import os
import sys
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from genimg_course.files import write_whole
from genimg_course.maths.pixels import to_uint8

__all__ = ["Journal", "cut_after", "read_journal", "sheet", "write_json"]


class Journal:
    """Write down what happens in a run, so that a killed run loses nothing.

    ``history.jsonl`` has one record a look, ``{"step": 20, "seconds": 1.5, "d_loss": ...}``, each
    handed to the operating system at once; at every multiple of ``every`` it is on the disk before
    the checkpoint of that step is. ``samples/step-00000500.png`` shows pictures. TensorBoard's
    events go to ``events/`` where it is installed.

    Args:
        folder: of the run; made if missing.
        after: records and pictures after this step are deleted, because the run begins again there.
        every: how often the records are forced onto the disk, in steps.
        steps: length of the run; TensorBoard gets about a thousand points of each curve.
    """

    def __init__(self, folder: Path, *, after: int, every: int, steps: int) -> None:
        self.folder, self.every = folder, every
        (folder / "samples").mkdir(parents=True, exist_ok=True)
        path = folder / "history.jsonl"
        seconds = cut_after(path, after)
        for picture in (folder / "samples").glob("step-*.png"):
            if int(picture.stem.removeprefix("step-")) > after:
                picture.unlink()
        self._started = time.monotonic() - seconds
        self._file = path.open("a", encoding="utf-8")
        self._thin = max(1, steps // 1000)
        self._events = _open_events(folder / "events", after)

    def losses(self, step: int, losses: dict[str, float]) -> None:
        """Add one record."""
        record = {"step": step, "seconds": round(time.monotonic() - self._started, 3), **losses}
        self._file.write(json.dumps(record) + "\n")
        self._file.flush()
        if step % self.every == 0:
            os.fsync(self._file.fileno())
        if self._events and step % self._thin == 0:
            for name, value in losses.items():
                self._events.add_scalar(name, value, step)

    def numbers(self, step: int, numbers: dict[str, float]) -> None:
        """Add measured numbers to TensorBoard's curves; the summary keeps the last of them."""
        if self._events:
            for name, value in numbers.items():
                self._events.add_scalar(f"measured/{name}", value, step)

    def pictures(self, step: int, x: Tensor, *, columns: int = 10) -> Path:
        """Write pictures ``(B, C, H, W)`` in ``[-1, 1]`` as one sheet and return its path."""
        from PIL import Image

        tiles = sheet(x, columns=columns)
        path = self.folder / "samples" / f"step-{step:08d}.png"
        rows = tiles.permute(1, 2, 0).squeeze(2).numpy()  # (H, W) or (H, W, 3)
        Image.fromarray(rows).save(path)
        if self._events:
            self._events.add_image("samples", tiles, step)
            self._events.flush()
        return path

    def close(self) -> None:
        """Close the files."""
        self._file.close()
        if self._events:
            self._events.close()


def sheet(x: Tensor, *, columns: int = 10, least: int = 48, gap: int = 2) -> Tensor:
    """Arrange pictures row by row on one grey sheet; each pixel becomes a square of pixels.

    Args:
        x: pictures in ``[-1, 1]``, ``(B, C, H, W)`` with one or three channels.
        columns: pictures in a row.
        least: small pictures are enlarged by a whole number to at least this height.
        gap: pixels between two pictures.

    Returns:
        ``uint8``, ``(C, height, width)``, on the CPU.

    >>> sheet(torch.zeros(3, 1, 16, 16), columns=2).shape
    torch.Size([1, 98, 98])
    """
    scale = math.ceil(least / x.shape[2])
    tiles = to_uint8(x).cpu().repeat_interleave(scale, dim=2).repeat_interleave(scale, dim=3)
    count, channels, high, wide = tiles.shape
    columns = min(columns, count)
    page = torch.full(
        (channels, math.ceil(count / columns) * (high + gap), columns * (wide + gap)),
        128,
        dtype=torch.uint8,
    )
    for i, tile in enumerate(tiles):
        top, left = (i // columns) * (high + gap), (i % columns) * (wide + gap)
        page[:, top : top + high, left : left + wide] = tile
    return page[:, : page.shape[1] - gap, : page.shape[2] - gap].clone() if gap else page


def read_journal(path: str | Path) -> list[dict[str, float]]:
    """Return the records of a ``history.jsonl``; a line that was cut short by a crash is left out.

    Raises:
        ValueError: if a line before the last is damaged.
    """
    lines = Path(path).read_bytes().split(b"\n")
    records = []
    for number, line in enumerate(lines, start=1):
        try:
            if line:
                records.append(json.loads(line))
        except ValueError as error:
            if number < len(lines):
                raise ValueError(f"{path}: line {number} is damaged") from error
    return records


def cut_after(path: Path, step: int) -> float:
    """Delete the records after a step; return the seconds of the last that stays, or zero."""
    if not path.exists():
        return 0.0
    kept = [record for record in read_journal(path) if record["step"] <= step]
    write_whole(path, "".join(json.dumps(record) + "\n" for record in kept))
    return float(kept[-1]["seconds"]) if kept else 0.0


def write_json(path: Path, content: Any) -> None:
    """Write a file whole or not at all."""
    write_whole(path, json.dumps(content, indent=2) + "\n")


def _open_events(folder: Path, after: int) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        print("TensorBoard is not installed: history.jsonl has the losses", file=sys.stderr)
        return None
    # what a killed run wrote after its last checkpoint, if it had one, is hidden; the rest stays
    return SummaryWriter(folder, purge_step=after + 1, flush_secs=30)
