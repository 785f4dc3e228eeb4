"""Exercise: how many latents of a linear VAE stay alive."""

import torch
from torch import Tensor

from genimg_course.exercises.inputs import uniform
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.maths.linear_vae import active_units
from genimg_course.probing.case import Case

__all__ = ["SPECIFICATION"]


def _cases(rng: torch.Generator) -> list[Case]:
    def variances(count: int, dtype: torch.dtype = torch.float64) -> dict[str, Tensor]:
        return {"variances": 10 ** uniform(rng, count, low=-2.5, high=1.5, dtype=dtype)}

    on_the_edge = variances(20)
    on_the_edge["variances"][:3] = 3.0 * 0.25
    return [
        Case(variances(200), {"beta": 4.0, "noise": 0.05}),
        Case(variances(200), {"beta": 0.2, "noise": 0.6}),
        Case(variances(200), {"beta": 2.5, "noise": 1.7}),
        Case(variances(100), {"noise": 0.3}, name="beta = 1"),
        Case(on_the_edge, {"beta": 3.0, "noise": 0.25}, name="directions on the threshold"),
        Case(variances(50, torch.float32), {"beta": 5.0, "noise": 0.1}, name="float32 inputs"),
    ]


SPECIFICATION = Specification(
    id="vae.active_units",
    title="How many codes stay alive",
    reference=active_units,
    cases=_cases,
    misconceptions=(
        Misconception(
            "INVERSE",
            lambda variances, beta=1.0, *, noise: int((variances > noise / beta).sum()),
            "Here a larger beta lowers the threshold, so that more codes would live. Beta is the "
            "price of a code: what does a higher price do?",
        ),
        Misconception(
            "NO_BETA",
            lambda variances, beta=1.0, *, noise: int((variances > noise).sum()),
            "Beta is not used. At 1 this is right; another price must move the threshold.",
        ),
        Misconception(
            "NO_NOISE",
            lambda variances, beta=1.0, *, noise: int((variances > beta).sum()),
            "The noise of the decoder is not used. A direction is worth a code only if it stands "
            "out from the noise that the decoder admits anyway.",
        ),
        Misconception(
            "ROOT",
            lambda variances, beta=1.0, *, noise: int((variances.sqrt() > beta * noise).sum()),
            "Standard deviations, or singular values, are compared with a variance. Both sides "
            "need the same unit.",
        ),
        Misconception(
            "NOISE_ROOT",
            lambda variances, beta=1.0, *, noise: int((variances > beta * noise**0.5).sum()),
            "Here the variances meet a standard deviation of the noise. The argument `noise` is a "
            "variance already.",
        ),
        Misconception(
            "EMPTY",
            lambda variances, beta=1.0, *, noise: int((variances <= beta * noise).sum()),
            "This counts the codes that stay empty. The living ones are asked for.",
        ),
        Misconception(
            "AT_LEAST",
            lambda variances, beta=1.0, *, noise: int((variances >= beta * noise).sum()),
            "A direction that lies just on the threshold is counted. What weight does the best "
            "decoder give it?",
        ),
    ),
    hints=Hints(
        property=(
            "Checked is the number for several prices and noises, and for directions that lie "
            "just on the threshold."
        ),
        place=(
            "One comparison per direction, then a count. Ask what stands on each side, and in "
            "which unit."
        ),
        example=(
            "Of the variances 2, 1 and 0.25 the first two exceed 0.5. At twice the price only the "
            "first one remains, for the second lies on the threshold. Run this:\n"
            ">>> variances = torch.tensor([2.0, 1.0, 0.25])\n"
            ">>> [active_units(variances, beta=beta, noise=0.5) for beta in (1.0, 2.0)]\n"
            "[2, 1]"
        ),
        question=(
            "The square of the best weight is a difference that must not be negative. For which "
            "variances is it above zero?"
        ),
        analogue=(
            "With other numbers: beta 3 and noise 0.2 give a threshold of 0.6. A direction of "
            "standard deviation 0.7 has the variance 0.49 and is dropped."
        ),
    ),
)
