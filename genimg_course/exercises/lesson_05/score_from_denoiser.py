"""Exercise: the score that a denoiser's residual shows."""

import torch
from torch import Tensor

from genimg_course.exercises.inputs import normal
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.maths.denoising import score_from_denoiser
from genimg_course.probing.case import Case

__all__ = ["SPECIFICATION"]


def _cases(rng: torch.Generator) -> list[Case]:
    def points(*shape: int, dtype: torch.dtype = torch.float64) -> dict[str, Tensor]:
        noisy = normal(rng, *shape, dtype=dtype)
        return {"denoised": noisy + 0.5 * normal(rng, *shape, dtype=dtype), "noisy": noisy}

    return [
        Case(points(5, 2), {"sigma": 0.5}),
        Case(points(3, 1, 4, 4), {"sigma": 0.1}),
        Case(points(7, 1), {"sigma": 2.0}),
        Case(points(4, 3, dtype=torch.float32), {"sigma": 0.3}, name="float32 inputs"),
    ]


SPECIFICATION = Specification(
    id="autoencoder.score_from_denoiser",
    title="The score in a denoiser's residual",
    reference=score_from_denoiser,
    cases=_cases,
    differentiate=("denoised",),
    misconceptions=(
        Misconception(
            "SIGN",
            lambda denoised, noisy, sigma: (noisy - denoised) / sigma**2,
            "The sign is turned round: this points from the clean to the noisy. The gradient of a "
            "density points to where it is higher.",
        ),
        Misconception(
            "SIGMA",
            lambda denoised, noisy, sigma: (denoised - noisy) / sigma,
            "The residual is divided by the standard deviation. The formula has the variance.",
        ),
        Misconception(
            "NOISE",
            lambda denoised, noisy, sigma: (noisy - denoised) / sigma,
            "This is the noise that the denoiser believes to have seen, in units of its standard "
            "deviation. The score is minus that noise over the standard deviation once more.",
        ),
        Misconception(
            "MULTIPLIED",
            lambda denoised, noisy, sigma: (denoised - noisy) * sigma**2,
            "The residual is multiplied by the variance. The residual is the score times the "
            "variance already.",
        ),
        Misconception(
            "RESIDUAL",
            lambda denoised, noisy, sigma: denoised - noisy,
            "This is the residual itself. With little noise it is small, though the score is "
            "not: what must it be divided by?",
        ),
        Misconception(
            "HALF",
            lambda denoised, noisy, sigma: (denoised - noisy) / (2 * sigma**2),
            "There is a factor of two below the line. It stands in the exponent of the Gaussian, "
            "but the derivative of the square cancels it.",
        ),
    ),
    hints=Hints(
        property="Checked are the values for four levels of noise, in the shape of the inputs.",
        place="Solve the displayed formula for the gradient. Which sign, and which power of sigma?",
        example=(
            "A denoiser that moves a point by 0.5 at a noise of 0.5 sees a slope of 2 there. Run "
            "this:\n"
            ">>> score_from_denoiser(torch.tensor([1.5]), torch.tensor([1.0]), sigma=0.5)\n"
            "tensor([2.])"
        ),
        question=(
            "Clean points are all zero. What does the best denoiser answer, what is the density "
            "of the noisy points, and what is the slope of its logarithm?"
        ),
        analogue=(
            "A spring pulls with a force in proportion to the way back home. Way back 3, "
            "softness 4: the pull is 3 / 4."
        ),
    ),
)
