"""Exercise: dropout in training and in evaluation."""

import torch
from torch import Tensor

from genimg_course.exercises.inputs import normal
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.maths.layers import dropout
from genimg_course.probing.case import Case

__all__ = ["SPECIFICATION"]


def _cases(rng: torch.Generator) -> list[Case]:
    def batch(*shape: int, p: float, dtype: torch.dtype = torch.float64) -> dict[str, Tensor]:
        keep = (torch.rand(shape, generator=rng) >= p).to(dtype)
        keep.view(-1)[0], keep.view(-1)[-1] = 1.0, 0.0  # each mask keeps and drops something
        return {"x": 3 + normal(rng, *shape, dtype=dtype), "keep": keep}

    return [
        Case(batch(6, 5, p=0.3), {"p": 0.3}),
        Case(batch(4, 3, 2, p=0.6), {"p": 0.6}),
        Case(batch(5, 4, p=0.3), {"p": 0.3, "training": False}, name="evaluation"),
        Case(batch(3, 4, p=0.8), {"p": 0.8, "training": True}),
        Case(batch(4, 6, p=0.2, dtype=torch.float32), {"p": 0.2}, name="float32 inputs"),
    ]


SPECIFICATION = Specification(
    id="networks.dropout",
    title="Dropout in training and in evaluation",
    reference=dropout,
    cases=_cases,
    differentiate=("x",),
    misconceptions=(
        Misconception(
            "NO_SCALE",
            lambda x, keep, p, training=True: x * keep if training else x,
            "What is kept is not scaled up. The mean of a value then falls by the dropped share in "
            "training, and the next layer meets other numbers in evaluation.",
        ),
        Misconception(
            "TIMES_P",
            lambda x, keep, p, training=True: x * keep * p if training else x,
            "What is kept is multiplied by the dropped share. It must grow, so that the mean over "
            "all masks stays.",
        ),
        Misconception(
            "OVER_P",
            lambda x, keep, p, training=True: x * keep / p if training else x,
            "What is kept is divided by the dropped share. On average the kept share remains; "
            "divide by that.",
        ),
        Misconception(
            "ALWAYS",
            lambda x, keep, p, training=True: x * keep / (1 - p),
            "It drops in evaluation as well. There the network answers with all it has.",
        ),
        Misconception(
            "SCALED_LATER",
            lambda x, keep, p, training=True: x * keep if training else x * (1 - p),
            "The scale is applied in evaluation. That is the original dropout; here training pays, "
            "so that evaluation changes nothing.",
        ),
        Misconception(
            "SCALED_TWICE",
            lambda x, keep, p, training=True: x * keep / (1 - p) if training else x * (1 - p),
            "Evaluation scales down although training has scaled up. One of them is enough.",
        ),
        Misconception(
            "INVERTED",
            lambda x, keep, p, training=True: x * (1 - keep) / (1 - p) if training else x,
            "It drops what should be kept: a one in the mask means keep.",
        ),
        Misconception(
            "ONE_MASK",
            lambda x, keep, p, training=True: x * keep[:1] / (1 - p) if training else x,
            "All examples share the mask of the first. Each has a mask of its own, or the batch "
            "loses the same values together.",
        ),
    ),
    hints=Hints(
        property=(
            "Checked are the values for several shares, in training and in evaluation, and the "
            "gradient for x."
        ),
        place=(
            "Training: what does the mean over all masks make of a value, and which factor puts it "
            "back? Evaluation: nothing happens."
        ),
        example=(
            "Half is dropped, so what stays is doubled. Run this:\n"
            ">>> dropout(torch.tensor([1.0, 2.0]), torch.tensor([0.0, 1.0]), p=0.5)\n"
            "tensor([0., 4.])"
        ),
        question=(
            "A value is kept in seven of ten cases. By how much must it grow in these seven, if "
            "its mean over all ten is to stay?"
        ),
        analogue=(
            "A bus comes only on four days of five. If it is to carry the same number of people a "
            "week, it has to carry 1.25 times as many on each of the four."
        ),
    ),
)
