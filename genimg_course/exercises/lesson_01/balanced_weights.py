"""Exercise: draw from unequal classes so that all come equally."""

import torch
from torch import Tensor

from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.maths.balance import balanced_weights
from genimg_course.probing.case import Case

__all__ = ["SPECIFICATION"]


def _cases(rng: torch.Generator) -> list[Case]:
    def labels(*counts: int) -> dict[str, Tensor]:
        every = torch.arange(len(counts)).repeat_interleave(torch.tensor(counts))
        return {"labels": every[torch.randperm(len(every), generator=rng)]}

    return [
        Case(labels(7, 2, 1)),
        Case(labels(3, 30, 5, 12)),
        Case(labels(100, 1)),
        Case(labels(4, 0, 9, 2), name="a class without examples"),
    ]


def _counts(labels: Tensor) -> Tensor:
    return labels.bincount().double()


def _normalised(values: Tensor) -> Tensor:
    return values / values.sum()


def _per_class(labels: Tensor) -> Tensor:
    counts = _counts(labels)
    return _normalised(counts[counts > 0].reciprocal())


SPECIFICATION = Specification(
    id="images.balanced_weights",
    title="Chances that balance the classes",
    reference=balanced_weights,
    cases=_cases,
    misconceptions=(
        Misconception(
            "PROPORTIONAL",
            lambda labels: _normalised(_counts(labels)[labels]),
            "Examples of large classes get large weights, so the imbalance grows. Whose examples "
            "must be drawn more often?",
        ),
        Misconception(
            "PER_CLASS",
            _per_class,
            "This is one number for each class. A sampler draws examples, so each of them needs "
            "its own weight.",
        ),
        Misconception(
            "UNNORMALISED",
            lambda labels: _counts(labels)[labels].reciprocal(),
            "The proportions are right, but the weights add up to the number of classes. "
            "Probabilities add up to one.",
        ),
        Misconception(
            "EVEN",
            lambda labels: torch.full((len(labels),), 1 / len(labels), dtype=torch.float64),
            "All examples have the same chance: then the classes stay as unequal as they are.",
        ),
        Misconception(
            "ROOT",
            lambda labels: _normalised(_counts(labels)[labels].rsqrt()),
            "The square root of the counts goes only part of the way. Some people want that; here "
            "all classes should be equally likely.",
        ),
        Misconception(
            "ABSENT",
            lambda labels: _counts(labels)[labels].reciprocal() / len(_counts(labels)),
            "A class that has no example is counted among the classes, so its share is missing "
            "from the sum.",
        ),
    ),
    hints=Hints(
        property="Checked is the weight of every example, in float64, and that they sum to one.",
        place="Count the examples of each class, then look the count up for each example.",
        example=(
            "Three examples of class 0 share one half; the single one of class 1 has the other. "
            "Run this:\n"
            ">>> balanced_weights(torch.tensor([0, 0, 1, 0]))\n"
            "tensor([0.1667, 0.1667, 0.5000, 0.1667], dtype=torch.float64)"
        ),
        question="If all classes are worth the same in total, how much is one example worth?",
        analogue=(
            "With other numbers: of five classes the largest has 400 examples. Each of them gets "
            "1 / (5 * 400) = 0.0005."
        ),
    ),
)
