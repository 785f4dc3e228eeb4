"""Exercise: the divergence that a discriminator has found."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from genimg_course.exercises.inputs import normal
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.maths.discriminators import divergence_from_logits
from genimg_course.probing.case import Case

__all__ = ["SPECIFICATION"]


def _cases(rng: torch.Generator) -> list[Case]:
    def batch(
        real: tuple[int, ...], fake: tuple[int, ...], scale: float = 2.0, **options: torch.dtype
    ) -> dict[str, Tensor]:
        return {
            "real_logits": normal(rng, *real, scale=scale, **options) + 0.5,
            "fake_logits": normal(rng, *fake, scale=scale, **options) - 0.5,
        }

    return [
        Case(batch((5,), (5,))),
        Case(batch((7,), (3,)), name="batches of different sizes"),
        Case(batch((4, 1), (6, 1)), name="logits of shape (B, 1)"),
        Case(batch((6,), (6,), scale=600.0), name="a very sure discriminator"),
        Case(batch((5,), (4,), dtype=torch.float32), name="float32 inputs"),
    ]


def _cost(real: Tensor, fake: Tensor) -> Tensor:
    return F.softplus(-real).mean() + F.softplus(fake).mean()


SPECIFICATION = Specification(
    id="gan.divergence_from_logits",
    title="The divergence that a discriminator has found",
    reference=divergence_from_logits,
    cases=_cases,
    differentiate=("real_logits", "fake_logits"),
    misconceptions=(
        Misconception(
            "NO_LOG_TWO",
            lambda real, fake: -0.5 * _cost(real, fake),
            "This is half of the value of the game. It is never positive; what must be added so "
            "that an undecided discriminator has found nothing?",
        ),
        Misconception(
            "TWICE",
            lambda real, fake: math.log(4) - _cost(real, fake),
            "This is twice the divergence. In the value of the game the divergence has a factor.",
        ),
        Misconception(
            "NO_HALF",
            lambda real, fake: math.log(2) - _cost(real, fake),
            "An undecided discriminator would have found less than nothing. The cost is that of "
            "two batches; each counts with one half.",
        ),
        Misconception(
            "SWAPPED",
            lambda real, fake: math.log(2) - 0.5 * _cost(-real, -fake),
            "The labels are exchanged: the logit is large where an image is real.",
        ),
        Misconception(
            "SIGN",
            lambda real, fake: 0.5 * _cost(real, fake) - math.log(2),
            "The sign is turned round. A discriminator that costs less has found more.",
        ),
        Misconception(
            "SUM_BATCH",
            lambda real, fake: (
                math.log(2) - 0.5 * (F.softplus(-real).sum() + F.softplus(fake).sum())
            ),
            "The batch is summed. An expectation is a mean, so a larger batch must not cost more.",
        ),
        Misconception(
            "POOLED",
            lambda real, fake: (
                math.log(2) - torch.cat([F.softplus(-real), F.softplus(fake)]).mean()
            ),
            "One mean is taken over both batches together. If one of them is larger it counts "
            "more; the theorem weighs the two laws equally.",
        ),
        Misconception(
            "UNDERFLOW",
            lambda real, fake: (
                math.log(2)
                + 0.5 * torch.sigmoid(real).log().mean()
                + 0.5 * (1 - torch.sigmoid(fake)).log().mean()
            ),
            "The formula is right, but the sigmoid of a large logit rounds to 0 or 1 and its "
            "logarithm is infinite. Stay with the logits.",
        ),
    ),
    hints=Hints(
        property=(
            "Checked are values and gradients for batches of equal and of different size, logits "
            "of shape (B, 1), and logits of several hundred."
        ),
        place=(
            "Look at the value of the game at the best discriminator. Solve it for the divergence; "
            "then write both logarithms in terms of the logit."
        ),
        example=(
            "An undecided discriminator has found nothing; one that is sure and right has found "
            "log 2 = 0.6931. Run this:\n"
            ">>> divergence_from_logits(torch.tensor([300.0]), torch.tensor([-300.0]))\n"
            "tensor(0.6931)"
        ),
        question=(
            "How large is minus the logarithm of a sigmoid, written with softplus, and what is one "
            "minus a sigmoid?"
        ),
        analogue=(
            "With other numbers: if V = -log 9 + 3 T and V is known, then T = (V + log 9) / 3. "
            "At V = -log 9 nothing is found."
        ),
    ),
)
