"""Exercise: the adjoint of a convolution."""

import torch
from torch import Tensor

from genimg_course.exercises.inputs import normal
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.maths.adjoints import transposed_convolution
from genimg_course.maths.convolutions import convolution_matrix
from genimg_course.probing.case import Case

__all__ = ["SPECIFICATION"]


def _cases(rng: torch.Generator) -> list[Case]:
    def row(
        rows: int, taps: int, n: int, *, dtype: torch.dtype = torch.float64
    ) -> dict[str, Tensor | int]:
        return {
            "y": normal(rng, rows, dtype=dtype),
            "kernel": normal(rng, taps, dtype=dtype),
            "n": n,
        }

    return [
        Case(row(5, 3, 7)),
        Case(row(4, 4, 8), {"stride": 2, "padding": 1}),
        Case(row(4, 3, 8), {"stride": 2, "padding": 1}, name="an even row"),
        Case(row(4, 3, 13), {"stride": 3}),
        Case(row(6, 3, 6, dtype=torch.float32), {"padding": 1}, name="float32 inputs"),
    ]


def _inverse(y: Tensor, kernel: Tensor, n: int, *, stride: int = 1, padding: int = 0) -> Tensor:
    return torch.linalg.pinv(convolution_matrix(kernel, n, stride=stride, padding=padding)) @ y


def _back(y: Tensor, kernel: Tensor, n: int, *, stride: int = 1, padding: int = 0) -> Tensor:
    """Let every value paint its stretch, as far as the row goes."""
    x = torch.zeros(n + 2 * padding + stride * len(y) + len(kernel), dtype=y.dtype)
    for i, value in enumerate(y):
        x[stride * i : stride * i + len(kernel)] += value * kernel
    return x[padding : padding + n]


def _one_shift(y: Tensor, kernel: Tensor, n: int, *, stride: int = 1, padding: int = 0) -> Tensor:
    return _back(y, kernel, n, padding=padding)


SPECIFICATION = Specification(
    id="networks.transposed_convolution",
    title="The adjoint of a convolution",
    reference=transposed_convolution,
    cases=_cases,
    differentiate=("y", "kernel"),
    misconceptions=(
        Misconception(
            "INVERSE",
            _inverse,
            "This inverts the convolution as well as it can. The adjoint is the transposed matrix, "
            "which gives back the size and not the values.",
        ),
        Misconception(
            "FLIPPED",
            lambda y, kernel, n, stride=1, padding=0: _back(
                y, kernel.flip(0), n, stride=stride, padding=padding
            ),
            "The kernel is turned round. Each value paints the kernel in the order in which the "
            "convolution has read it.",
        ),
        Misconception(
            "NO_STRIDE",
            _one_shift,
            "The stretches of neighbouring values begin one pixel apart. They must begin one "
            "stride apart, where the convolution has read.",
        ),
        Misconception(
            "NOT_CUT",
            lambda y, kernel, n, stride=1, padding=0: _back(y, kernel, n, stride=stride),
            "The padding is not cut off at the beginning, so the row is shifted.",
        ),
        Misconception(
            "NORMALISED",
            lambda y, kernel, n, stride=1, padding=0: (
                _back(y, kernel, n, stride=stride, padding=padding)
                / _back(
                    torch.ones_like(y), torch.ones_like(kernel), n, stride=stride, padding=padding
                ).clamp_min(1)
            ),
            "Overlapping stretches are averaged. In the adjoint they add up, which is where "
            "checkerboards come from.",
        ),
        Misconception(
            "OVERWRITTEN",
            lambda y, kernel, n, stride=1, padding=0: _overwritten(y, kernel, n, stride, padding),
            "A later stretch replaces an earlier one where both lie. They have to be added.",
        ),
    ),
    hints=Hints(
        property=(
            "Checked are the values for several kernels, strides and paddings, and the gradients "
            "for both tensors. They fulfil <K x, y> = <x, K' y>."
        ),
        place=(
            "Either build the matrix of the convolution and transpose it, or let each value of y "
            "paint its multiple of the kernel where the convolution has read, and add."
        ),
        example=(
            "Two values paint two stretches that begin 2 pixels apart and share one. Run this:\n"
            ">>> y, kernel = torch.tensor([1.0, 10.0]), torch.tensor([1.0, 2.0, 3.0])\n"
            ">>> transposed_convolution(y, kernel, 5, stride=2)\n"
            "tensor([ 1.,  2., 13., 20., 30.])"
        ),
        question=(
            "Row i of the matrix holds what output i reads. What, then, does column j hold, and "
            "to whom does pixel j speak?"
        ),
        analogue=(
            "With a 2 by 3 matrix ((1, 2, 0), (0, 1, 2)), the adjoint takes (5, 7) to (5, 10 + 7, "
            "14) = (5, 17, 14)."
        ),
    ),
)


def _overwritten(y: Tensor, kernel: Tensor, n: int, stride: int, padding: int) -> Tensor:
    positions = torch.arange(n) + padding
    latest = (positions // stride).clamp_max(len(y) - 1)
    tap = positions - stride * latest
    inside = tap < len(kernel)
    return torch.where(inside, y[latest] * kernel[tap.clamp_max(len(kernel) - 1)], 0.0)
