"""Exercise: what a discriminator says that is shown fakes under both labels."""

import torch
from torch import Tensor

from genimg_course.exercises.inputs import uniform
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.maths.faulty_games import misled_discriminator
from genimg_course.probing.case import Case

__all__ = ["SPECIFICATION"]


def _cases(rng: torch.Generator) -> list[Case]:
    def laws(count: int, dtype: torch.dtype = torch.float64) -> dict[str, Tensor]:
        p, q = (uniform(rng, count, low=0.05, dtype=dtype) for _ in range(2))
        return {"p": p / p.sum(), "q": q / q.sum()}

    apart = laws(6)
    apart["p"][:2] = 0.0
    apart["q"][-2:] = 0.0
    empty = laws(4)
    empty["p"][1] = empty["q"][1] = 0.0
    return [
        Case(laws(5), {"mislabelled": 1.0}, name="the total loss"),
        Case(laws(5), {"mislabelled": 2.0}, name="two fakes called real for each called fake"),
        Case(laws(4), {"mislabelled": 0.0}, name="no wrong label"),
        Case(apart, {"mislabelled": 0.4}, name="supports that differ"),
        Case(empty, {"mislabelled": 2.0}, name="a point that neither law reaches"),
        Case(laws(4, torch.float32), {"mislabelled": 1.0}, name="float32 inputs"),
    ]


def _share(part: Tensor, rest: Tensor, otherwise: float) -> Tensor:
    """Return ``part / (part + rest)``, another number where both are zero."""
    total = part + rest
    return torch.where(total > 0, part / total.where(total > 0, torch.ones_like(total)), otherwise)


def _empty(c: float) -> float:
    return (1 + c) / (2 + c)


SPECIFICATION = Specification(
    id="gan.misled_discriminator",
    title="What a discriminator says that is shown fakes under both labels",
    reference=misled_discriminator,
    cases=_cases,
    misconceptions=(
        Misconception(
            "HONEST",
            lambda p, q, mislabelled: _share(p, q, 0.5),
            "This is the answer of the honest game. The fakes that are shown as real are missing.",
        ),
        Misconception(
            "AS_FAKE",
            lambda p, q, mislabelled: _share(p, (1 + mislabelled) * q, 1 / (2 + mislabelled)),
            "The extra fakes are counted as fakes with the label fake. They carry the label real, "
            "so they belong above the line too.",
        ),
        Misconception(
            "ABOVE_ONLY",
            lambda p, q, mislabelled: (p + mislabelled * q) / (p + q),
            "The extra fakes are counted above the line and not below it, so that the answer can "
            "exceed 1. Below stands all that is shown at the point.",
        ),
        Misconception(
            "INSTEAD",
            lambda p, q, mislabelled: _share(p + mislabelled * q, (1 - mislabelled) * q, 0.5),
            "The extra fakes are taken from the fakes that are called fake. They come on top.",
        ),
        Misconception(
            "ALWAYS_ONE",
            lambda p, q, mislabelled: _share(p + q, q, 2 / 3),
            "The weight is not used. This is the answer for a weight of 1.",
        ),
        Misconception(
            "SWAPPED",
            lambda p, q, mislabelled: _share(q, p + mislabelled * q, 1 / (2 + mislabelled)),
            "This is the share of the label fake. The discriminator's answer is the share of the "
            "label real.",
        ),
        Misconception(
            "EMPTY_HALF",
            lambda p, q, mislabelled: _share(p + mislabelled * q, q, 0.5),
            "All is right except at points that nothing reaches. There only the share of the label "
            "real among everything that is shown is known, and it is not one half here.",
        ),
        Misconception(
            "ZERO",
            lambda p, q, mislabelled: (p + mislabelled * q) / (p + q + mislabelled * q),
            "The formula is right, but where both densities are zero it divides zero by zero.",
        ),
    ),
    hints=Hints(
        property=(
            "Checked are weights 0, 0.4, 1 and 2, points that one law misses, and a point that "
            "both miss."
        ),
        place=(
            "Count what is shown at one point, by label. The best answer is the share of the label "
            "real among it."
        ),
        example=(
            "Where only fakes land, a weight of 1 shows each of them once under either label. Run "
            "this:\n"
            ">>> misled_discriminator(torch.tensor([0.0]), torch.tensor([0.4]), mislabelled=1.0)\n"
            "tensor([0.5000])"
        ),
        question="For each real image, how many are shown in all, and how many are called real?",
        analogue=(
            "With other words: a bag gets 3 red marbles marked A, 5 blue ones marked B, and then "
            "10 more blue ones marked A. Of the marks, 13 of 18 are A."
        ),
    ),
)
