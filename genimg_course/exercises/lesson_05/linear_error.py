"""Exercise: the least error of a linear autoencoder."""

import torch
from torch import Tensor

from genimg_course.exercises.inputs import normal
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.maths.principal import linear_error
from genimg_course.probing.case import Case

__all__ = ["SPECIFICATION"]


def _cases(rng: torch.Generator) -> list[Case]:
    def cov(dims: int, *, rank: int | None = None, dtype: torch.dtype = torch.float64) -> Tensor:
        x = normal(rng, 3 * dims, rank or dims, dtype=dtype)
        x = x @ normal(rng, rank or dims, dims, dtype=dtype)
        return x.T @ x / len(x)

    return [
        Case({"cov": cov(5), "latent_dim": 2}),
        Case({"cov": cov(7), "latent_dim": 3}),
        Case({"cov": cov(4), "latent_dim": 0}, name="no code at all"),
        Case({"cov": cov(4), "latent_dim": 4}, name="a code as long as the input"),
        Case({"cov": cov(6, rank=3), "latent_dim": 1}, name="inputs that fill three dimensions"),
        Case({"cov": cov(4, dtype=torch.float32), "latent_dim": 1}, name="float32 inputs"),
    ]


def _spectrum(cov: Tensor) -> Tensor:
    return torch.linalg.eigvalsh(cov).flip(0)


SPECIFICATION = Specification(
    id="autoencoder.linear_error",
    title="The least error of a linear autoencoder",
    reference=linear_error,
    cases=_cases,
    misconceptions=(
        Misconception(
            "KEPT",
            lambda cov, latent_dim: _spectrum(cov)[:latent_dim].sum(),
            "This is the sum of the variances that the code keeps. The error is what it has to "
            "leave out.",
        ),
        Misconception(
            "SMALLEST",
            lambda cov, latent_dim: torch.linalg.eigvalsh(cov)[latent_dim:].sum(),
            "The smallest variances are kept and the largest left out. In which order does the "
            "library return eigenvalues?",
        ),
        Misconception(
            "SQUARED",
            lambda cov, latent_dim: _spectrum(cov)[latent_dim:].square().sum(),
            "The eigenvalues are squared. An eigenvalue of a covariance is a mean square already: "
            "the variance along its direction.",
        ),
        Misconception(
            "ROOTS",
            lambda cov, latent_dim: _spectrum(cov)[latent_dim:].clamp_min(0).sqrt().sum(),
            "These are standard deviations. Squared errors along perpendicular directions add, "
            "their roots do not.",
        ),
        Misconception(
            "SHARE",
            lambda cov, latent_dim: _spectrum(cov)[latent_dim:].sum() / cov.trace(),
            "This is the share of the variance that is lost. The error itself is asked for, in "
            "squared units of the pixels.",
        ),
        Misconception(
            "DIAGONAL",
            lambda cov, latent_dim: cov.diagonal().sort(descending=True).values[latent_dim:].sum(),
            "These are variances of single pixels. The best directions are mixtures of pixels: "
            "which numbers tell the variance along those?",
        ),
        Misconception(
            "OFF_BY_ONE",
            lambda cov, latent_dim: _spectrum(cov)[latent_dim + 1 :].sum(),
            "One direction too many is kept. With a code of no numbers the whole variance is lost.",
        ),
    ),
    hints=Hints(
        property=(
            "Checked is one number, for codes of several lengths, from none to as many as the "
            "input has."
        ),
        place=(
            "Eigenvalues of a symmetric matrix, in a known order; the largest as many as the code "
            "has numbers are kept; the rest is summed."
        ),
        example=(
            "Two pixels that vary together leave a small rest for a code of one number. Run this:\n"
            ">>> linear_error(torch.tensor([[2.0, 1.0], [1.0, 2.0]]), 1)\n"
            "tensor(1.)"
        ),
        question=(
            "If you may keep only one direction of a cloud of points, which one, and how much of "
            "the spread is left at right angles to it?"
        ),
        analogue=(
            "Axes of a cigar: variances 9, 1 and 0.25. A code of one number keeps 9 and loses "
            "1.25; a code of two loses 0.25."
        ),
    ),
)
