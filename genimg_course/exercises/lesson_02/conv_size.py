"""Exercise: the size of an image after a convolution."""

import math

import torch

from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.maths.convolutions import conv_size
from genimg_course.probing.case import Case

__all__ = ["SPECIFICATION"]


def _cases(rng: torch.Generator) -> list[Case]:
    def drawn(low: int, high: int) -> int:
        return int(torch.randint(low, high, (1,), generator=rng))

    return [
        Case({"n": 28}, {"kernel_size": 4, "stride": 2, "padding": 1}),
        Case({"n": 7}, {"kernel_size": 3}),
        Case({"n": 16}, {"kernel_size": 5, "padding": 2}, name="a padding that keeps the size"),
        Case(
            {"n": 15},
            {"kernel_size": 4, "stride": 2, "padding": 1},
            name="a stride that leaves a rest",
        ),
        Case({"n": 32}, {"kernel_size": 3, "stride": 2, "padding": 1, "dilation": 2}),
        Case({"n": 21}, {"kernel_size": 3, "dilation": 4}, name="dilation"),
        Case(
            {"n": drawn(40, 90)},
            {
                "kernel_size": drawn(2, 7),
                "stride": drawn(1, 4),
                "padding": drawn(0, 3),
                "dilation": drawn(1, 4),
            },
        ),
    ]


def _size(n: int, k: int, s: int, p: int, d: int) -> int:
    return (n + 2 * p - d * (k - 1) - 1) // s + 1


SPECIFICATION = Specification(
    id="networks.conv_size",
    title="The size of an image after a convolution",
    reference=conv_size,
    cases=_cases,
    misconceptions=(
        Misconception(
            "ONE_SIDE",
            lambda n, kernel_size, stride=1, padding=0, dilation=1: _size(
                n + padding, kernel_size, stride, 0, dilation
            ),
            "The padding is added once. It stands at both ends of the row.",
        ),
        Misconception(
            "NO_DILATION",
            lambda n, kernel_size, stride=1, padding=0, dilation=1: _size(
                n, kernel_size, stride, padding, 1
            ),
            "The dilation is not used. It spreads the taps, so the kernel covers more pixels.",
        ),
        Misconception(
            "DILATED_TAPS",
            lambda n, kernel_size, stride=1, padding=0, dilation=1: (
                (n + 2 * padding - dilation * kernel_size) // stride + 1
            ),
            "The dilation multiplies the taps. It multiplies the steps between them, and there is "
            "one step fewer than there are taps.",
        ),
        Misconception(
            "CEIL",
            lambda n, kernel_size, stride=1, padding=0, dilation=1: (
                math.ceil((n + 2 * padding - dilation * (kernel_size - 1) - 1) / stride) + 1
            ),
            "The number is rounded up. The last position counts only if the whole kernel fits.",
        ),
        Misconception(
            "NO_FIRST",
            lambda n, kernel_size, stride=1, padding=0, dilation=1: (
                (n + 2 * padding - dilation * (kernel_size - 1) - 1) // stride
            ),
            "One is missing. The division counts the steps; there is one position more than steps.",
        ),
        Misconception(
            "TRANSPOSED",
            lambda n, kernel_size, stride=1, padding=0, dilation=1: (
                (n - 1) * stride - 2 * padding + dilation * (kernel_size - 1) + 1
            ),
            "This is the size after a transposed convolution, which goes the other way.",
        ),
        Misconception(
            "SAME",
            lambda n, kernel_size, stride=1, padding=0, dilation=1: math.ceil(n / stride),
            'This is the rule of a layer that pads by itself (padding="same" in Keras). Here the '
            "padding is given.",
        ),
    ),
    hints=Hints(
        property=(
            "Checked is a whole number for odd and even sizes, several strides, paddings and "
            "dilations."
        ),
        place=(
            "How many pixels does the kernel cover from its first tap to its last? How far can it "
            "travel inside the padded row? How many steps of the stride is that, and how many "
            "positions?"
        ),
        example=(
            "A kernel of 3 with dilation 2 covers 5 of 9 pixels and can travel 4. Run this:\n"
            ">>> conv_size(9, kernel_size=3, stride=2, dilation=2)\n"
            "3"
        ),
        question="A fence of ten metres has a post every two metres. How many posts are there?",
        analogue=(
            "With other numbers: 12 pixels padded by 2 at each end are 16. A kernel of 5 can "
            "travel 11; with stride 3 it takes 3 whole steps, so it has 4 positions."
        ),
    ),
)
