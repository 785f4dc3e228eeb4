"""What the first lesson lets the reader write: which device, which order, how many epochs."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["DEVICES", "choose_device", "epochs_seen", "shuffled"]

DEVICES = ("cpu", "cuda", "mps")
"""The names that torch gives to the processor, an NVIDIA GPU and an Apple GPU."""


def choose_device(cuda: bool, mps: bool, wanted: str | None = None) -> int:
    """Return the place in ``DEVICES`` of the device to use, given what a machine has.

    Args:
        cuda: whether torch can use an NVIDIA GPU.
        mps: whether torch can use an Apple GPU.
        wanted: one of ``DEVICES`` that must be used; None takes the fastest: CUDA, MPS, CPU.

    Raises:
        ValueError: if the wanted device is unknown, or this machine does not have it; another one
            in its place would cost an evening before anybody noticed.

    >>> DEVICES[choose_device(cuda=False, mps=True)]
    'mps'
    """
    has = {"cpu": True, "cuda": cuda, "mps": mps}
    if wanted is None:
        wanted = "cuda" if cuda else "mps" if mps else "cpu"
    if not has.get(wanted, False):
        raise ValueError(f"{wanted!r} is not here: this machine has {[d for d in has if has[d]]}")
    return DEVICES.index(wanted)


def shuffled(x: Tensor, seed: int) -> Tensor:
    """Return the rows of ``x`` in a random order that depends on the seed and on nothing else.

    Args:
        x: pictures or anything else with rows, ``(N, ...)``.
        seed: an integer; the global random states are neither used nor changed.

    Returns:
        The same rows in another order, ``(N, ...)``.

    >>> torch.equal(shuffled(torch.arange(9.0), seed=3), shuffled(torch.arange(9.0), seed=3))
    True
    """
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(seed))
    return x[order.to(x.device)]


def epochs_seen(steps: int, batch_size: int, images: int) -> float:
    """Return how often each image of a set was seen in training, on average.

    Args:
        steps: updates done.
        batch_size: images in each.
        images: images in the set.

    Raises:
        ValueError: if there are no images.

    >>> epochs_seen(100, batch_size=50, images=2000)
    2.5
    """
    if images < 1:
        raise ValueError(f"images is {images}: expected at least one")
    return steps * batch_size / images
