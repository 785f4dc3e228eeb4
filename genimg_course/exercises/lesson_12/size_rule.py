"""Exercise: the grid, the doublings and the padding that an image size asks for."""

import torch

from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.models.rules import size_rule
from genimg_course.probing.case import Case

__all__ = ["SPECIFICATION"]


def _cases(rng: torch.Generator) -> list[Case]:
    odd = 1 + 2 * int(torch.randint(1, 4, (1,), generator=rng))  # 3, 5 or 7
    power = int(torch.randint(2, 5, (1,), generator=rng))
    return [
        Case({"size": 28}),
        Case({"size": 64}),
        Case({"size": odd * 2**power}),
        Case({"size": 48}, {"kernel_size": 6}),
        Case({"size": 96}, {"kernel_size": 2}),
        Case({"size": 32}, {"kernel_size": 5}, name="an odd kernel"),
        Case({"size": 40}, {"kernel_size": 3, "largest": 10}, name="a grid that is just allowed"),
        Case({"size": 64}, {"largest": 8}, name="a grid that is just allowed"),
    ]


def _plan(
    size: int, kernel_size: int, largest: float, *, padding: int, output_padding: int
) -> dict[str, int]:
    side, doublings = size, 0
    while side > largest and side % 2 == 0:
        side, doublings = side // 2, doublings + 1
    return {
        "side": side,
        "doublings": doublings,
        "padding": padding,
        "output_padding": output_padding,
    }


def _right_padding(kernel_size: int) -> dict[str, int]:
    return {"padding": (kernel_size - 1) // 2, "output_padding": kernel_size % 2}


def _off_by_one(size: int, kernel_size: int = 4, largest: int = 7) -> dict[str, int]:
    return _plan(size, kernel_size, largest - 1, **_right_padding(kernel_size))


def _to_the_bottom(size: int, kernel_size: int = 4, largest: int = 7) -> dict[str, int]:
    return _plan(size, kernel_size, 1, **_right_padding(kernel_size))


def _always_even(size: int, kernel_size: int = 4, largest: int = 7) -> dict[str, int]:
    return _plan(size, kernel_size, largest, padding=(kernel_size - 1) // 2, output_padding=0)


def _as_for_stride_one(size: int, kernel_size: int = 4, largest: int = 7) -> dict[str, int]:
    return _plan(size, kernel_size, largest, padding=kernel_size // 2, output_padding=0)


def _always_four(size: int, kernel_size: int = 4, largest: int = 7) -> dict[str, int]:
    return _plan(size, kernel_size, largest, padding=1, output_padding=0)


def _fixed_depth(size: int, kernel_size: int = 4, largest: int = 7) -> dict[str, int]:
    return {"side": size // 4, "doublings": 2, **_right_padding(kernel_size)}


SPECIFICATION = Specification(
    id="dcgan.size_rule",
    title="The layers that an image size asks for",
    reference=size_rule,
    cases=_cases,
    misconceptions=(
        Misconception(
            "OFF_BY_ONE",
            _off_by_one,
            "A side that equals the largest allowed one is halved once more. It is allowed, so "
            "stop there.",
        ),
        Misconception(
            "TO_THE_BOTTOM",
            _to_the_bottom,
            "The side is halved as long as it is even, whatever the largest allowed grid. The "
            "first layer should give the picture a small grid, not a single pixel.",
        ),
        Misconception(
            "NO_OUTPUT_PADDING",
            _always_even,
            "An odd kernel cannot double a side by padding alone: the result is one pixel short. "
            "One end needs an extra pixel.",
        ),
        Misconception(
            "AS_FOR_STRIDE_ONE",
            _as_for_stride_one,
            "Half a kernel of padding keeps the side of a convolution with stride 1. Put your "
            "numbers into the length of a transposed convolution with stride 2: do you get 2n?",
        ),
        Misconception(
            "ALWAYS_FOUR",
            _always_four,
            "The padding of kernel 4 is used for every kernel. Solve 2(n - 1) - 2p + k + o = 2n "
            "for the kernel that was asked for.",
        ),
        Misconception(
            "FIXED_DEPTH",
            _fixed_depth,
            "Two doublings are used for every size. That is right for 28 pixels; a larger picture "
            "would start from a grid that is far too large for one dense layer.",
        ),
    ),
    hints=Hints(
        property=(
            "Checked are four whole numbers for sizes from 12 to 112, for even and odd kernels and "
            "for several largest grids."
        ),
        place=(
            "Halve the side while it is even and above the largest allowed one, and count. Then "
            "solve the length of a transposed convolution for the padding."
        ),
        example=(
            "64 pixels start from a grid of 4; a kernel of 5 needs one pixel of output padding. "
            "Run this:\n"
            ">>> size_rule(64, kernel_size=5)\n"
            "{'side': 4, 'doublings': 4, 'padding': 2, 'output_padding': 1}"
        ),
        question=(
            "With stride 2 the length is 2(n - 1) - 2p + k + o. Which p makes it 2n when k is "
            "even, and why does no whole p do it when k is odd and o is zero?"
        ),
        analogue=(
            "With stride 3 a side is tripled if 3(n - 1) - 2p + k + o = 3n, that is 2p = k - 3 + "
            "o. For k = 5 the padding is 1; for k = 6 it is 2 with one extra pixel."
        ),
    ),
)
