"""Exercise: the frequency that a sampled wave seems to have."""

import torch
from torch import Tensor

from genimg_course.exercises.inputs import uniform
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.maths.aliasing import alias_frequency
from genimg_course.probing.case import Case

__all__ = ["SPECIFICATION"]


def _cases(rng: torch.Generator) -> list[Case]:
    def waves(count: int, high: float, dtype: torch.dtype = torch.float64) -> dict[str, Tensor]:
        return {"frequency": uniform(rng, count, high=high, dtype=dtype)}

    return [
        Case(waves(40, 4.0)),
        Case(waves(40, 2.0), {"rate": 0.25}),
        Case(waves(30, 30.0), {"rate": 8.0}),
        Case(waves(10, 0.49), name="waves that are slow enough"),
        Case(waves(30, 4.0, torch.float32), {"rate": 2.0}, name="float32 inputs"),
    ]


def _near(frequency: Tensor, rate: float) -> Tensor:
    return frequency - rate * (frequency / rate).round()


SPECIFICATION = Specification(
    id="images.alias_frequency",
    title="What a wave looks like after sampling",
    reference=alias_frequency,
    cases=_cases,
    misconceptions=(
        Misconception(
            "CUT",
            lambda frequency, *, rate=1.0: frequency.clamp(max=rate / 2),
            "A wave that is too fast does not stop at the limit: it folds back and seems slower "
            "than that.",
        ),
        Misconception(
            "MODULO",
            lambda frequency, *, rate=1.0: frequency % rate,
            "Whole multiples of the rate are gone, but up to the rate itself remains. Samples "
            "cannot tell a wave from its mirror image at the rate minus its frequency: which of "
            "the two is below the limit?",
        ),
        Misconception(
            "SIGNED",
            lambda frequency, *, rate=1.0: _near(frequency, rate),
            "Half of the answers are negative. A cosine is the same forwards and backwards.",
        ),
        Misconception(
            "ONCE",
            lambda frequency, *, rate=1.0: torch.where(
                frequency > rate / 2, (rate - frequency).abs(), frequency
            ),
            "This folds once. A wave beyond one and a half times the rate must be folded again.",
        ),
        Misconception(
            "HALF_PERIOD",
            lambda frequency, *, rate=1.0: _near(frequency, rate / 2).abs(),
            "Here the answers repeat every half of the rate. Samples at distance 1 / rate are the "
            "same again only when the wave makes one whole turn more between them.",
        ),
        Misconception(
            "NO_RATE",
            lambda frequency, *, rate=1.0: _near(frequency, 1.0).abs(),
            "The rate is not used: at one sample per unit this is right, and nowhere else.",
        ),
    ),
    hints=Hints(
        property="Checked are waves far above and below the limit, at four rates.",
        place="Take away the nearest whole multiple of the rate; then think of the sign.",
        example=(
            "At one sample per pixel, 0.8 cycles per pixel look like 0.2. Run this:\n"
            ">>> alias_frequency(torch.tensor([0.3, 0.8, 1.4, 7.9]))\n"
            "tensor([0.3000, 0.2000, 0.4000, 0.1000])"
        ),
        question=(
            "How far may a wheel with one mark turn between two pictures of a film, so that it "
            "still seems to turn the right way?"
        ),
        analogue=(
            "With other numbers: at 24 pictures a second, a wheel of 45 turns a second is 3 short "
            "of 48, so it seems to make 3 turns a second, backwards."
        ),
    ),
)
