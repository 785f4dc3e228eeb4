"""Exercise: what the two generator losses return for one image."""

import torch
from torch import Tensor

from genimg_course.exercises.inputs import uniform
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.maths.discriminators import generator_slopes
from genimg_course.probing.case import Case

__all__ = ["SPECIFICATION"]


def _cases(rng: torch.Generator) -> list[Case]:
    return [
        Case({"d": uniform(rng, 6)}),
        Case({"d": uniform(rng, 2, 3)}),
        Case({"d": torch.tensor([0.01, 0.5, 0.99], dtype=torch.float64)}, name="a sure D"),
        Case({"d": torch.tensor([0.0, 1.0], dtype=torch.float64)}, name="D of 0 and of 1"),
        Case({"d": uniform(rng, 4, dtype=torch.float32)}, name="float32 inputs"),
    ]


def _pair(saturating: Tensor, non_saturating: Tensor) -> dict[str, Tensor]:
    return {"saturating": saturating, "non_saturating": non_saturating}


SPECIFICATION = Specification(
    id="gan.generator_slopes",
    title="What the two generator losses return for one image",
    reference=generator_slopes,
    cases=_cases,
    misconceptions=(
        Misconception(
            "SWAPPED",
            lambda d: _pair(d - 1, -d),
            "The two are exchanged. Which loss is flat where the discriminator is sure that the "
            "image is fake?",
        ),
        Misconception(
            "SIGN",
            lambda d: _pair(d, 1 - d),
            "The size is right and the sign is not: a larger logit must lower both losses.",
        ),
        Misconception(
            "BY_D",
            lambda d: _pair(-1 / (1 - d), -1 / d),
            "These are derivatives with respect to D. Asked for is the logit; the sigmoid stands "
            "between the two and has a derivative of its own.",
        ),
        Misconception(
            "SIGMOID",
            lambda d: _pair(-d * (1 - d), -d * (1 - d)),
            "This is minus the derivative of the sigmoid alone. The logarithm around it has a "
            "derivative too.",
        ),
        Misconception(
            "SAME",
            lambda d: _pair(-d, -d),
            "Both losses get the slope of the saturating one. They are two different functions of "
            "the logit.",
        ),
        Misconception(
            "SECOND_SIGN",
            lambda d: _pair(-d, 1 - d),
            "The non-saturating loss has the wrong sign: it is minus a logarithm that grows.",
        ),
    ),
    hints=Hints(
        property="Checked are both slopes for D between 0 and 1, the ends included.",
        place=(
            "Differentiate the logarithm, then the sigmoid inside it, and simplify. The derivative "
            "of the sigmoid is D (1 - D)."
        ),
        example=(
            "At D = 0.5 both losses pull equally. Run this:\n"
            '>>> generator_slopes(torch.tensor([0.5]))["saturating"]\n'
            "tensor([-0.5000])"
        ),
        question=(
            "What is the derivative of log(1 + exp(a)) with respect to a, and how do both losses "
            "look when written with it?"
        ),
        analogue=(
            "With another function: the derivative of log(3 - u) with respect to a, where u has "
            "the derivative u (3 - u), is -u (3 - u) / (3 - u) = -u."
        ),
    ),
)
