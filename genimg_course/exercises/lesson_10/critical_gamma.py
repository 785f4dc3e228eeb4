"""Exercise: the penalty with which the smallest GAN comes to rest soonest."""

import torch

from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.maths.games import critical_gamma
from genimg_course.probing.case import Case

__all__ = ["SPECIFICATION"]


def _cases(rng: torch.Generator) -> list[Case]:
    a, b = (0.1 + torch.rand(2, generator=rng, dtype=torch.float64)).tolist()
    return [
        Case({"slope": a}),
        Case({"slope": 2 + 3 * b}),
        Case({"slope": -b - 0.3}, name="a loss that falls"),
        Case({"slope": 0.5}, name="the cross-entropy"),
    ]


SPECIFICATION = Specification(
    id="gan.critical_gamma",
    title="The penalty that stops the circling soonest",
    reference=critical_gamma,
    cases=_cases,
    misconceptions=(
        Misconception(
            "HALF",
            lambda slope: abs(slope),
            "This is half of it. Under the root stands the square of gamma divided by 4, not by 1.",
        ),
        Misconception(
            "TWICE",
            lambda slope: 4 * abs(slope),
            "This is twice as much. If gamma squared over 4 equals the squared slope, what is "
            "gamma?",
        ),
        Misconception(
            "SQUARED",
            lambda slope: 4 * slope**2,
            "This is the square of the answer. The condition is one between squares; take the "
            "root at the end.",
        ),
        Misconception(
            "SIGN",
            lambda slope: 2 * slope,
            "A loss that falls would get a negative weight. Only the size of the slope matters "
            "for the rotation.",
        ),
        Misconception(
            "CONSTANT",
            lambda slope: 1.0,
            "One is the answer for the cross-entropy only. Another loss has another slope at "
            "zero, and turns faster or slower.",
        ),
    ),
    hints=Hints(
        property="Checked is one number for several slopes of the loss, some of them negative.",
        place="Look at the root in the eigenvalues: where does it vanish?",
        example=(
            "A loss with slope 3 needs six times the weight that the cross-entropy needs. Run "
            "this:\n"
            ">>> critical_gamma(3.0)\n"
            "6.0"
        ),
        question=(
            "Below it the eigenvalues are complex and the players circle; above it one eigenvalue "
            "creeps back to zero. What lies between?"
        ),
        analogue=(
            "A door with mass 1 and a spring of strength 9 closes soonest, without swinging, with "
            "a friction of 6, twice the root of 9."
        ),
    ),
)
