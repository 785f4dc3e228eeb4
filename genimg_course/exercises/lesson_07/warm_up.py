"""Exercise: a weight of the KL term that grows at the beginning."""

import torch

from genimg_course.exercises.inputs import integers, uniform
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.probing.case import Case
from genimg_course.training.schedules import warm_up

__all__ = ["SPECIFICATION"]


def _cases(rng: torch.Generator) -> list[Case]:
    steps = int(integers(rng, 1, low=20, high=60))
    early = int(integers(rng, 1, low=3, high=steps - 2))
    beta = float(uniform(rng, 1, low=1.2, high=6.0))
    places = {
        "the first step": 0,
        "": early,
        "the last step of the warm-up": steps - 1,
        "a step after the warm-up": steps + early,
    }
    return [
        Case({"n": n, "steps": steps}, options, name)
        for name, n in places.items()
        for options in ({}, {"beta": beta}, {"beta": 0.3})
    ]


SPECIFICATION = Specification(
    id="vae.warm_up",
    title="A price that grows",
    reference=warm_up,
    cases=_cases,
    misconceptions=(
        Misconception(
            "ENDLESS",
            lambda n, steps, beta=1.0: beta * (n + 1) / steps,
            "The weight keeps growing after the warm-up, so the model trains with a larger and "
            "larger beta. Where should it stop?",
        ),
        Misconception(
            "CLIPPED_AT_ONE",
            lambda n, steps, beta=1.0: min(1.0, beta * (n + 1) / steps),
            "The weight stops at 1 whatever beta is. The share grows to 1; beta multiplies it.",
        ),
        Misconception(
            "NO_BETA",
            lambda n, steps, beta=1.0: min(1.0, (n + 1) / steps),
            "Beta is not used. After the warm-up the weight should be what was asked for.",
        ),
        Misconception(
            "LATE",
            lambda n, steps, beta=1.0: beta * min(1.0, n / steps),
            "The first step has the weight zero and the whole weight comes one step late. Steps "
            "count from 0: how many are done when step `n` ends?",
        ),
        Misconception(
            "SWITCH",
            lambda n, steps, beta=1.0: beta * min(1, (n + 1) // steps),
            "The weight is zero until the last step of the warm-up and then jumps. Which division "
            "keeps fractions?",
        ),
        Misconception(
            "FALLING",
            lambda n, steps, beta=1.0: beta * max(0.0, 1 - (n + 1) / steps),
            "The weight falls. The code should be cheap at the beginning, when the decoder cannot "
            "read it yet, and cost its full price in the end.",
        ),
        Misconception(
            "CONSTANT",
            lambda n, steps, beta=1.0: beta,
            "The weight is the same in every step: this is training without a warm-up.",
        ),
    ),
    hints=Hints(
        property=(
            "Checked are the first step, one on the way, the last of the warm-up, and one after "
            "it, for three values of beta."
        ),
        place="One share of the way, limited, times beta. Steps count from 0.",
        example=(
            "A warm-up of four steps rises in quarters. Run this:\n"
            ">>> [warm_up(n, 4) for n in range(6)]\n"
            "[0.25, 0.5, 0.75, 1.0, 1.0, 1.0]"
        ),
        question="Which share of the warm-up is over at the end of step `n`, and at most?",
        analogue=(
            "A tap that opens evenly in ten turns to 5 litres a minute gives 0.5 litres after the "
            "first turn, 5 after the tenth, and 5 after the twentieth."
        ),
    ),
)
