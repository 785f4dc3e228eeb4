"""Exercise: two distances between laws that share no point."""

import math

import torch
from torch import Tensor

from genimg_course.exercises.inputs import normal
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.maths.transport import parallel_lines
from genimg_course.probing.case import Case

__all__ = ["SPECIFICATION"]


def _cases(rng: torch.Generator) -> list[Case]:
    def shifts(
        count: int, scale: float = 1.0, dtype: torch.dtype = torch.float64
    ) -> dict[str, Tensor]:
        drawn = scale * normal(rng, count, dtype=dtype)
        drawn[0] = -drawn[0].abs()  # one at least to the left
        return {"theta": drawn}

    zero = shifts(4)
    zero["theta"][1] = 0.0
    return [
        Case(shifts(5)),
        Case(shifts(2)),
        Case(zero, name="a shift of 0"),
        Case(shifts(4, scale=100.0), name="far shifts"),
        Case(shifts(4, scale=1e-4), name="tiny shifts"),
        Case(shifts(3, dtype=torch.float32), name="float32 inputs"),
    ]


def _with(theta: Tensor, **others: Tensor) -> dict[str, Tensor]:
    return parallel_lines(theta) | others


SPECIFICATION = Specification(
    id="gan.parallel_lines",
    title="Jensen-Shannon and Wasserstein for laws apart",
    reference=parallel_lines,
    cases=_cases,
    misconceptions=(
        Misconception(
            "SMOOTH",
            lambda theta: _with(
                theta,
                jensen_shannon=math.log(2) * (1 - (-theta.abs()).exp()),
                jensen_shannon_slope=math.log(2) * theta.sign() * (-theta.abs()).exp(),
            ),
            "Your Jensen-Shannon divergence grows with the distance. It only asks how much the "
            "laws overlap, and these do not overlap at all, however near they are.",
        ),
        Misconception(
            "SLOPE",
            lambda theta: _with(theta, jensen_shannon_slope=math.log(2) * theta.sign()),
            "Your Jensen-Shannon divergence has a slope. What is the derivative of a constant?",
        ),
        Misconception(
            "BITS",
            lambda theta: _with(theta, jensen_shannon=(theta != 0).to(theta)),
            "This is in bits. In nats the largest Jensen-Shannon divergence is log 2.",
        ),
        Misconception(
            "LOG_FOUR",
            lambda theta: _with(theta, jensen_shannon=math.log(4) * (theta != 0).to(theta)),
            "log 4 is the loss of an undecided discriminator. The divergence itself is the mean "
            "of two KL terms, and each is log 2 here.",
        ),
        Misconception(
            "AT_ZERO",
            lambda theta: _with(theta, jensen_shannon=torch.full_like(theta, math.log(2))),
            "At a shift of 0 the laws are the same, and every divergence is 0.",
        ),
        Misconception(
            "NO_ABS",
            lambda theta: _with(theta, wasserstein=theta, wasserstein_slope=torch.ones_like(theta)),
            "A distance is not negative. A shift to the left costs as much as one to the right.",
        ),
        Misconception(
            "SLOPE_ONE",
            lambda theta: _with(theta, wasserstein_slope=torch.ones_like(theta)),
            "The slope has no sign. To come closer from the left, the model must move right; from "
            "the right, left.",
        ),
        Misconception(
            "SQUARED",
            lambda theta: _with(theta, wasserstein=theta.square(), wasserstein_slope=2 * theta),
            "This is the squared distance. W_1 counts the way itself.",
        ),
    ),
    hints=Hints(
        property=(
            "Checked are four tensors of the shape of theta: two distances and their derivatives."
        ),
        place=(
            "For Jensen-Shannon only one question matters: is there any overlap? For Wasserstein: "
            "how far must each grain of mass go, at the least?"
        ),
        example=(
            "Run this:\n"
            '>>> parallel_lines(torch.tensor([-2.0, 0.0, 0.5]))["wasserstein"]\n'
            "tensor([2.0000, 0.0000, 0.5000])"
        ),
        question=(
            "On the data's segment, what is the density ratio between the data and the mixture of "
            "both laws? What is its logarithm?"
        ),
        analogue=(
            "With other laws: two dice, one with the faces 1 to 6 and one with 11 to 16. A single "
            "throw always tells them apart, so the Jensen-Shannon divergence is log 2. To turn "
            "one into the other every face moves by 10, so W_1 is 10."
        ),
    ),
)
