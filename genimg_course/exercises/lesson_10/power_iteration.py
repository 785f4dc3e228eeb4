"""Exercise: the largest singular value by power iteration."""

import torch
import torch.nn.functional as F
from torch import Tensor

from genimg_course.exercises.inputs import normal
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.maths.spectral import power_iteration
from genimg_course.probing.case import Case

__all__ = ["SPECIFICATION"]


def _cases(rng: torch.Generator) -> list[Case]:
    def problem(rows: int, columns: int, dtype: torch.dtype = torch.float64) -> dict[str, Tensor]:
        return {
            "weight": normal(rng, rows, columns, dtype=dtype),
            "u": normal(rng, rows, dtype=dtype),
        }

    tiny = problem(4, 4)
    tiny["weight"] = 1e-3 * tiny["weight"]
    return [
        Case(problem(5, 3), {"iterations": 1}),
        Case(problem(3, 6), {"iterations": 2}),
        Case(problem(6, 4), {"iterations": 300}, name="many iterations"),
        Case(tiny, {"iterations": 400}, name="a small matrix, many iterations"),
        Case(problem(4, 5, torch.float32), {"iterations": 2}, name="float32 inputs"),
    ]


def _vectors(weight: Tensor, u: Tensor, iterations: int) -> tuple[Tensor, Tensor]:
    for _ in range(iterations):
        v = F.normalize(weight.T @ u, dim=0, eps=0.0)
        u = F.normalize(weight @ v, dim=0, eps=0.0)
    return u, v


def _not_normalised(weight: Tensor, u: Tensor, *, iterations: int = 1) -> Tensor:
    with torch.no_grad():
        for _ in range(iterations):
            v = weight.T @ u
            u = weight @ v
    return u @ weight @ v


def _through(weight: Tensor, u: Tensor, *, iterations: int = 1) -> Tensor:
    u, v = _vectors(weight, u, iterations)
    return u @ weight @ v


def _constants(weight: Tensor, u: Tensor, iterations: int) -> tuple[Tensor, Tensor]:
    with torch.no_grad():
        return _vectors(weight, u, iterations)


def _squared(weight: Tensor, u: Tensor, *, iterations: int = 1) -> Tensor:
    _, v = _constants(weight, u, iterations)
    return (weight @ v).square().sum()


def _stale(weight: Tensor, u: Tensor, *, iterations: int = 1) -> Tensor:
    _, v = _constants(weight, u, iterations)
    return F.normalize(u, dim=0) @ weight @ v


def _detached(weight: Tensor, u: Tensor, *, iterations: int = 1) -> Tensor:
    return _through(weight, u, iterations=iterations).detach()


SPECIFICATION = Specification(
    id="gan.power_iteration",
    title="The largest singular value by power iteration",
    reference=power_iteration,
    cases=_cases,
    differentiate=("weight",),
    rtol=1e-5,
    misconceptions=(
        Misconception(
            "NOT_NORMALISED",
            _not_normalised,
            "The vectors are not brought to length one. They grow or shrink with each "
            "multiplication, and the last product measures their length as well.",
        ),
        Misconception(
            "THROUGH",
            _through,
            "The value is right, but the gradient runs through the iterations. The vectors are "
            "constants: at the true ones this is the derivative, and it costs nothing.",
        ),
        Misconception(
            "SQUARED",
            _squared,
            "This is the square of the singular value: an eigenvalue of the matrix times its "
            "transpose. How much does the matrix itself stretch the vector?",
        ),
        Misconception(
            "STALE",
            _stale,
            "The last product uses the vector from before the iterations. Both vectors must be "
            "the newest.",
        ),
        Misconception(
            "FROBENIUS",
            lambda weight, u, *, iterations=1: weight.norm(),
            "This is the root of the sum of all squared entries. It holds the squares of all "
            "singular values; only the largest is asked for.",
        ),
        Misconception(
            "EXACT",
            lambda weight, u, *, iterations=1: torch.linalg.matrix_norm(weight, ord=2),
            "This is the exact norm, by a full decomposition in each step. Asked for is the "
            "estimate after the given number of iterations from the given vector.",
        ),
        Misconception(
            "DETACHED",
            _detached,
            "The value is right, but it is cut from the matrix. Only the vectors are constants; "
            "the last product must keep its gradient.",
        ),
    ),
    hints=Hints(
        property=(
            "Checked are the estimate after few and many iterations, and its gradient with "
            "respect to the matrix."
        ),
        place=(
            "Two multiplications an iteration, first with the transposed matrix, and a division "
            "by the length after each; no gradient there. One product at the end, with gradient."
        ),
        example=(
            "A matrix that stretches the first axis by 3 and the second by 2; one iteration "
            "turns the vector towards the first. Run this:\n"
            ">>> weight = torch.tensor([[3.0, 0.0], [0.0, 2.0]])\n"
            ">>> power_iteration(weight, torch.tensor([1.0, 1.0]), iterations=1)\n"
            "tensor(2.7316)"
        ),
        question="Which of the vectors u, v should the gradient see, and which product keeps W?",
        analogue=(
            "For the symmetric matrix with 5 and 1 on its diagonal, the vector (1, 1) becomes "
            "(5, 1), then (25, 1): after k multiplications the second part is 5^k times smaller."
        ),
    ),
)
