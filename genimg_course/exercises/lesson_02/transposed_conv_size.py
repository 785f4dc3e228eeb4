"""Exercise: the size of an image after a transposed convolution."""

import torch

from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.maths.convolutions import transposed_conv_size
from genimg_course.probing.case import Case

__all__ = ["SPECIFICATION"]


def _cases(rng: torch.Generator) -> list[Case]:
    def drawn(low: int, high: int) -> int:
        return int(torch.randint(low, high, (1,), generator=rng))

    return [
        Case({"n": 7}, {"kernel_size": 4, "stride": 2, "padding": 1}),
        Case({"n": 7}, {"kernel_size": 5, "stride": 2, "padding": 2, "output_padding": 1}),
        Case({"n": 1}, {"kernel_size": 4}, name="one pixel"),
        Case({"n": 8}, {"kernel_size": 5, "stride": 2, "padding": 1}),
        Case({"n": 6}, {"kernel_size": 3, "stride": 2, "padding": 1, "dilation": 3}),
        Case(
            {"n": drawn(5, 30)},
            {
                "kernel_size": drawn(3, 7),
                "stride": 3,
                "padding": drawn(1, 3),
                "output_padding": drawn(1, 3),
                "dilation": drawn(2, 4),
            },
        ),
    ]


def _size(n: int, k: int, s: int, p: int, o: int, d: int) -> int:
    return (n - 1) * s - 2 * p + d * (k - 1) + o + 1


SPECIFICATION = Specification(
    id="networks.transposed_conv_size",
    title="The size of an image after a transposed convolution",
    reference=transposed_conv_size,
    cases=_cases,
    misconceptions=(
        Misconception(
            "TIMES_STRIDE",
            lambda n, kernel_size, stride=1, padding=0, output_padding=0, dilation=1: n * stride,
            "This multiplies by the stride, whatever the kernel and the padding are. That holds "
            'for padding="same" in Keras, which is how three layers took a grid of 7 to 56; here '
            "it depends on all the numbers.",
        ),
        Misconception(
            "NO_OUTPUT_PADDING",
            lambda n, kernel_size, stride=1, padding=0, output_padding=0, dilation=1: _size(
                n, kernel_size, stride, padding, 0, dilation
            ),
            "The output padding is not used. It adds pixels at the far end, because several sizes "
            "shrink to the same one.",
        ),
        Misconception(
            "DOUBLE_OUTPUT_PADDING",
            lambda n, kernel_size, stride=1, padding=0, output_padding=0, dilation=1: _size(
                n, kernel_size, stride, padding, 2 * output_padding, dilation
            ),
            "The output padding is added twice. Unlike the padding it stands at one end only.",
        ),
        Misconception(
            "NO_DILATION",
            lambda n, kernel_size, stride=1, padding=0, output_padding=0, dilation=1: _size(
                n, kernel_size, stride, padding, output_padding, 1
            ),
            "The dilation is not used. It spreads the taps, so each pixel paints a longer stretch.",
        ),
        Misconception(
            "PADDING_ADDED",
            lambda n, kernel_size, stride=1, padding=0, output_padding=0, dilation=1: _size(
                n, kernel_size, stride, -padding, output_padding, dilation
            ),
            "The padding makes the result larger. It is the padding of the convolution that is "
            "undone, so here it cuts pixels off.",
        ),
        Misconception(
            "ALL_STRIDES",
            lambda n, kernel_size, stride=1, padding=0, output_padding=0, dilation=1: _size(
                n + 1, kernel_size, stride, padding, output_padding, dilation
            ),
            "There is one stride too many. From the first pixel to the last there is one step "
            "fewer than there are pixels.",
        ),
        Misconception(
            "CONVOLUTION",
            lambda n, kernel_size, stride=1, padding=0, output_padding=0, dilation=1: (
                (n + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1
            ),
            "This is the size after a convolution. A transposed one goes the other way.",
        ),
    ),
    hints=Hints(
        property=(
            "Checked is a whole number for several kernels, strides, paddings, output paddings "
            "and dilations."
        ),
        place=(
            "Every input pixel paints a stretch as long as the kernel covers. Where does the first "
            "stretch begin, where does the last one end? Then cut the padding off at both ends."
        ),
        example=(
            "A grid of 4 with kernel 3 and stride 2 paints 9 pixels; padding 1 leaves 7, and one "
            "more makes 8. Run this:\n"
            ">>> transposed_conv_size(4, kernel_size=3, stride=2, padding=1, output_padding=1)\n"
            "8"
        ),
        question=(
            "A convolution takes 7 and 8 pixels to 4 alike. Which number tells the way back where "
            "to go?"
        ),
        analogue=(
            "With other numbers: 5 pixels, 3 apart, reach 12 pixels from the first to the last. A "
            "kernel of 4 adds 3, the first pixel itself 1: 16. Padding 2 at both ends leaves 12."
        ),
    ),
)
