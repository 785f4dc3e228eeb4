"""Exercise: the Fréchet distance of two Gaussians."""

import torch
from torch import Tensor

from genimg_course.exercises.inputs import normal
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.maths.frechet import gaussian_frechet
from genimg_course.probing.case import Case

__all__ = ["SPECIFICATION"]


def _cases(rng: torch.Generator) -> list[Case]:
    def moments(side: int, dtype: torch.dtype = torch.float64) -> dict[str, Tensor]:
        roots = [normal(rng, side, side + 3, dtype=dtype) for _ in range(2)]
        covs = [root @ root.T / side + 0.2 * torch.eye(side, dtype=dtype) for root in roots]
        means = [normal(rng, side, dtype=dtype) for _ in range(2)]
        return {"mean_1": means[0], "cov_1": covs[0], "mean_2": means[1], "cov_2": 2 * covs[1]}

    centred = moments(4)
    centred["mean_2"] = centred["mean_1"].clone()
    return [
        Case(moments(3)),
        Case(moments(6)),
        Case(moments(1), name="one feature"),
        Case(centred, name="equal means"),
        Case(moments(3, dtype=torch.float32), name="float32 inputs"),
    ]


def _root(matrix: Tensor) -> Tensor:
    values, vectors = torch.linalg.eigh(matrix)
    return (vectors * values.clamp_min(0).sqrt()) @ vectors.T


def _cross(cov_1: Tensor, cov_2: Tensor) -> Tensor:
    return _root(_root(cov_1) @ cov_2 @ _root(cov_1)).trace()


def _with(means: Tensor, cov_1: Tensor, cov_2: Tensor, cross: Tensor) -> Tensor:
    return means + cov_1.trace() + cov_2.trace() - cross


SPECIFICATION = Specification(
    id="metrics.gaussian_frechet",
    title="The Fréchet distance of two Gaussians",
    reference=gaussian_frechet,
    cases=_cases,
    rtol=1e-5,
    atol=1e-5,
    misconceptions=(
        Misconception(
            "ELEMENTWISE",
            lambda m1, c1, m2, c2: _with(
                (m1 - m2).square().sum(), c1, c2, 2 * (c1 @ c2).abs().sqrt().trace()
            ),
            "The square root was taken of each entry of the matrix. The root of a matrix A is the "
            "matrix whose product with itself is A; its eigenvalues are the roots.",
        ),
        Misconception(
            "NO_TWO",
            lambda m1, c1, m2, c2: _with((m1 - m2).square().sum(), c1, c2, _cross(c1, c2)),
            "The factor 2 of the root is missing, so that equal Gaussians are not at distance "
            "zero. Where does the 2 in (a - b)**2 go?",
        ),
        Misconception(
            "NO_ROOT",
            lambda m1, c1, m2, c2: _with((m1 - m2).square().sum(), c1, c2, 2 * (c1 @ c2).trace()),
            "The root of the product is missing. Covariances have the unit of a square, and so has "
            "the result; a product of two covariances has the wrong unit.",
        ),
        Misconception(
            "SEPARATE_ROOTS",
            lambda m1, c1, m2, c2: _with(
                (m1 - m2).square().sum(), c1, c2, 2 * (_root(c1) @ _root(c2)).trace()
            ),
            "The two roots are taken separately and then multiplied. That is right only if the "
            "covariances have the same axes; in general it makes the distance too large.",
        ),
        Misconception(
            "SUM_OF_ROOTS",
            lambda m1, c1, m2, c2: _with(
                (m1 - m2).square().sum(), c1, c2, (_root(c1) + _root(c2)).trace()
            ),
            "The roots are added. The mixed term of a square is a product, and the root is that "
            "of the product.",
        ),
        Misconception(
            "DISTANCE",
            lambda m1, c1, m2, c2: gaussian_frechet(m1, c1, m2, c2).sqrt(),
            "This is the distance. What is reported everywhere as FID is its square.",
        ),
        Misconception(
            "NORM",
            lambda m1, c1, m2, c2: _with((m1 - m2).norm(), c1, c2, 2 * _cross(c1, c2)),
            "The distance of the means is not squared, while the covariances are squares. Look at "
            "the units.",
        ),
        Misconception(
            "MEANS_ONLY",
            lambda m1, c1, m2, c2: (m1 - m2).square().sum(),
            "Only the means are compared. A generator whose images all have the mean features of "
            "the data would be perfect.",
        ),
        Misconception(
            "DEVIATIONS",
            lambda m1, c1, m2, c2: (
                (m1 - m2).square().sum() + (c1.diag().sqrt() - c2.diag().sqrt()).square().sum()
            ),
            "Only the variances are compared. Features are correlated, and the entries beside the "
            "diagonal count too.",
        ),
    ),
    hints=Hints(
        property=(
            "Checked are the values for one to six features. Equal Gaussians give zero, and the "
            "result is the squared distance."
        ),
        place=(
            "The means give a squared norm. The covariances give two traces, minus twice the sum "
            "of the roots of the eigenvalues of their product. That product is not symmetric: "
            "use torch.linalg.eigvals and take the real part."
        ),
        example=(
            "Deviations of 1 and 3 in both features, means 3 apart: 9 for the means and "
            "(3 - 1)**2 for each feature. Run this:\n"
            ">>> unit = torch.eye(2)\n"
            ">>> gaussian_frechet(torch.tensor([3.0, 0]), unit, torch.zeros(2), 9 * unit)"
            ".round(decimals=3)\n"
            "tensor(17.)"
        ),
        question=(
            "With one feature the distance is (m1 - m2)**2 + (s1 - s2)**2. Multiply it out: which "
            "term becomes a trace, and which one becomes a root of a product?"
        ),
        analogue=(
            "With one feature: variances 4 and 25, equal means. Then 4 + 25 - 2 sqrt(4 * 25) = 9, "
            "which is (5 - 2)**2."
        ),
    ),
)
