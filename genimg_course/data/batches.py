"""Endless shuffled batches that resume exactly where they stopped."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from genimg_course.data.sets import ImageSet
from genimg_course.maths.pixels import to_model_range

__all__ = ["Batches"]


class Batches(Iterator[tuple[Tensor, ...]]):
    """Give batches of a set without end, each epoch in a fresh order.

    The pictures stay ``uint8`` on the device; only a batch becomes ``float32``. Within an epoch no
    picture comes twice; what is left over for less than a batch waits for a later epoch.

    Args:
        image_set: where the pictures come from.
        batch_size: pictures in a batch of all processes together, from 1 to ``len(image_set)``.
        rng: source of the orders, on the CPU, so that the orders are the same on every device.
        device: where the batches are made.
        share: number of this process and how many there are. All shuffle alike (give each an
            ``rng`` with the same seed), and process ``r`` takes every row ``r::world`` of a batch.

    Raises:
        ValueError: if the batch does not fit the set or cannot be shared out evenly, or ``rng`` is
            not on the CPU.

    >>> from genimg_course.data.sets import Card
    >>> card = Card("dots", "Dots", "CC0", "this line", (1, 2, 2))
    >>> dots = ImageSet(torch.zeros(9, 1, 2, 2, dtype=torch.uint8), torch.arange(9), card)
    >>> x, y = next(Batches(dots, 4, rng=torch.Generator().manual_seed(0)))
    >>> x.shape, x.dtype, y.shape, y.dtype
    (torch.Size([4, 1, 2, 2]), torch.float32, torch.Size([4]), torch.int64)
    """

    def __init__(
        self,
        image_set: ImageSet,
        batch_size: int,
        *,
        rng: torch.Generator,
        device: torch.device | str = "cpu",
        share: tuple[int, int] = (0, 1),
    ) -> None:
        if not 1 <= batch_size <= len(image_set):
            raise ValueError(f"batch_size is {batch_size}; give 1 to {len(image_set)}")
        if rng.device.type != "cpu":
            raise ValueError(f"rng lives on {rng.device}; make it with torch.Generator()")
        rank, world = share
        if not 0 <= rank < world or batch_size % world:
            raise ValueError(
                f"share is {share} of batches of {batch_size}: expected a process number below the "
                "number of processes, and a batch size that they share evenly"
            )
        self.batch_size = batch_size
        self._share = share
        self._set = image_set.to(device)
        self._rng = rng
        self._start_epoch()

    @property
    def batches_per_epoch(self) -> int:
        """Return how many batches an epoch has."""
        return len(self._set) // self.batch_size

    def __next__(self) -> tuple[Tensor, ...]:
        if self._position == self.batches_per_epoch:
            self._start_epoch()
        start = self._position * self.batch_size
        rank, world = self._share
        index = self._order[start + rank : start + self.batch_size : world]
        self._position += 1
        # copies whole pictures, where images[index] would pick number by number on a CPU
        x = to_model_range(self._set.images.index_select(0, index))
        return (x,) if self._set.labels is None else (x, self._set.labels[index])

    def state_dict(self) -> dict[str, Any]:
        """Return what ``load_state_dict`` needs to go on with the very next batch."""
        return {
            "images": len(self._set),
            "batch_size": self.batch_size,
            "position": self._position,
            "epoch_rng": self._epoch_rng.clone(),
            "rng": self._rng.get_state(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where the state was taken; sets the generator given as ``rng`` as well.

        Args:
            state: what ``state_dict`` returned, for the same set and batch size.

        Raises:
            ValueError: if the state belongs to another set or batch size.
        """
        here = {"images": len(self._set), "batch_size": self.batch_size}
        there = {name: int(state[name]) for name in here}
        if here != there:
            raise ValueError(f"the state is for {there}, these batches have {here}")
        # drawing the order of the epoch again spares the state 8 bytes a picture
        self._rng.set_state(state["epoch_rng"].cpu())
        self._start_epoch()
        self._position = int(state["position"])
        self._rng.set_state(state["rng"].cpu())

    def _start_epoch(self) -> None:
        self._epoch_rng = self._rng.get_state()
        order = torch.randperm(len(self._set), generator=self._rng)
        self._order = order.to(self._set.images.device)
        self._position = 0
