"""Exercise: which component of a mixture made a point."""

import torch
import torch.nn.functional as F
from torch import Tensor

from genimg_course.exercises.inputs import normal, uniform
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.maths.mixtures import responsibilities
from genimg_course.probing.case import Case

__all__ = ["SPECIFICATION"]


def _cases(rng: torch.Generator) -> list[Case]:
    def points(
        count: int, components: int, scale: float = 2.0, dtype: torch.dtype = torch.float64
    ) -> dict[str, Tensor]:
        weights = uniform(rng, components, low=0.1, dtype=dtype)
        return {
            "log_density": normal(rng, count, components, scale=scale, dtype=dtype),
            "weights": weights / weights.sum(),
        }

    far = points(3, 2)
    far["log_density"] -= 2000
    sharp = points(3, 4)
    sharp["log_density"] += 900
    return [
        Case(points(5, 3)),
        Case(points(1, 4)),
        Case(points(6, 2)),
        Case(far, name="points far from all components"),
        Case(sharp, name="components as sharp as needles"),
        Case(points(4, 3, dtype=torch.float32), name="float32 inputs"),
    ]


def _joint(log_density: Tensor, weights: Tensor) -> Tensor:
    return log_density + weights.log()


def _hard(log_density: Tensor, weights: Tensor) -> Tensor:
    best = _joint(log_density, weights).argmax(dim=1)
    return F.one_hot(best, len(weights)).to(log_density.dtype)


def _late_weights(log_density: Tensor, weights: Tensor) -> Tensor:
    return log_density.softmax(dim=1) * weights


def _by_exp(log_density: Tensor, weights: Tensor) -> Tensor:
    joint = log_density.exp() * weights
    return joint / joint.sum(dim=1, keepdim=True)


SPECIFICATION = Specification(
    id="probability.responsibilities",
    title="Who is responsible for a point",
    reference=responsibilities,
    cases=_cases,
    misconceptions=(
        Misconception(
            "NO_WEIGHTS",
            lambda log_density, weights: log_density.softmax(dim=1),
            "The weights are not used. A component with a large share makes more points, so it is "
            "suspected more often.",
        ),
        Misconception(
            "WEIGHTS_IN_LOG",
            lambda log_density, weights: (log_density + weights).softmax(dim=1),
            "The weights are added to log densities as they are. A product becomes a sum only if "
            "the logarithm of both factors is taken.",
        ),
        Misconception(
            "WEIGHTS_TIMES_LOG",
            lambda log_density, weights: (log_density * weights).softmax(dim=1),
            "The weights multiply the log densities. They multiply the densities.",
        ),
        Misconception(
            "OVER_POINTS",
            lambda log_density, weights: _joint(log_density, weights).softmax(dim=0),
            "The probabilities sum to one over the points. For each point they sum to one over "
            "the components, for somebody made it.",
        ),
        Misconception(
            "HARD",
            _hard,
            "Each point goes to one component entirely, as in k-means. Here a point between two "
            "components belongs partly to both.",
        ),
        Misconception(
            "NOT_NORMALISED",
            lambda log_density, weights: _joint(log_density, weights).exp(),
            "This is the joint density of point and component. Divide by the density of the point.",
        ),
        Misconception(
            "LATE_WEIGHTS",
            _late_weights,
            "The weights come after the division, so the rows no longer sum to one.",
        ),
        Misconception(
            "LOG",
            lambda log_density, weights: _joint(log_density, weights).log_softmax(dim=1),
            "These are the logarithms of the probabilities.",
        ),
        Misconception(
            "UNDERFLOW",
            _by_exp,
            "The formula is right, but the densities are taken out of the logarithm first. Far "
            "points become zero over zero, sharp components infinity over infinity. Stay with "
            "logarithms as long as you can.",
        ),
    ),
    hints=Hints(
        property=(
            "Checked are the probabilities, rows that sum to one, and points whose densities are "
            "too small or too large for a number."
        ),
        place=(
            "Bayes' rule: prior times likelihood, divided by the sum over all components. In "
            "logarithms a product is a sum, and a known function divides by the sum of "
            "exponentials."
        ),
        example=(
            "Both components explain the point equally well, but one makes three times as many "
            "points. Run this:\n"
            ">>> responsibilities(torch.tensor([[-700.0, -700.0]]), torch.tensor([0.75, 0.25]))\n"
            "tensor([[0.7500, 0.2500]])"
        ),
        question=(
            "Of a hundred points, how many come from each component, and how many of those would "
            "land here?"
        ),
        analogue=(
            "Two bakeries sell 80 and 20 loaves. Of the first a tenth are rye, of the second a "
            "half. A rye loaf is from the first with probability 8 / (8 + 10) = 0.444."
        ),
    ),
)
