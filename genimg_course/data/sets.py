"""A set of pictures in memory, and the card that says what it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

__all__ = ["Card", "DataError", "ImageSet"]


class DataError(OSError, RuntimeError):
    """A file of a data set is missing, damaged or unreadable; the message says what to do.

    It is an ``OSError`` because files are the matter, and a ``RuntimeError`` because that is what
    torchvision raises in the same situation: code that already catches one of them keeps working.
    """


@dataclass(frozen=True)
class Card:
    """Describe a data set: what it shows, who may use it, what is known about each picture.

    Args:
        name: the word for ``load``.
        title: one line for people.
        licence: name of the licence of the pictures.
        source: where the pictures come from.
        shape: ``(C, H, W)`` of one picture.
        classes: names of the classes in the order of the labels; empty where there are none.
        factors: what is known about each picture, a name and its meaning with its unit.
        citation: how to cite the set; empty where there is nothing to cite.
    """

    name: str
    title: str
    licence: str
    source: str
    shape: tuple[int, int, int]
    classes: tuple[str, ...] = ()
    factors: Mapping[str, str] = field(default_factory=dict)
    citation: str = ""

    def __str__(self) -> str:
        channels, height, width = self.shape
        colour = {1: "grey", 3: "colour"}.get(channels, f"{channels} channels")
        lines = [f"{self.title} ({self.name})", f"  shape     {height} x {width}, {colour}"]
        if self.classes:
            lines.append(f"  classes   {len(self.classes)}: {', '.join(self.classes)}")
        lines += [f"  factor    {name}: {meaning}" for name, meaning in self.factors.items()]
        lines += [f"  source    {self.source}", f"  licence   {self.licence}"]
        return "\n".join(lines + ([f"  cite as   {self.citation}"] if self.citation else []))


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Hold pictures with their labels and known factors.

    Args:
        images: ``uint8``, ``(N, C, H, W)``, from 0 to 255.
        labels: ``int64``, ``(N,)``, or None where there are no classes.
        card: what the set is.
        factors: name of a factor to its values, ``(N,)`` each.

    Raises:
        ValueError: if a type or a length does not fit.

    >>> card = Card("dots", "Two dots", "CC0", "this line", (1, 2, 2))
    >>> dots = ImageSet(torch.zeros(2, 1, 2, 2, dtype=torch.uint8), None, card)
    >>> len(dots), dots.select([1]).images.shape
    (2, torch.Size([1, 1, 2, 2]))
    """

    images: Tensor
    labels: Tensor | None
    card: Card
    factors: Mapping[str, Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.images.dtype != torch.uint8 or self.images.ndim != 4:
            raise ValueError(
                f"images are {self.images.dtype} of shape {tuple(self.images.shape)}; "
                "give uint8 of shape (N, C, H, W)"
            )
        if self.labels is not None and self.labels.dtype != torch.int64:
            raise ValueError(f"labels are {self.labels.dtype}; give int64")
        for name, values in self._columns().items():
            if values.shape != (len(self),):
                raise ValueError(
                    f"{name} has the shape {tuple(values.shape)}; give one value for each of "
                    f"the {len(self)} images"
                )

    def __len__(self) -> int:
        return len(self.images)

    def __repr__(self) -> str:
        shape, labels = (tuple(self.images.shape), "no labels" if self.labels is None else "labels")
        return f"ImageSet({self.card.name!r}, images {shape}, {labels}, factors {[*self.factors]})"

    def to(self, device: torch.device | str) -> "ImageSet":
        """Return the set with all its tensors on ``device``."""
        labels = None if self.labels is None else self.labels.to(device)
        factors = {name: values.to(device) for name, values in self.factors.items()}
        return replace(self, images=self.images.to(device), labels=labels, factors=factors)

    def select(self, which: Tensor | Sequence[int] | Sequence[bool]) -> "ImageSet":
        """Return a part of the set.

        Args:
            which: a mask of ``N`` booleans, or the indices to take, in any order.

        Returns:
            A set of its own, with copies of what was taken.

        Raises:
            ValueError: if a mask has another length, or an index lies outside the set.
        """
        index = self._as_index(torch.as_tensor(which, device=self.images.device))
        labels = None if self.labels is None else self.labels[index]
        factors = {name: values[index] for name, values in self.factors.items()}
        return replace(self, images=self.images[index], labels=labels, factors=factors)

    def _columns(self) -> dict[str, Tensor]:
        labels = {} if self.labels is None else {"labels": self.labels}
        return {**labels, **{f"factor {name}": values for name, values in self.factors.items()}}

    def _as_index(self, which: Tensor) -> Tensor:
        if which.dtype == torch.bool:
            if which.shape != (len(self),):
                raise ValueError(f"the mask has {tuple(which.shape)} values, not {len(self)}")
            return which.nonzero().flatten()
        if which.numel() == 0:
            return which.to(torch.int64).flatten()
        if which.is_floating_point() or which.ndim != 1:
            raise ValueError(f"{which.dtype} of shape {tuple(which.shape)} is no list of indices")
        if int(which.min()) < -len(self) or int(which.max()) >= len(self):
            raise ValueError(f"an index lies outside the {len(self)} images of the set")
        return which.to(torch.int64)
