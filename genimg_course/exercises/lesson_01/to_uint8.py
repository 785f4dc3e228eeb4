"""Exercise: from the range of the models back to bytes."""

import torch
from torch import Tensor

from genimg_course.exercises.inputs import uniform
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.maths.pixels import to_uint8
from genimg_course.probing import lesson_01 as probes
from genimg_course.probing.case import Case, Observations, Observed

__all__ = ["SPECIFICATION"]


def _cases(rng: torch.Generator) -> list[Case]:
    def pixels(*shape: int, low: float, high: float, dtype: torch.dtype) -> dict[str, Tensor]:
        # away from the middle between two levels, where rounding may go either way
        level = uniform(rng, *shape, low=low, high=high).round()
        return {"x": ((level + uniform(rng, *shape, low=-0.4, high=0.4)) / 127.5 - 1).to(dtype)}

    every = torch.arange(256.0, dtype=torch.float64) / 127.5 - 1
    return [
        Case(pixels(2, 3, 4, 5, low=1, high=254, dtype=torch.float64)),
        Case(pixels(3, 1, 6, 6, low=1, high=254, dtype=torch.float32)),
        Case({"x": every.float()}, name="all 256 levels"),
        Case(
            pixels(4, 1, 5, 5, low=-150, high=400, dtype=torch.float32),
            name="values outside [-1, 1]",
        ),
    ]


def _reading(case: Case, seen: Observed) -> Observations:
    """Read levels and type apart: a value that is no number is reported as such."""
    result = seen["value"]
    if not isinstance(result, Tensor):
        yield "value:type", result
        return
    broken = not bool(result.isfinite().all())
    yield "value:type", torch.zeros(result.shape, dtype=torch.uint8 if broken else result.dtype)
    yield "value:levels", result.double()
    yield "unchanged:x", seen["unchanged:x"]


def _bytes(level: Tensor) -> Tensor:
    return level.clamp(0, 255).to(torch.uint8)


def _autoscaled(x: Tensor) -> Tensor:
    return _bytes(((x - x.min()) / (x.max() - x.min()) * 255).round())


SPECIFICATION = Specification(
    id="images.to_uint8",
    title="From the range of the models back to bytes",
    reference=to_uint8,
    cases=_cases,
    probe=probes.to_uint8,
    reading=_reading,
    misconceptions=(
        Misconception(
            "TRUNCATED",
            lambda x: _bytes((127.5 * (x + 1)).floor()),
            "The fraction is cut off instead of rounded, so a level that arithmetic has moved down "
            "by a hair loses a whole step. The picture becomes darker with every trip.",
        ),
        Misconception(
            "NO_CLIP",
            lambda x: (127.5 * (x + 1)).round().to(torch.int64).to(torch.uint8),
            "A value above 1 comes back as a dark pixel, because a byte starts again at 0. What "
            "lies outside the range must be stopped at its ends.",
        ),
        Misconception(
            "UNIT",
            lambda x: _bytes((255 * x).round()),
            "This reads the values as [0, 1]: the darker half of the picture turns black.",
        ),
        Misconception(
            "BY_128",
            lambda x: _bytes((128 * (x + 1)).round()),
            "White becomes 256, which a byte does not have. The way back needs the same factor as "
            "the way there.",
        ),
        Misconception(
            "NO_SCALE",
            lambda x: _bytes((x + 1).round()),
            "The values are shifted but not stretched: everything is 0, 1 or 2.",
        ),
        Misconception(
            "CLIPPED_BELOW_ZERO",
            lambda x: _bytes((127.5 * (x.clamp(0, 1) + 1)).round()),
            "The values are clipped to [0, 1] first, so all dark pixels become middle grey. Which "
            "range does the picture have here?",
        ),
        Misconception(
            "AUTOSCALE",
            _autoscaled,
            "Each batch is stretched to its own darkest and brightest pixel. That hides a wrong "
            "range, and the same value becomes another byte in the next batch.",
        ),
    ),
    hints=Hints(
        property=(
            "Checked are the levels and the type uint8: for all 256 levels, for values between two "
            "levels, and for values outside the range."
        ),
        place="Three things after the straight line: rounding, the two ends, the type.",
        example=(
            "White stays white, and what is brighter than white becomes white. Run this:\n"
            ">>> to_uint8(torch.tensor([-1.0, -0.6, 0.999, 1.2]))\n"
            "tensor([  0,  51, 255, 255], dtype=torch.uint8)"
        ),
        question="What is the inverse of the straight line, and what can a byte not hold?",
        analogue=(
            "With other numbers: three bits hold 0 to 7. The value 0.3 lies at 3.5 * 1.3 = 4.55 "
            "and becomes level 5; the value 1.4 lies at 8.4 and becomes level 7."
        ),
    ),
)
