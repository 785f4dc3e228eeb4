"""Exercise: the convex conjugate of a function that is known at points."""

import torch
from torch import Tensor

from genimg_course.exercises.inputs import normal, uniform
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.maths.f_divergences import F_DIVERGENCES, convex_generator, fenchel_conjugate
from genimg_course.probing.case import Case

__all__ = ["SPECIFICATION"]


def _cases(rng: torch.Generator) -> list[Case]:
    def curve(
        slopes: int, points: int, dtype: torch.dtype = torch.float64, divergence: str = "kl"
    ) -> dict[str, Tensor]:
        u = uniform(rng, points, low=0.05, high=4.0, dtype=dtype).sort().values
        f = convex_generator(u, divergence)
        return {"t": 1 + normal(rng, slopes, dtype=dtype), "u": u, "f": f}

    with_outside = curve(5, 9, divergence="pearson")
    with_outside["u"][:3] = torch.tensor([-3.0, -2.0, -1.0])
    with_outside["f"][:3] = float("inf")
    with_outside["t"][0] = -4.0
    steep = curve(4, 6, divergence="reverse_kl")
    return [
        *(Case(curve(4, 7, divergence=name), name=name) for name in F_DIVERGENCES),
        Case(curve(1, 12)),
        Case(with_outside, name="f is infinite for u < 0"),
        Case(steep | {"t": 50 * steep["t"]}, name="steep slopes"),
        Case(curve(3, 5, dtype=torch.float32), name="float32 inputs"),
    ]


def _lines(t: Tensor, u: Tensor, f: Tensor) -> Tensor:
    return t[:, None] * u - f


SPECIFICATION = Specification(
    id="gan.fenchel_conjugate",
    title="The conjugate of a convex function",
    reference=fenchel_conjugate,
    cases=_cases,
    misconceptions=(
        Misconception(
            "MIN",
            lambda t, u, f: _lines(t, u, f.nan_to_num(posinf=0.0)).amin(dim=1),
            "This is the smallest gap between the line and the curve. The conjugate is a "
            "supremum: how high can the line of slope t stand above the curve?",
        ),
        Misconception(
            "NEGATED",
            lambda t, u, f: -_lines(t, u, f).amax(dim=1),
            "This is minus the conjugate: the lowest value of the curve minus the line. Which of "
            "the two is subtracted?",
        ),
        Misconception(
            "ARGMAX",
            lambda t, u, f: u[_lines(t, u, f).argmax(dim=1)],
            "This is the place where the gap is largest, not the gap. The place is the slope of "
            "the conjugate.",
        ),
        Misconception(
            "DOMAIN",
            lambda t, u, f: _lines(t, u, f.nan_to_num(posinf=0.0)).amax(dim=1),
            "Points outside the domain take part, as if f were 0 there. Where f is infinite no "
            "line can win.",
        ),
        Misconception(
            "PLUS",
            lambda t, u, f: (t[:, None] * u + f.nan_to_num(posinf=0.0)).amax(dim=1),
            "The curve is added to the line. The conjugate measures the height of the line above "
            "the curve.",
        ),
        Misconception(
            "AT_ONE",
            lambda t, u, f: _lines(t, u, f)[:, (u - 1).abs().argmin()],
            "The gap is taken at one fixed point. Each slope has its own best point.",
        ),
    ),
    hints=Hints(
        property=(
            "Checked is one number for each slope: the largest value of u t - f(u) among the "
            "given points."
        ),
        place=(
            "Every slope meets every point, so there is a table of gaps with a row for each slope. "
            "Then one number is chosen from each row. Which?"
        ),
        example=(
            "The square f(u) = u * u at three points, and two slopes. Run this:\n"
            ">>> u = torch.tensor([0.0, 1.0, 2.0])\n"
            ">>> fenchel_conjugate(torch.tensor([2.0, 4.0]), u, u * u)\n"
            "tensor([1., 4.])"
        ),
        question=(
            "Lay a ruler of slope t through the origin. Where does it stand highest above the "
            "curve, and how high?"
        ),
        analogue=(
            "With other numbers: for f(u) = 3 u the gap is (t - 3) u. At the points 0 and 5 and "
            "the slope 4 the gaps are 0 and 5, so the conjugate is 5; at the slope 2 they are 0 "
            "and -5, so it is 0."
        ),
    ),
)
