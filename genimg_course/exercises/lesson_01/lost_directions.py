"""Exercise: predict what an augmentation wipes out."""

import torch
from torch import Tensor

from genimg_course.exercises.inputs import uniform
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.maths.group_augmentation import lost_directions
from genimg_course.probing.case import Case

__all__ = ["SPECIFICATION"]


def _cases(rng: torch.Generator) -> list[Case]:
    def given(*weights: float, dtype: torch.dtype = torch.float64) -> dict[str, Tensor]:
        return {"weights": torch.tensor(weights, dtype=dtype)}

    some = uniform(rng, 5, low=0.1)
    some[0] += 2.0
    return [
        Case({"weights": some / some.sum()}),
        Case(given(0.4, 0.2, 0.2, 0.2)),
        Case(given(0.5, 0.5, 0.0, 0.0)),
        Case(given(0.25, 0.25, 0.25, 0.25), name="every quarter turn alike"),
        Case(given(0.0, 1.0, 0.0, 0.0), name="one turn, always"),
        Case(given(0.5, 0.5), name="a mirror in half of all cases"),
        Case(given(0.52, 0.48), name="a mirror in 48 of 100 cases"),
        Case(given(1 / 3, 0.0, 1 / 3, 0.0, 1 / 3, 0.0), name="every third of a turn alike"),
        Case(given(*[1 / 7] * 7), name="seven turns alike"),
        Case(given(*[1 / 3] * 3, dtype=torch.float32), name="float32 inputs"),
    ]


def _factors(weights: Tensor) -> Tensor:
    return torch.fft.fft(weights)


SPECIFICATION = Specification(
    id="images.lost_directions",
    title="What an augmentation wipes out",
    reference=lost_directions,
    cases=_cases,
    misconceptions=(
        Misconception(
            "NEVER",
            lambda weights: 0,
            "Augmentation does more than add data: after quarter turns that are all equally "
            "likely, nobody can say how the pictures stood before.",
        ),
        Misconception(
            "ALWAYS",
            lambda weights: len(weights) - 1 if weights[0] < 1 else 0,
            "Not every mixture is lost. After quarter turns with the chances 0.4, 0.2, 0.2 and 0.2 "
            "the frequencies still tell how the pictures stood.",
        ),
        Misconception(
            "HALF",
            lambda weights: len(weights) - 1 if weights[0] <= 0.5 else 0,
            "The share of untouched pictures does not decide: with 40 % of them the law can still "
            "be read off, and even if every picture is turned by the same angle.",
        ),
        Misconception(
            "ZERO_WEIGHTS",
            lambda weights: int((weights == 0).sum()),
            "This counts the turns that never occur. What counts is which modes of the law are "
            "multiplied by zero.",
        ),
        Misconception(
            "REAL_PART",
            lambda weights: int((_factors(weights).real.abs() < 1e-5).sum()),
            "Only the real parts are looked at. A factor of i turns a mode and does not destroy "
            "it: the size of the complex number decides.",
        ),
        Misconception(
            "LARGE_THRESHOLD",
            lambda weights: int((_factors(weights).abs() < 0.1).sum()),
            "A small factor is counted as zero. Division by it is costly, because it enlarges the "
            "noise, but it is possible.",
        ),
        Misconception(
            "EXACT",
            lambda weights: int((_factors(weights) == 0).sum()),
            "The comparison with zero is exact. Sums of rounded numbers miss zero by a hair, so a "
            "small tolerance is needed.",
        ),
        Misconception(
            "KEPT",
            lambda weights: int((_factors(weights).abs() >= 1e-5).sum()),
            "This counts the directions that survive. The question is how many are lost.",
        ),
    ),
    hints=Hints(
        property="Checked is the whole number for ten augmentations of two to seven turns.",
        place="The factors of the modes are the Fourier transform of the chances of the turns.",
        example=(
            "Four equally likely turns leave only the total. If no turn and a half turn are "
            "equally likely, two factors are zero. Run this:\n"
            ">>> [lost_directions(torch.tensor(w)) for w in ([0.25] * 4, [0.5, 0.0, 0.5, 0.0])]\n"
            "[3, 2]"
        ),
        question="By which numbers is each mode multiplied, and which of them cannot be undone?",
        analogue=(
            "With other numbers: chances 0.7 and 0.3 of a mirror give the factors 1 and 0.4, so "
            "nothing is lost; 0.5 and 0.5 give 1 and 0, and one direction is lost."
        ),
    ),
)
