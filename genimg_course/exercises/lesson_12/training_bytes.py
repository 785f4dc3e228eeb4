"""Exercise: the memory that a training needs."""

from collections.abc import Callable
from typing import Any

import torch

from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.maths.cost import training_bytes
from genimg_course.probing.case import Case

__all__ = ["SPECIFICATION"]


def _cases(rng: torch.Generator) -> list[Case]:
    def sizes() -> dict[str, int]:
        drawn = torch.randint(1000, 100_000, (2,), generator=rng).tolist()
        return {"parameters": drawn[0], "activations": drawn[1]}

    return [
        Case(sizes(), {"batch_size": 64}),
        Case(sizes(), {"batch_size": 7}),
        Case(sizes(), {"batch_size": 16, "average": True}, name="a running average"),
        Case(sizes(), {"batch_size": 128, "half": True}, name="half precision"),
        Case(sizes(), {"batch_size": 5, "moments": 0}, name="plain descent"),
        Case(
            sizes(),
            {"batch_size": 9, "moments": 1, "half": True, "average": True},
            name="everything together",
        ),
    ]


def _variant(
    *, copies: int = 2, moment: float = 1, averaged: bool = True, weights_halve: bool = False
) -> Callable[..., int]:
    def wrong(parameters: int, activations: int, *, batch_size: int, **options: Any) -> int:
        width = 2 if options.get("half") else 4
        held = copies + moment * options.get("moments", 2) + (averaged and _averages(options))
        return int((width if weights_halve else 4) * parameters * held) + (
            width * activations * batch_size
        )

    return wrong


def _averages(options: dict[str, Any]) -> bool:
    return bool(options.get("average"))


def _no_batch(parameters: int, activations: int, *, batch_size: int, **options: Any) -> int:
    return training_bytes(parameters, activations, batch_size=1, **options)


def _batch_everywhere(parameters: int, activations: int, *, batch_size: int, **options: Any) -> int:
    return batch_size * training_bytes(parameters, activations, batch_size=1, **options)


def _numbers(parameters: int, activations: int, *, batch_size: int, **options: Any) -> int:
    copies = 2 + options.get("moments", 2) + _averages(options)
    return parameters * copies + activations * batch_size


SPECIFICATION = Specification(
    id="training.training_bytes",
    title="The memory of a training",
    reference=training_bytes,
    cases=_cases,
    misconceptions=(
        Misconception(
            "NO_GRADIENTS",
            _variant(copies=1),
            "The gradients are missing. Each weight has one, and it takes as much memory as the "
            "weight.",
        ),
        Misconception(
            "NO_MOMENTS",
            _variant(moment=0),
            "The optimiser's running means are missing. Adam keeps two numbers for each weight.",
        ),
        Misconception(
            "NO_AVERAGE",
            _variant(averaged=False),
            "The running average of the weights is missing: it is one more copy of all weights.",
        ),
        Misconception(
            "HALF_OF_ALL",
            _variant(weights_halve=True),
            "Everything is halved. Under mixed precision weights, gradients and moments stay in "
            "float32; only the activations shrink.",
        ),
        Misconception(
            "ONE_IMAGE",
            _no_batch,
            "The activations of one image are counted. The backward pass needs those of every "
            "image of the batch.",
        ),
        Misconception(
            "BATCH_TIMES_ALL",
            _batch_everywhere,
            "The weights are counted once for each image. All images of a batch share them.",
        ),
        Misconception(
            "NUMBERS",
            _numbers,
            "This counts numbers. A number in float32 takes four bytes, one in half precision two.",
        ),
    ),
    hints=Hints(
        property=(
            "Checked is a whole number of bytes for Adam, momentum and plain descent, with and "
            "without an average, in full and in half precision."
        ),
        place=(
            "Two sums: what grows with the number of weights, and what grows with the batch. Which "
            "of the two does half precision touch?"
        ),
        example=(
            "A thousand weights with Adam take 16,000 bytes before the first image. Run this:\n"
            ">>> training_bytes(1000, 500, batch_size=2)\n"
            "20000"
        ),
        question=(
            "Write down each tensor that exists at the end of the backward pass. How many of them "
            "have the shape of the weights?"
        ),
        analogue=(
            "For one weight with momentum and an average: weight, gradient, one running mean, one "
            "average, 4 numbers of 4 bytes, 16 bytes in all."
        ),
    ),
)
