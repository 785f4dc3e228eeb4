"""Exercise: what a program prints in the long run if its generator never moves."""

import torch
from torch import Tensor

from genimg_course.exercises.inputs import uniform
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.maths.faulty_games import forecast
from genimg_course.probing.case import Case

__all__ = ["SPECIFICATION"]


def _cases(rng: torch.Generator) -> list[Case]:
    def laws(count: int, dtype: torch.dtype = torch.float64) -> dict[str, Tensor]:
        p, q = (uniform(rng, count, low=0.05, dtype=dtype) for _ in range(2))
        return {"p": p / p.sum(), "q": q / q.sum()}

    apart = laws(6)
    apart["p"][:3] = 0.0
    apart["q"][3:] = 0.0
    apart = {name: law / law.sum() for name, law in apart.items()}
    equal = laws(4)
    equal["q"] = equal["p"].clone()
    return [
        Case(laws(5)),
        Case(laws(8)),
        Case(apart, name="laws that do not meet"),
        Case(equal, name="equal laws"),
        Case(laws(4, torch.float32), name="float32 inputs"),
    ]


def _told(p: Tensor, q: Tensor, d: Tensor, g_loss: Tensor | None = None) -> dict[str, Tensor]:
    return {
        "d_real": (p * d).sum(),
        "d_fake": (q * d).sum(),
        "g_loss": -torch.xlogy(q, d).sum() if g_loss is None else g_loss,
        "change_of_g": torch.zeros_like(d.sum()),
    }


def _d(p: Tensor, q: Tensor) -> Tensor:
    return (p + 2 * q) / (p + 3 * q)


SPECIFICATION = Specification(
    id="clinic.forecast",
    title="What a program prints whose generator never moves",
    reference=forecast,
    cases=_cases,
    misconceptions=(
        Misconception(
            "HONEST",
            lambda p, q: _told(p, q, p / (p + q)),
            "This is the forecast for an honest discriminator. Here the second step shows it "
            "fakes under the label real.",
        ),
        Misconception(
            "ONCE",
            lambda p, q: _told(p, q, (p + q) / (p + 2 * q)),
            "The weights are not those of this loop. Its first step takes the mean over one batch "
            "of both kinds, so each kind counts one half there; the second step counts whole.",
        ),
        Misconception(
            "IMPROVES",
            lambda p, q: _told(p, q, torch.full_like(p, 0.75)),
            "This is the forecast for a generator that has reached the data. Which line of the "
            "loop would move it?",
        ),
        Misconception(
            "UNDECIDED",
            lambda p, q: _told(p, q, torch.full_like(p, 0.5)),
            "An undecided discriminator is what an honest game ends in. Here neither the labels "
            "are honest nor does the generator come nearer.",
        ),
        Misconception(
            "LOG_OF_MEAN",
            lambda p, q: _told(p, q, _d(p, q), -(q * _d(p, q)).sum().log()),
            "The loss is the logarithm of the mean of D. A loss is a mean of logarithms, which is "
            "larger.",
        ),
        Misconception(
            "OTHER_LOSS",
            lambda p, q: _told(p, q, _d(p, q), -(q * (1 - _d(p, q)).log()).sum()),
            "This is the loss of fakes that are called fake. In the step that is meant for the "
            "generator they are called real.",
        ),
        Misconception(
            "SWAPPED",
            lambda p, q: _told(q, p, _d(p, q), -(q * _d(p, q).log()).sum()),
            "The means over data and over fakes are exchanged.",
        ),
    ),
    hints=Hints(
        property=(
            "Checked are the four numbers for laws that overlap, that do not meet, and that are "
            "equal."
        ),
        place=(
            "Find D first, at each point: which labels does it see there, and with which weights? "
            "Then take means over the right law."
        ),
        example=(
            "Where the laws do not meet, the fakes end at two thirds. Run this:\n"
            '>>> forecast(torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0]))["d_fake"]\n'
            "tensor(0.6667)"
        ),
        question="Which optimiser is stepped in the second half of the loop, and what is in it?",
        analogue=(
            "With other weights: if real images count 1, fakes called fake 1 and fakes called real "
            "3, then D = (p + 3q) / (p + 4q), and fakes alone get 3/4."
        ),
    ),
)
