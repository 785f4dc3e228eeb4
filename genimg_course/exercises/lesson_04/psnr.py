"""Exercise: the peak signal-to-noise ratio."""

import torch
from torch import Tensor

from genimg_course.exercises.inputs import normal, uniform
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.maths.image_quality import psnr
from genimg_course.probing.case import Case

__all__ = ["SPECIFICATION"]


def _cases(rng: torch.Generator) -> list[Case]:
    def pair(*shape: int, low: float = -1.0, dtype: torch.dtype = torch.float64) -> dict:
        x = uniform(rng, *shape, low=low, dtype=dtype)
        return {"x_hat": x + 0.2 * normal(rng, *shape, dtype=dtype), "x": x}

    uneven = pair(3, 1, 4, 4)
    uneven["x_hat"] = uneven["x"] + 0.01 * (uneven["x_hat"] - uneven["x"])
    uneven["x_hat"][1] += 1.5
    return [
        Case(pair(2, 1, 4, 5)),
        Case(pair(3, 3, 2, 3)),
        Case(pair(2, 1, 3, 3, low=0.0), {"span": 1.0}, name="pixels in [0, 1]"),
        Case(uneven, name="one bad image among good ones"),
        Case(pair(2, 1, 4, 4, dtype=torch.float32), name="float32 inputs"),
    ]


def _error(x_hat: Tensor, x: Tensor) -> Tensor:
    return (x_hat - x).square().flatten(start_dim=1).mean(dim=1)


SPECIFICATION = Specification(
    id="metrics.psnr",
    title="The peak signal-to-noise ratio",
    reference=psnr,
    cases=_cases,
    differentiate=("x_hat",),
    misconceptions=(
        Misconception(
            "UNIT_SPAN",
            lambda x_hat, x, span=2.0: -10 * _error(x_hat, x).log10(),
            "This counts from a range of 1, whatever the images are. From -1 to 1 black and white "
            "are 2 apart, which makes 6.02 dB.",
        ),
        Misconception(
            "BYTES",
            lambda x_hat, x, span=2.0: 10 * (255**2 / _error(x_hat, x)).log10(),
            "This counts from 255, the range of bytes. These pixels are no bytes, and the result "
            "is more than 40 dB too good.",
        ),
        Misconception(
            "SPAN_ONCE",
            lambda x_hat, x, span=2.0: 10 * (span / _error(x_hat, x)).log10(),
            "The error is squared, the range is not. A ratio needs the same unit above and below.",
        ),
        Misconception(
            "TWENTY",
            lambda x_hat, x, span=2.0: 20 * (span**2 / _error(x_hat, x)).log10(),
            "The factor 20 belongs to a ratio of amplitudes. This ratio is already one of squares, "
            "so the decibels come out doubled.",
        ),
        Misconception(
            "NATURAL",
            lambda x_hat, x, span=2.0: 10 * (span**2 / _error(x_hat, x)).log(),
            "The logarithm is natural. A decibel is defined by powers of ten.",
        ),
        Misconception(
            "UPSIDE_DOWN",
            lambda x_hat, x, span=2.0: 10 * (_error(x_hat, x) / span**2).log10(),
            "The ratio stands on its head: a better reconstruction gets a lower number.",
        ),
        Misconception(
            "SUM",
            lambda x_hat, x, span=2.0: (
                10 * (span**2 / (x_hat - x).square().flatten(1).sum(dim=1)).log10()
            ),
            "The squared errors are summed over pixels. The M of MSE stands for mean, so that "
            "large and small images compare.",
        ),
        Misconception(
            "BATCH",
            lambda x_hat, x, span=2.0: (
                10 * (span**2 / (x_hat - x).square().mean()).log10().expand(len(x))
            ),
            "The error is averaged over the whole batch before the logarithm, so that every image "
            "gets the same number. Each image has an error of its own.",
        ),
        Misconception(
            "MANY_MEANS",
            lambda x_hat, x, span=2.0: (
                10 * (span**2 / (x_hat - x).square()).log10().flatten(1).mean(dim=1)
            ),
            "The logarithm is taken of each pixel's error and then averaged. The mean of the "
            "squares comes first; one perfect pixel would make this infinite.",
        ),
    ),
    hints=Hints(
        property=(
            "Checked are one value for each image, for pixels in [-1, 1] and in [0, 1], and "
            "the gradient with respect to the reconstruction."
        ),
        place=(
            "First the mean squared error of each image, over all dimensions but the first. Then "
            "the ratio of the squared range to it, a logarithm to base ten, and a factor."
        ),
        example=(
            "Every pixel is off by a hundredth of the range, so the ratio is ten thousand, which "
            "is 40 dB. Run this:\n"
            ">>> psnr(torch.full((2, 1, 4, 4), 0.02), torch.zeros(2, 1, 4, 4)).round(decimals=3)\n"
            "tensor([40., 40.])"
        ),
        question="How far apart are black and white here, and in which unit is the squared error?",
        analogue=(
            "With other numbers: in bytes the range is 255. An error of 5 in every pixel gives "
            "10 log10(255**2 / 25) = 34.2 dB."
        ),
    ),
)
