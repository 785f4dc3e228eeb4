"""Exercise: the gradient through batch normalisation."""

import torch
from torch import Tensor

from genimg_course.exercises.inputs import normal
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.maths.layers import batch_norm_backward
from genimg_course.probing.case import Case

__all__ = ["SPECIFICATION"]


def _cases(rng: torch.Generator) -> list[Case]:
    def batch(
        rows: int, width: int, *, scale: float = 1.0, dtype: torch.dtype = torch.float64
    ) -> dict[str, Tensor]:
        return {
            "x": 2 + normal(rng, rows, width, scale=scale, dtype=dtype),
            "gamma": 1 + 0.5 * normal(rng, width, dtype=dtype),
            "grad_y": normal(rng, rows, width, dtype=dtype),
        }

    return [
        Case(batch(6, 3)),
        Case(batch(4, 1)),
        Case(batch(5, 2), {"eps": 0.3}, name="a large eps"),
        Case(batch(3, 4, scale=3.0)),
        Case(batch(7, 2, dtype=torch.float32), name="float32 inputs"),
    ]


def _parts(x: Tensor, eps: float, *, correction: int = 0) -> tuple[Tensor, Tensor]:
    scale = (x.var(dim=0, correction=correction) + eps).rsqrt()
    return (x - x.mean(dim=0)) * scale, scale


def _constants(x: Tensor, gamma: Tensor, grad_y: Tensor, *, eps: float = 1e-5) -> Tensor:
    return gamma * grad_y * _parts(x, eps)[1]


def _no_mean(x: Tensor, gamma: Tensor, grad_y: Tensor, *, eps: float = 1e-5) -> Tensor:
    x_hat, scale = _parts(x, eps)
    delta = gamma * grad_y
    return scale * (delta - x_hat * (delta * x_hat).mean(dim=0))


def _no_variance(x: Tensor, gamma: Tensor, grad_y: Tensor, *, eps: float = 1e-5) -> Tensor:
    delta = gamma * grad_y
    return _parts(x, eps)[1] * (delta - delta.mean(dim=0))


def _no_gamma(x: Tensor, gamma: Tensor, grad_y: Tensor, *, eps: float = 1e-5) -> Tensor:
    return batch_norm_backward(x, torch.ones_like(gamma), grad_y, eps=eps)


def _unbiased(x: Tensor, gamma: Tensor, grad_y: Tensor, *, eps: float = 1e-5) -> Tensor:
    x_hat, scale = _parts(x, eps, correction=1)
    delta = gamma * grad_y
    return scale * (delta - delta.mean(dim=0) - x_hat * (delta * x_hat).mean(dim=0))


def _outside(x: Tensor, gamma: Tensor, grad_y: Tensor, *, eps: float = 1e-5) -> Tensor:
    scale = 1 / (x.std(dim=0, correction=0) + eps)
    x_hat, delta = (x - x.mean(dim=0)) * scale, gamma * grad_y
    return scale * (delta - delta.mean(dim=0) - x_hat * (delta * x_hat).mean(dim=0))


def _summed(x: Tensor, gamma: Tensor, grad_y: Tensor, *, eps: float = 1e-5) -> Tensor:
    x_hat, scale = _parts(x, eps)
    delta = gamma * grad_y
    return scale * (delta - delta.sum(dim=0) - x_hat * (delta * x_hat).sum(dim=0))


SPECIFICATION = Specification(
    id="networks.batch_norm_backward",
    title="The gradient through batch normalisation",
    reference=batch_norm_backward,
    cases=_cases,
    misconceptions=(
        Misconception(
            "CONSTANTS",
            _constants,
            "Mean and variance are treated as constants. They are computed from the batch, so "
            "every example has moved them and gets its share back.",
        ),
        Misconception(
            "NO_MEAN",
            _no_mean,
            "The way through the mean is missing. Adding one number to all examples changes "
            "nothing, so the gradient of a feature sums to zero over the batch.",
        ),
        Misconception(
            "NO_VARIANCE",
            _no_variance,
            "The way through the variance is missing. Stretching all examples changes almost "
            "nothing, so the gradient has almost no part along the normalised values.",
        ),
        Misconception(
            "NO_GAMMA",
            _no_gamma,
            "The scale of the layer is not used. It multiplies the normalised value, so the "
            "gradient passes it first.",
        ),
        Misconception(
            "UNBIASED",
            _unbiased,
            "The variance divides by one less than the batch. Batch normalisation divides by the "
            "whole batch while it trains.",
        ),
        Misconception(
            "EPS_OUTSIDE",
            _outside,
            "The small number is added to the standard deviation. It belongs to the variance, "
            "under the root.",
        ),
        Misconception(
            "SUMS",
            _summed,
            "The two corrections are sums over the batch. The mean gives each example one B-th of "
            "the blame, so they are means.",
        ),
    ),
    hints=Hints(
        property=(
            "Checked are the values, with a small and a large eps. With a tiny eps the gradient of "
            "a feature sums to zero and is at right angles to the normalised values."
        ),
        place=(
            "Begin with delta = gamma * grad_y, the gradient for the normalised values. Take away "
            "its mean, and take away its part along the normalised values. Then scale."
        ),
        example=(
            "Two examples become -1 and +1 whatever they are, so no gradient is left. Run this:\n"
            ">>> x, grad_y = torch.tensor([[0.0], [6.0]]), torch.tensor([[1.0], [5.0]])\n"
            ">>> batch_norm_backward(x, torch.ones(1), grad_y, eps=1e-12).abs() < 1e-5\n"
            "tensor([[True],\n"
            "        [True]])"
        ),
        question=(
            "Normalising throws two things away: the level and the scale of a feature. Which "
            "directions of x can therefore not change the loss?"
        ),
        analogue=(
            "Only centring, on other numbers: x is (1, 2, 6), the gradient for the centred values "
            "is (3, 0, 0). For x it is (2, -1, -1): the mean, 1, is taken from each."
        ),
    ),
)
