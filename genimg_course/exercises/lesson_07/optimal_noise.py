"""Exercise: the noise variance that the residuals ask for."""

import torch
from torch import Tensor

from genimg_course.exercises.inputs import normal
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.maths.information_plane import optimal_noise
from genimg_course.probing.case import Case

__all__ = ["SPECIFICATION"]


def _cases(rng: torch.Generator) -> list[Case]:
    def pictures(*shape: int, dtype: torch.dtype = torch.float64) -> dict[str, Tensor]:
        x_hat = normal(rng, *shape, dtype=dtype)
        return {"x_hat": x_hat, "x": x_hat + 0.4 + 0.7 * normal(rng, *shape, dtype=dtype)}

    return [
        Case(pictures(4, 1, 3, 2)),
        Case(pictures(3, 2, 2, 4)),
        Case(pictures(5, 7), name="rows instead of images"),
        Case(pictures(1, 1, 4, 4), name="one image"),
        Case(pictures(6, 1, 2, 2, dtype=torch.float32), name="float32 inputs"),
    ]


def _squares(x_hat: Tensor, x: Tensor) -> Tensor:
    return (x - x_hat).square()


SPECIFICATION = Specification(
    id="vae.optimal_noise",
    title="The noise that the residuals ask for",
    reference=optimal_noise,
    cases=_cases,
    differentiate=("x_hat",),
    misconceptions=(
        Misconception(
            "SUMMED",
            lambda x_hat, x: _squares(x_hat, x).flatten(start_dim=1).sum(dim=1).mean(),
            "The squares are summed over the pixels, so the answer grows with the picture. One "
            "variance is asked for that holds for each single pixel.",
        ),
        Misconception(
            "ROOT",
            lambda x_hat, x: _squares(x_hat, x).mean().sqrt(),
            "This is a standard deviation. The noise is asked for as a variance.",
        ),
        Misconception(
            "ABSOLUTE",
            lambda x_hat, x: (x - x_hat).abs().mean(),
            "Absolute residuals belong to a Laplace law. A Gaussian measures squares.",
        ),
        Misconception(
            "CENTRED",
            lambda x_hat, x: (x - x_hat).var(unbiased=False),
            "The mean residual is taken off first. If the decoder is always too dark, that is an "
            "error as well, and the noise has to account for it.",
        ),
        Misconception(
            "HALF",
            lambda x_hat, x: 0.5 * _squares(x_hat, x).mean(),
            "The factor one half of the exponent is still here. Set the derivative of the whole "
            "loss to zero: does it survive?",
        ),
        Misconception(
            "DATA",
            lambda x_hat, x: x.var(unbiased=False) + 0 * x_hat.sum(),
            "This is the variance of the data. The noise covers only what the decoder does not "
            "explain.",
        ),
        Misconception(
            "BATCH",
            lambda x_hat, x: _squares(x_hat, x).sum() / len(x) ** 2,
            "The sum is divided by the wrong number. How many residuals are there?",
        ),
    ),
    hints=Hints(
        property="Checked is one number for all pixels: its value and its gradient.",
        place=(
            "Write the Gaussian loss of one residual as a function of the variance. Set its "
            "derivative to zero, and then do it for all residuals at once."
        ),
        example=(
            "Residuals of 3 and 4 in a picture of two pixels: their squares have the mean 12.5. "
            "Run this:\n"
            ">>> optimal_noise(torch.zeros(1, 2), torch.tensor([[3.0, 4.0]]))\n"
            "tensor(12.5000)"
        ),
        question=(
            "Which variance makes a set of residuals most probable, if their mean is known to be "
            "zero?"
        ),
        analogue=(
            "With other numbers: a scale that is wrong by 1, -1, 2 and 0 grams in four weighings "
            "has the mean square 6 / 4 = 1.5 square grams."
        ),
    ),
)
