"""Exercise: the Fréchet distance that endless samples would give."""

import torch
from torch import Tensor

from genimg_course.exercises.inputs import normal, uniform
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.maths.frechet import frechet_at_infinity
from genimg_course.probing.case import Case

__all__ = ["SPECIFICATION"]


def _cases(rng: torch.Generator) -> list[Case]:
    def measured(*counts: float, dtype: torch.dtype = torch.float64) -> dict[str, Tensor]:
        order = torch.randperm(len(counts), generator=rng)
        n = torch.tensor(counts, dtype=dtype)[order]
        truth, slope = uniform(rng, 2, low=1.0, high=9.0, dtype=dtype)
        noise = 0.3 * normal(rng, len(n), dtype=dtype)
        return {"counts": n, "distances": truth + 100 * slope / n + noise}

    return [
        Case(measured(200, 2000)),
        Case(measured(100, 250, 500, 1000)),
        Case(measured(50, 60, 70, 400, 900)),
        Case(measured(500, 500, 1000, 4000), name="one number of images used twice"),
        Case(measured(100, 200, 400, dtype=torch.float32), name="float32 inputs"),
    ]


def _line(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    slope = (x - x.mean()).dot(y - y.mean()) / (x - x.mean()).square().sum()
    return slope, y.mean() - slope * x.mean()


SPECIFICATION = Specification(
    id="metrics.frechet_at_infinity",
    title="The Fréchet distance of endless samples",
    reference=frechet_at_infinity,
    cases=_cases,
    rtol=1e-5,
    misconceptions=(
        Misconception(
            "LARGEST",
            lambda counts, distances: distances[counts.argmax()],
            "This is the value at the largest number of images. It is the least biased of them, "
            "but the bias is still there: what would more images do?",
        ),
        Misconception(
            "MEAN",
            lambda counts, distances: distances.mean(),
            "The values are averaged. All of them are too large on average, so their mean is too.",
        ),
        Misconception(
            "LINE_IN_N",
            lambda counts, distances: _line(counts, distances)[1],
            "The line is drawn over n and read at n = 0: that is no image at all. The bias is "
            "proportional to 1 / n.",
        ),
        Misconception(
            "SLOPE",
            lambda counts, distances: _line(1 / counts, distances)[0],
            "This is the slope of the line over 1 / n: how strong the bias is. Wanted is the value "
            "where the bias ends.",
        ),
        Misconception(
            "ROOT_N",
            lambda counts, distances: _line(counts.rsqrt(), distances)[1],
            "The line is drawn over 1 / sqrt(n), as for a standard error. The bias falls faster, "
            "like 1 / n.",
        ),
        Misconception(
            "LOG_N",
            lambda counts, distances: _line(counts.log(), distances)[1],
            "The line is drawn over log n and read at n = 1. The bias is proportional to 1 / n.",
        ),
        Misconception(
            "THROUGH_ZERO",
            lambda counts, distances: (
                distances - (1 / counts).dot(distances) / (1 / counts).square().sum() / counts
            ).mean(),
            "The slope was fitted to a line through zero: that assumes a perfect generator. Leave "
            "the intercept free, for it is the answer.",
        ),
    ),
    hints=Hints(
        property="Checked is one number: the intercept of a least-squares line, for 2 to 5 points.",
        place=(
            "Which quantity on the horizontal axis makes the points lie on a line? Endless images "
            "lie at its zero."
        ),
        example=(
            "The values fall from 7 to 5 when the images double, so the next doublings take 1, "
            "then 1/2, and so on. Run this:\n"
            ">>> frechet_at_infinity(torch.tensor([100.0, 200.0]), torch.tensor([7.0, 5.0]))"
            ".round(decimals=3)\n"
            "tensor(3.)"
        ),
        question="If d = a + c / n, what is d for n without end, and over what is that a line?",
        analogue=(
            "With other numbers: 13 at n = 50 and 11 at n = 100. Over 1 / n the points are (0.02, "
            "13) and (0.01, 11), the slope is 200, and the line meets zero at 9."
        ),
    ),
)
