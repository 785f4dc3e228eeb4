"""Exercise: the two eigenvalues that decide whether the smallest GAN comes to rest."""

import cmath

import torch
from torch import Tensor

from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.maths.games import dirac_eigenvalues
from genimg_course.probing.case import Case

__all__ = ["SPECIFICATION"]


def _cases(rng: torch.Generator) -> list[Case]:
    a, b, c, d = (0.1 + torch.rand(4, generator=rng, dtype=torch.float64)).tolist()
    return [
        Case({"gamma": 0.8 * a}, name="a small penalty"),
        Case({"gamma": 1.5 + b}, name="a large penalty"),
        Case({"gamma": 0.0}, name="no penalty"),
        Case({"gamma": c}, {"slope": 1.5}),
        Case({"gamma": 4 + d}, {"slope": 0.3}),
    ]


def _two(middle: float, inside: float, *, turned: bool = False) -> Tensor:
    root = cmath.sqrt(inside)
    pair = [middle - root, middle + root]
    return torch.tensor(pair[::-1] if turned else pair, dtype=torch.complex128)


SPECIFICATION = Specification(
    id="gan.dirac_eigenvalues",
    title="The eigenvalues of the Dirac-GAN with R1",
    reference=dirac_eigenvalues,
    cases=_cases,
    misconceptions=(
        Misconception(
            "GROWS",
            lambda gamma, slope=0.5: _two(gamma / 2, gamma**2 / 4 - slope**2),
            "The real part has the wrong sign: this game would run away from its balance. The "
            "penalty stands with a minus in the Jacobian.",
        ),
        Misconception(
            "NO_HALF",
            lambda gamma, slope=0.5: _two(-gamma, gamma**2 - slope**2),
            "Gamma stands where half of gamma belongs. The sum of both eigenvalues is the trace "
            "of the Jacobian: what is it?",
        ),
        Misconception(
            "INSIDE_PLUS",
            lambda gamma, slope=0.5: _two(-gamma / 2, gamma**2 / 4 + slope**2),
            "Under the root the slope is added. The product of both eigenvalues is the "
            "determinant, which here is positive.",
        ),
        Misconception(
            "NOT_SQUARED",
            lambda gamma, slope=0.5: _two(-gamma / 2, gamma**2 / 4 - slope),
            "The slope stands under the root without its square. It enters the determinant "
            "twice, once for each player.",
        ),
        Misconception(
            "REAL_ONLY",
            lambda gamma, slope=0.5: _two(-gamma / 2, max(gamma**2 / 4 - slope**2, 0.0)),
            "The imaginary part is lost. A small penalty leaves a negative number under the root, "
            "and its root is the frequency with which the players circle.",
        ),
        Misconception(
            "ORDER",
            lambda gamma, slope=0.5: _two(-gamma / 2, gamma**2 / 4 - slope**2, turned=True),
            "Both numbers are right, but the other one comes first. The one with the minus "
            "sign before the root leads.",
        ),
    ),
    hints=Hints(
        property="Checked are both complex numbers, in order, for small, large and no penalty.",
        place=(
            "Trace and determinant of the Jacobian give the sum and the product of the "
            "eigenvalues; a quadratic equation does the rest. Take the root of a complex number."
        ),
        example=(
            "Without the penalty both eigenvalues are imaginary: the game circles. Run this:\n"
            ">>> dirac_eigenvalues(0.0).imag.tolist()\n"
            "[-0.5, 0.5]"
        ),
        question="Which two numbers have the sum -gamma and the product of the squared slope?",
        analogue=(
            "With other numbers: for the matrix with rows (0, 3) and (-3, -10) the sum is -10 and "
            "the product 9, so the eigenvalues are -5 - 4 = -9 and -5 + 4 = -1."
        ),
    ),
)
