"""Exercise: make pictures smaller without false patterns."""

import torch
import torch.nn.functional as F
from torch import Tensor

from genimg_course.exercises.inputs import uniform
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.maths.resizing import shrink
from genimg_course.probing.case import Case

__all__ = ["SPECIFICATION"]


def _cases(rng: torch.Generator) -> list[Case]:
    def batch(*shape: int, factor: int, dtype: torch.dtype = torch.float64) -> dict[str, object]:
        return {"x": uniform(rng, *shape, low=-1.0, dtype=dtype), "factor": factor}

    return [
        Case(batch(2, 1, 8, 8, factor=2)),
        Case(batch(1, 3, 12, 6, factor=3)),
        Case(batch(3, 2, 8, 16, factor=4)),
        Case(batch(2, 1, 12, 12, factor=4, dtype=torch.float32), name="float32 inputs"),
    ]


def _after(x: Tensor, factor: int) -> Tensor:
    small = x[:, :, ::factor, ::factor]
    return F.avg_pool2d(small, 3, stride=1, padding=1, count_include_pad=False)


SPECIFICATION = Specification(
    id="images.shrink",
    title="Smaller pictures without false patterns",
    reference=shrink,
    cases=_cases,
    misconceptions=(
        Misconception(
            "STRIDED",
            lambda x, factor: x[:, :, ::factor, ::factor],
            "This keeps every so many pixels and throws the others away. Waves that are too fast "
            "for the new pixels come back as slow ones. What should a large pixel say about the "
            "area that it covers?",
        ),
        Misconception(
            "CENTRE",
            lambda x, factor: x[:, :, factor // 2 :: factor, factor // 2 :: factor],
            "One pixel from the middle of each block is still one pixel. The others of the block "
            "have no say, so fine detail still folds.",
        ),
        Misconception(
            "AFTER",
            _after,
            "The smoothing comes after the pixels were thrown away. By then a fast wave already "
            "looks like a slow one, and no filter can tell them apart. Which order helps?",
        ),
        Misconception(
            "BILINEAR",
            lambda x, factor: F.interpolate(x, scale_factor=1 / factor, mode="bilinear"),
            "Plain bilinear resizing looks at no more than two pixels in each direction, whatever "
            "the factor. That covers a block of 2 by 2, and no larger one.",
        ),
        Misconception(
            "ONE_AXIS",
            lambda x, factor: F.avg_pool2d(x, (1, factor))[:, :, ::factor],
            "Only one axis is averaged; along the other, pixels are skipped.",
        ),
        Misconception(
            "SUM",
            lambda x, factor: F.avg_pool2d(x, factor) * factor**2,
            "The pixels of a block are added up, so a grey wall becomes brighter as it becomes "
            "smaller. A pixel is a mean over its area.",
        ),
        Misconception(
            "MAX",
            lambda x, factor: F.max_pool2d(x, factor),
            "The brightest pixel of each block wins, so thin bright lines grow and dark ones "
            "vanish. A pixel is a mean over its area.",
        ),
    ),
    hints=Hints(
        property="Checked are factors 2, 3 and 4, also on pictures that are not square.",
        place="Filter first, then sample. For a block of pixels both can be done in one move.",
        example=(
            "Stripes of one pixel are too fine for half the size, and become grey. Run this:\n"
            ">>> stripes = torch.tensor([1.0, -1.0]).repeat(2, 2)[None, None]\n"
            ">>> shrink(stripes, 2)\n"
            "tensor([[[[0., 0.]]]])"
        ),
        question="How much light falls on a sensor cell that is as large as four small ones?",
        analogue=(
            "With other numbers: a row 2, 4, 9, 3, 0, 0 becomes 5, 1 at factor 3. Skipping would "
            "give 2, 3."
        ),
    ),
)
