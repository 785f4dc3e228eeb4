"""Where to compute, and how to make a run repeatable."""

from __future__ import annotations

import random

import torch

from genimg_course.training.orientation import DEVICES, choose_device

__all__ = ["pick_device", "seed_everything"]


def pick_device(name: str | None = None) -> torch.device:
    """Return the device to use: the named one, else CUDA, else Apple's MPS, else the CPU.

    Raises:
        ValueError: if the named device does not exist on this machine.

    >>> pick_device("cpu")
    device(type='cpu')
    """
    if name is None:
        best = choose_device(torch.cuda.is_available(), torch.backends.mps.is_available())
        return torch.device(DEVICES[best])
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ValueError(f"device {name!r} cannot be used on this machine; try 'cpu'") from error
    return device


def seed_everything(seed: int) -> torch.Generator:
    """Seed Python's, NumPy's and torch's global generators; return a fresh generator for the data.

    Args:
        seed: any integer from 0 to 2**32 - 1.

    Raises:
        ValueError: if the seed is outside that range.
    """
    import numpy as np

    if not 0 <= seed < 2**32:
        raise ValueError(f"seed is {seed}: expected an integer from 0 to 2**32 - 1")
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    return torch.Generator().manual_seed(seed)
