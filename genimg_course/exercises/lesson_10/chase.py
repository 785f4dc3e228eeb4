"""Exercise: what many generator updates do while the discriminator stands still."""

import torch
from torch import Tensor

from genimg_course.exercises.inputs import normal
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.maths.modes import chase
from genimg_course.probing.case import Case

__all__ = ["SPECIFICATION"]


def _cases(rng: torch.Generator) -> list[Case]:
    def problem(count: int, dtype: torch.dtype = torch.float64) -> dict[str, Tensor]:
        return {
            "law": normal(rng, count, dtype=dtype).softmax(dim=0),
            "logits": normal(rng, count, dtype=dtype),
        }

    sure = problem(4)
    sure["logits"] = sure["logits"] * 40
    return [
        Case(problem(5), {"updates": 3, "rate": 0.5}),
        Case(problem(8), {"updates": 1, "rate": 0.7}, name="one update"),
        Case(problem(6), {"updates": 10, "rate": 0.2}),
        Case(problem(3), {"updates": 0, "rate": 0.5}, name="no update"),
        Case(sure, {"updates": 100, "rate": 1.0}, name="extreme values"),
        Case(problem(4, torch.float32), {"updates": 2, "rate": 0.5}, name="float32 inputs"),
    ]


def _law(log_law: Tensor) -> Tensor:
    return log_law.softmax(dim=0)


SPECIFICATION = Specification(
    id="gan.chase",
    title="Many updates against a discriminator that stands still",
    reference=chase,
    cases=_cases,
    misconceptions=(
        Misconception(
            "ONE",
            lambda law, logits, updates, rate: _law(law.log() + rate * logits),
            "However many updates are asked for, only one is made. Each one multiplies the law "
            "once more.",
        ),
        Misconception(
            "FORGETS",
            lambda law, logits, updates, rate: _law(updates * rate * logits),
            "The law before the updates is lost. An update weighs what the generator makes "
            "already: a rare image stays rare at first.",
        ),
        Misconception(
            "FLEES",
            lambda law, logits, updates, rate: _law(law.log() - updates * rate * logits),
            "The generator runs from what the discriminator finds real. It wants to be called "
            "real.",
        ),
        Misconception(
            "PROBABILITY",
            lambda law, logits, updates, rate: _law(
                law.log() + updates * rate * torch.sigmoid(logits)
            ),
            "The probability stands where the logit belongs. In this update the generator gains "
            "by the logit itself.",
        ),
        Misconception(
            "NOT_NORMALISED",
            lambda law, logits, updates, rate: (
                (law.log() + updates * rate * logits).clamp_max(80).exp()
            ),
            "The result does not sum to 1. A law is divided by its total.",
        ),
        Misconception(
            "IMPROVES",
            lambda law, logits, updates, rate: _law(
                law.log() / (1 + updates * rate) + rate * logits
            ),
            "Here more updates make the law more even, as if training the generator more could "
            "only help. Against a discriminator that stands still it is the other way round.",
        ),
    ),
    hints=Hints(
        property=(
            "Checked is the law after no, one and many updates, also where the logits are very "
            "large."
        ),
        place=(
            "Work with logarithms: products of many factors become sums, and the softmax brings "
            "the law back without overflow."
        ),
        example=(
            "Two images, equally frequent; the second looks more real by one nat. After three "
            "updates at rate 1 it is exp(3) = 20 times as frequent. Run this:\n"
            ">>> chase(torch.tensor([0.5, 0.5]), torch.tensor([0.0, 1.0]), updates=3, rate=1.0)\n"
            "tensor([0.0474, 0.9526])"
        ),
        question=(
            "Each update multiplies the probability of an image by the same factor. What is the "
            "factor after k of them, and what does the division by the total change?"
        ),
        analogue=(
            "Money in two accounts, at 10 % and 20 % a year: after k years the shares stand as "
            "1.1^k to 1.2^k. Wait long enough and one account holds nearly everything."
        ),
    ),
)
