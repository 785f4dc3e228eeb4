"""Exercise: from a few steps to the hours of a whole run."""

from collections.abc import Callable

import torch
from torch import Tensor

from genimg_course.exercises.inputs import uniform
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.maths.cost import run_hours
from genimg_course.probing.case import Case

__all__ = ["SPECIFICATION"]


def _cases(rng: torch.Generator) -> list[Case]:
    def times(count: int, warm_up: int) -> dict[str, Tensor]:
        seconds = uniform(rng, count, low=0.1, high=0.2)
        seconds[::4] += 0.3  # a penalty in every fourth step
        seconds[:warm_up] += 3.0
        return {"seconds": seconds}

    return [
        Case(times(20, 5), {"images": 60_000, "batch_size": 64, "epochs": 50}),
        Case(times(25, 5), {"images": 5000, "batch_size": 128, "epochs": 3}),
        Case(times(12, 3), {"images": 1000, "batch_size": 300, "epochs": 7, "warm_up": 3}),
        Case(
            times(9, 0),
            {"images": 640, "batch_size": 32, "epochs": 10, "warm_up": 0},
            name="no warm-up",
        ),
    ]


def _variant(
    pace: Callable[[Tensor], Tensor] = torch.mean,
    steps: Callable[[int, int, int], float] = lambda n, b, e: e * (n // b),
    *,
    cut: bool = True,
    second: float = 3600.0,
) -> Callable[..., float]:
    """Return the right estimate with one part exchanged."""

    def wrong(
        seconds: Tensor, *, images: int, batch_size: int, epochs: int, warm_up: int = 5
    ) -> float:
        kept = seconds[warm_up:] if cut else seconds
        return steps(images, batch_size, epochs) * float(pace(kept)) / second

    return wrong


SPECIFICATION = Specification(
    id="training.run_hours",
    title="The hours of a whole run",
    reference=run_hours,
    cases=_cases,
    rtol=1e-5,
    misconceptions=(
        Misconception(
            "WITH_WARM_UP",
            _variant(cut=False),
            "The first steps count as well. They load code, choose algorithms and fetch memory, "
            "and never come again; a mean over a few steps is far too high with them.",
        ),
        Misconception(
            "MEDIAN",
            _variant(lambda t: t.quantile(0.5)),
            "This is the median. If every fourth step is dearer, the median never sees it, but the "
            "clock does. A total needs the mean.",
        ),
        Misconception(
            "FASTEST",
            _variant(torch.min),
            "This takes the fastest step for all. It says what the machine can do, not what it "
            "will do.",
        ),
        Misconception(
            "EPOCHS_ARE_STEPS",
            _variant(steps=lambda n, b, e: e),
            "An epoch was taken for a step. An epoch shows every picture once, which takes many "
            "steps.",
        ),
        Misconception(
            "ONE_IMAGE_A_STEP",
            _variant(steps=lambda n, b, e: e * n),
            "Every picture was counted as a step. A step takes a whole batch.",
        ),
        Misconception(
            "PARTIAL_BATCH",
            _variant(steps=lambda n, b, e: e * n / b),
            "The pictures that are left over at the end of an epoch do not make a batch here; they "
            "wait for a later epoch. So the number of steps is whole.",
        ),
        Misconception(
            "MINUTES",
            _variant(second=60.0),
            "These are minutes. An hour has 3600 seconds.",
        ),
    ),
    hints=Hints(
        property=(
            "Checked are the hours for several sets, batches and warm-ups; every fourth step is "
            "dearer than the others."
        ),
        place="Hours are steps times seconds a step. How many steps, and which seconds?",
        example=(
            "1000 pictures in batches of 300 are 3 steps an epoch. Run this:\n"
            ">>> seconds = torch.tensor([90.0, 10.0, 14.0])\n"
            ">>> run_hours(seconds, images=1000, batch_size=300, epochs=100, warm_up=1)\n"
            "1.0"
        ),
        question=(
            "You pay for every step of the run. Which single number, multiplied with the count of "
            "steps, gives what you pay: the mean, the median or the least?"
        ),
        analogue=(
            "A baker needs 40 minutes for the first batch of bread because the oven is cold, then "
            "20 minutes, but every third batch 35. Thirty batches take about 30 * 25 minutes."
        ),
    ),
)
