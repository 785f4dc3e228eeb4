"""All random states of a process, and of all processes together."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from lightning_fabric import Fabric

__all__ = ["gather_random_states", "set_random_states"]


def gather_random_states(fabric: Fabric | None = None) -> list[dict[str, Any]]:
    """Return the random states of Python, NumPy, torch and the GPUs, one entry a process.

    They hold tensors, numbers and strings only, so that a file of them loads without running code.
    """
    import numpy as np

    state: Any = np.random.get_state(legacy=True)
    name, keys, position, has_gauss, gauss = state
    mine: dict[str, Any] = {
        "python": random.getstate(),
        # int64, for torch can neither send nor save its uint32 in every way
        "numpy": [name, torch.from_numpy(keys.astype(np.int64)), position, has_gauss, gauss],
        "torch": torch.get_rng_state(),
    }
    if torch.cuda.is_available():
        mine["cuda"] = torch.cuda.get_rng_state()
    if torch.backends.mps.is_available():
        mine["mps"] = torch.mps.get_rng_state()
    if fabric is None or fabric.world_size == 1:
        return [mine]
    every: list[Any] = [None] * fabric.world_size
    torch.distributed.all_gather_object(every, mine)
    return every


def set_random_states(states: list[dict[str, Any]], fabric: Fabric | None = None) -> None:
    """Set what ``gather_random_states`` returned, each process its own entry.

    Raises:
        ValueError: if there is no entry for this process.
    """
    import numpy as np

    rank = 0 if fabric is None else fabric.global_rank
    if rank >= len(states):
        raise ValueError(f"random states of {len(states)} processes: none is for process {rank}")
    mine = states[rank]
    version, internal, gauss_next = mine["python"]
    random.setstate((version, tuple(internal), gauss_next))
    name, keys, *rest = mine["numpy"]
    np.random.set_state((name, keys.numpy().astype(np.uint32), *rest))
    torch.set_rng_state(mine["torch"])
    if "cuda" in mine and torch.cuda.is_available():
        torch.cuda.set_rng_state(mine["cuda"])
    if "mps" in mine and torch.backends.mps.is_available():
        torch.mps.set_rng_state(mine["mps"])
