"""What to observe in lesson 00: a device that is chosen or refused, an order that comes again."""

import random

import numpy as np
import torch
from torch import Tensor

from genimg_course.probing.case import Case, Function, Observations
from genimg_course.probing.values import call, copies, plain, unchanged

__all__ = ["choose_device", "shuffled"]


def choose_device(function: Function, case: Case) -> Observations:
    """Observe whether the wish is refused by a ``ValueError``, and if not, the device.

    Both are the answer itself, so to claim the right ones is to know them.
    """
    try:
        result = plain(call(function, case, copies(case)))
    except ValueError:
        yield "refused", True
        return
    yield "refused", False
    yield "value", result


def shuffled(function: Function, case: Case) -> Observations:
    """Observe the rows of several calls, and the global random states after the first."""
    inputs = copies(case)
    first = plain(function(*inputs.values()))
    after = _states()
    yield "value", first
    yield from unchanged(case, inputs)
    _use_up_randomness()
    yield "again", plain(function(*copies(case).values()))
    others = [plain(function(case.inputs["x"].clone(), case.inputs["seed"] + n)) for n in (1, 2, 3)]
    yield "others", tuple(others)
    for name, state in after.items():
        yield f"left alone:{name}", state


def _states() -> dict[str, Tensor]:
    numpy = np.random.get_state(legacy=False)["state"]
    return {
        "torch": torch.get_rng_state(),
        "numpy": torch.tensor([*numpy["key"].tolist(), numpy["pos"]]),
        "random": torch.tensor(random.getstate()[1]),
    }


def _use_up_randomness() -> None:
    torch.randn(7)
    np.random.rand(7)
    for _ in range(7):
        random.random()
