"""Exercise: how often each picture was seen."""

import math

import torch

from genimg_course.exercises.inputs import integers
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.probing.case import Case
from genimg_course.training.orientation import epochs_seen

__all__ = ["SPECIFICATION"]


def _cases(rng: torch.Generator) -> list[Case]:
    def run(least: int, most: int) -> dict[str, int]:
        steps = int(integers(rng, 1, low=least, high=most))
        batch_size = int(integers(rng, 1, low=17, high=130))
        images = int(integers(rng, 1, low=4001, high=9000)) * 2 + 1
        return {"steps": steps, "batch_size": batch_size, "images": images}

    return [
        Case(run(1001, 3000)),
        Case(run(3001, 9000)),
        Case(run(11, 31), name="less than one epoch"),
        Case({"steps": 400, "batch_size": 50, "images": 5000}, name="whole epochs"),
    ]


SPECIFICATION = Specification(
    id="orientation.epochs_seen",
    title="How often each picture was seen",
    reference=epochs_seen,
    cases=_cases,
    misconceptions=(
        Misconception(
            "NO_BATCH",
            lambda steps, batch_size, images: steps / images,
            "A step looks at a whole batch, not at one picture.",
        ),
        Misconception(
            "PRODUCT",
            lambda steps, batch_size, images: float(steps * batch_size),
            "This counts the pictures that were looked at, repetitions included. How often is that "
            "for each picture of the set?",
        ),
        Misconception(
            "INVERTED",
            lambda steps, batch_size, images: images / (steps * batch_size),
            "This is the inverse: it falls while training goes on.",
        ),
        Misconception(
            "STEPS_OF_AN_EPOCH",
            lambda steps, batch_size, images: images / batch_size,
            "This is the number of steps in one epoch. How many epochs do all the steps make?",
        ),
        Misconception(
            "WHOLE",
            lambda steps, batch_size, images: float(steps * batch_size // images),
            "Only whole epochs are counted. On average a picture may have been seen two and a half "
            "times.",
        ),
        Misconception(
            "ROUNDED_UP",
            lambda steps, batch_size, images: float(math.ceil(steps * batch_size / images)),
            "An epoch that has only begun is counted as a whole one.",
        ),
    ),
    hints=Hints(
        property="Checked is one number, a mean; it need not be whole.",
        place="First count all pictures that the steps looked at. Then share them out.",
        example=(
            "A hundred steps with 50 pictures each, on a set of 2000. Run this:\n"
            ">>> epochs_seen(100, 50, 2000)\n"
            "2.5"
        ),
        question="After one step, which share of the set has been seen?",
        analogue=(
            "With other numbers: a teacher asks 4 children in each lesson, 30 lessons long, in a "
            "class of 24. Each child was asked 4 * 30 / 24 = 5 times."
        ),
    ),
)
