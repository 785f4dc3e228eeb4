"""Exercise: the unbiased kernel distance."""

import torch
from torch import Tensor

from genimg_course.exercises.inputs import normal
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.maths.kernels import polynomial_kernel, squared_mmd
from genimg_course.probing.case import Case

__all__ = ["SPECIFICATION"]


def _cases(rng: torch.Generator) -> list[Case]:
    def sets(
        count: int, other: int, width: int, dtype: torch.dtype = torch.float64
    ) -> dict[str, Tensor]:
        return {
            "x": normal(rng, count, width, dtype=dtype),
            "y": 1.3 * normal(rng, other, width, dtype=dtype) + 0.5,
        }

    same = sets(5, 5, 3)
    same["y"] = same["x"].flip(0)
    return [
        Case(sets(4, 6, 3)),
        Case(sets(7, 3, 5)),
        Case(sets(2, 2, 2), name="two images each"),
        Case(same, name="the same images twice"),
        Case(sets(5, 4, 3, dtype=torch.float32), name="float32 inputs"),
    ]


def _parts(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    return polynomial_kernel(x, x), polynomial_kernel(y, y), polynomial_kernel(x, y)


def _pairs(kernel: Tensor) -> Tensor:
    return (kernel.sum() - kernel.trace()) / (len(kernel) * (len(kernel) - 1))


def _other_kernel(x: Tensor, y: Tensor, scale: float, offset: float, power: int) -> Tensor:
    def kernel(a: Tensor, b: Tensor) -> Tensor:
        return (a @ b.T * scale + offset) ** power

    return _pairs(kernel(x, x)) + _pairs(kernel(y, y)) - 2 * kernel(x, y).mean()


def _all_pairs(x: Tensor, y: Tensor) -> Tensor:
    xx, yy, xy = _parts(x, y)
    return xx.mean() + yy.mean() - 2 * xy.mean()


def _wrong_count(x: Tensor, y: Tensor) -> Tensor:
    xx, yy, xy = _parts(x, y)
    return (
        (xx.sum() - xx.trace()) / len(x) ** 2
        + (yy.sum() - yy.trace()) / len(y) ** 2
        - 2 * xy.mean()
    )


def _diagonal_in_the_sum(x: Tensor, y: Tensor) -> Tensor:
    xx, yy, xy = _parts(x, y)
    n, m = len(x), len(y)
    return xx.sum() / (n * (n - 1)) + yy.sum() / (m * (m - 1)) - 2 * xy.mean()


def _cross(x: Tensor, y: Tensor, factor: float) -> Tensor:
    xx, yy, xy = _parts(x, y)
    return _pairs(xx) + _pairs(yy) + factor * xy.mean()


SPECIFICATION = Specification(
    id="metrics.squared_mmd",
    title="The unbiased kernel distance",
    reference=squared_mmd,
    cases=_cases,
    differentiate=("x",),
    misconceptions=(
        Misconception(
            "DIAGONALS",
            _all_pairs,
            "Each image is also paired with itself. Such pairs are always alike, so the result is "
            "too large on average, and the more so the fewer the images.",
        ),
        Misconception(
            "COUNT",
            _wrong_count,
            "The pairs of an image with itself are gone from the sums, but they are still counted. "
            "Of N images, how many ordered pairs have two different members?",
        ),
        Misconception(
            "DIAGONAL_SUMMED",
            _diagonal_in_the_sum,
            "The counts are those of different pairs, but the sums still hold the pairs of an "
            "image with itself.",
        ),
        Misconception(
            "CROSS_ONCE",
            lambda x, y: _cross(x, y, -1.0),
            "The cross term is subtracted once. In the square of a difference it comes twice.",
        ),
        Misconception(
            "CROSS_ADDED",
            lambda x, y: _cross(x, y, 2.0),
            "The cross term is added. The more alike the two sets, the larger that term, and the "
            "smaller the distance must be.",
        ),
        Misconception(
            "NO_WIDTH",
            lambda x, y: _other_kernel(x, y, 1.0, 1.0, 3),
            "The scalar product is not divided by the number of features, so the value grows with "
            "the width of the network.",
        ),
        Misconception(
            "NO_ONE",
            lambda x, y: _other_kernel(x, y, 1 / x.shape[1], 0.0, 3),
            "The 1 in the kernel is missing. Without it only third moments are compared, and not "
            "means and variances.",
        ),
        Misconception(
            "SQUARE_KERNEL",
            lambda x, y: _other_kernel(x, y, 1 / x.shape[1], 1.0, 2),
            "The kernel is squared, not cubed. With the square, skewness goes unseen.",
        ),
    ),
    hints=Hints(
        property=(
            "Checked are the values for sets of different sizes, the case of equal sets, and the "
            "gradient with respect to the first."
        ),
        place=(
            "Three means of kernel values. Within a set the mean runs over pairs of different "
            "images; across the sets it runs over all pairs and counts twice."
        ),
        example=(
            "One set is 0 and 2, the other 1 and 1. Only the pairs of different members count: "
            "1 + 8 - 2 * (1 + 27) / 2. Run this:\n"
            ">>> squared_mmd(torch.tensor([[0.0], [2.0]]), torch.tensor([[1.0], [1.0]]))\n"
            "tensor(-19.)"
        ),
        question=(
            "A sum over all pairs holds N pairs of an image with itself. Where do they stand in "
            "the matrix of kernel values, and how many pairs remain?"
        ),
        analogue=(
            "The same idea in one line: the mean of products of different members of 1, 2, 4 is "
            "((1 + 2 + 4)**2 - (1 + 4 + 16)) / (3 * 2) = 28 / 6, an unbiased estimate of the "
            "squared mean."
        ),
    ),
)
