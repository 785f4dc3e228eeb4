"""Exercise: what a perfect discriminator says."""

import torch
from torch import Tensor

from genimg_course.exercises.inputs import uniform
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.maths.discriminators import optimal_discriminator
from genimg_course.probing.case import Case

__all__ = ["SPECIFICATION"]


def _cases(rng: torch.Generator) -> list[Case]:
    def laws(*shape: int, dtype: torch.dtype = torch.float64) -> dict[str, Tensor]:
        p, q = (
            uniform(rng, *shape, low=0.05, dtype=dtype),
            uniform(rng, *shape, low=0.05, dtype=dtype),
        )
        return {"p": p / p.sum(), "q": q / q.sum()}

    apart = laws(6)
    apart["p"][:2] = 0.0
    apart["q"][-2:] = 0.0
    empty = laws(4)
    empty["p"][1] = empty["q"][1] = 0.0
    return [
        Case(laws(5)),
        Case(laws(2, 3)),
        Case(laws(4), {"prior": 0.8}, name="a share of 0.8 of real images"),
        Case(apart, {"prior": 0.3}, name="supports that differ"),
        Case(empty, name="a point that neither law reaches"),
        Case(laws(4, dtype=torch.float32), name="float32 inputs"),
    ]


def _share(a: Tensor, b: Tensor, otherwise: float = 0.5) -> Tensor:
    """Return ``a / (a + b)``, another number where both are zero."""
    total = a + b
    return torch.where(total > 0, a / total.where(total > 0, torch.ones_like(total)), otherwise)


SPECIFICATION = Specification(
    id="gan.optimal_discriminator",
    title="What a perfect discriminator says",
    reference=optimal_discriminator,
    cases=_cases,
    misconceptions=(
        Misconception(
            "SWAPPED",
            lambda p, q, prior=0.5: _share((1 - prior) * q, prior * p, 1 - prior),
            "This is the probability of being generated. The discriminator's answer is the "
            "probability of being real.",
        ),
        Misconception(
            "NO_PRIOR",
            lambda p, q, prior=0.5: _share(p, q),
            "The share of real images is not used. If most of what it sees is real, a careful "
            "discriminator says real more often.",
        ),
        Misconception(
            "PRIOR_SWAPPED",
            lambda p, q, prior=0.5: _share((1 - prior) * p, prior * q, 1 - prior),
            "The share of real images weighs the generator's density. Whose share is it?",
        ),
        Misconception(
            "PRIOR_OUTSIDE",
            lambda p, q, prior=0.5: 2 * prior * _share(p, q),
            "The share of real images multiplies the finished probability, which can then exceed "
            "1. It belongs to the densities before they are compared.",
        ),
        Misconception(
            "RATIO",
            lambda p, q, prior=0.5: prior * p / ((1 - prior) * q),
            "These are the odds of being real, not the probability. Odds of 1 are a probability "
            "of one half.",
        ),
        Misconception(
            "DIFFERENCE",
            lambda p, q, prior=0.5: prior * p / (prior * p - (1 - prior) * q),
            "The densities are subtracted below the line. A probability divides one part by the "
            "whole.",
        ),
        Misconception(
            "ZERO",
            lambda p, q, prior=0.5: prior * p / (prior * p + (1 - prior) * q),
            "The formula is right, but where both densities are zero it divides zero by zero. "
            "Nothing was seen there, so only the share of real images is known.",
        ),
        Misconception(
            "EPSILON",
            lambda p, q, prior=0.5: prior * p / (prior * p + (1 - prior) * q + 1e-12),
            "A small number below the line hides the empty points: there the answer becomes 0, "
            "sure that it is fake. Nothing was seen there, so only the share of real images is "
            "known.",
        ),
    ),
    hints=Hints(
        property=(
            "Checked are the values in [0, 1] for two shares of real images, and points where one "
            "density or both are zero."
        ),
        place=(
            "A point is real in proportion to how many real images land there, counted with their "
            "share. Divide by all that land there. An empty point needs a rule."
        ),
        example=(
            "Where the data are three times as dense as the generator, three of four images are "
            "real; where nothing lands, the share of real images is all that is known. Run this:\n"
            ">>> optimal_discriminator(torch.tensor([0.6, 0.0]), torch.tensor([0.2, 0.0]))\n"
            "tensor([0.7500, 0.5000])"
        ),
        question=(
            "Of a thousand images that the discriminator sees, how many are real and look like "
            "this one, and how many are generated and look like it?"
        ),
        analogue=(
            "With other numbers: one bag holds 90 % of all marbles and a fifth of its marbles are "
            "red, the other bag a half. A red marble is from the first with 0.18 / (0.18 + 0.05) "
            "= 0.783."
        ),
    ),
)
