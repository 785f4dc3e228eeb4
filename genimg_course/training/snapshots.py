"""Everything that decides how a run goes on, kept in memory."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from genimg_course.training.checkpoints import Stateful

__all__ = ["restore_run", "run_state"]


def run_state(
    network: nn.Module, optimizer: Optimizer, average: Stateful, batches: Stateful
) -> dict[str, Any]:
    """Return a copy of all that the next steps of a run depend on.

    Args:
        network: what learns; its weights and its buffers.
        optimizer: its running means and its count of steps.
        average: the running average of the weights.
        batches: the place in the data and the order of the epoch.

    Returns:
        ``network``, ``optimizer``, ``average`` and ``batches``, what their ``state_dict`` says, and
        ``rng``, the state of torch's global generator, from which steps on the CPU draw their noise
        (`Checkpoints` keeps those of Python, NumPy and the GPUs too). Training on does not change
        what is returned.
    """
    parts: dict[str, Any] = {
        "network": network,
        "optimizer": optimizer,
        "average": average,
        "batches": batches,
    }
    # a state_dict holds the tensors themselves, and the next step would overwrite them
    state = {name: copy.deepcopy(part.state_dict()) for name, part in parts.items()}
    return {**state, "rng": torch.get_rng_state()}


def restore_run(
    saved: dict[str, Any],
    network: nn.Module,
    optimizer: Optimizer,
    average: Stateful,
    batches: Stateful,
) -> None:
    """Put back what was saved; parts that were not saved stay as they are.

    Args:
        saved: what ``run_state`` returned, or some of it.
        network: what learns.
        optimizer: holds the network's parameters.
        average: the running average of the weights.
        batches: the stream of batches.
    """
    parts: dict[str, Any] = {
        "network": network,
        "optimizer": optimizer,
        "average": average,
        "batches": batches,
    }
    for name, part in parts.items():
        if name in saved:
            part.load_state_dict(copy.deepcopy(saved[name]))
    if "rng" in saved:
        torch.set_rng_state(saved["rng"])
